// What of an instrument's bars is missing or in doubt: times in which nobody listened (a loss), ids that have not come
// (holes), how far ids and connections vouch; and what becomes of the bars when it comes, or is not to be had. Pure;
// one for each instrument, owned by the ledger.
//
// A bar's own flags say what is settled about it; the rest is here, until it is. Bars are those of the instrument's
// series throughout, and `rebuilder` knows which of them are made again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/evidence.hpp"
#include "cvdd/ledger/gap.hpp"
#include "cvdd/ledger/ledger_options.hpp"
#include "cvdd/ledger/rebuilder.hpp"

namespace cvdd {

class GapTracker {
 public:
  GapTracker(Ids ids, const LedgerOptions& options) : options_(options), ordered_(ids == Ids::sequence) {}

  // After an earlier run whose rows end at `end`: what may be lacking begins with the bar `from`. `last_id`: the newest
  // that it knew, in the bar `last_trade` or before.
  void restore(Timestamp from, Timestamp end, std::optional<std::uint64_t> last_id, Timestamp last_trade);

  // What that run lacked begins with this bar already.
  void reaches_back(Timestamp bar);

  // ---- What marks say.
  // The connection is lost, or was for a while (RecordKind::lost).
  void lost(const BarSeries& bars, const Record& record);
  // Somebody listens again; the bar `last` is the last that an open loss concerns. Without one, nothing.
  void found(Timestamp last);
  // The bars before `bar` keep what they said when the daemon stopped, until the loss is settled.
  void hide_before(Timestamp bar);
  // … and are no longer in memory.
  void forget_before(Timestamp bar);
  // What was traded before `time` has been received (RecordKind::watched). `at_most`: and no more than that.
  void watched(Timestamp time, bool at_most = false);
  // The instrument ended in the bar `last`: what nobody vouched for by now stays without a proof.
  void ended(BarSeries& bars, Timestamp last);
  // Ids are missing before the trade that comes next (RecordKind::hole).
  void hole(BarSeries& bars, const Record& record);
  // What the exchange's history had to say (RecordKind::verdict).
  void verdict(BarSeries& bars, const Rebuilder& rebuilder, const Record& record);

  // ---- What trades say.
  // An id of the bar `bar` comes next. After a loss it tells that nothing was missed before it.
  void next_id(BarSeries& bars, const Rebuilder& rebuilder, std::uint64_t id, Timestamp bar) {
    if (loss_ && !loss_->open && last_id_ && id > *last_id_) resolve(bars, rebuilder, bar);
  }
  // Whether the trade is one of those that are missing.
  [[nodiscard]] bool waits_for(const Record& trade) const;
  // A trade of before we listened came by itself: it is alone in its bar, for all that is known.
  void found_alone(Timestamp bar);
  // The trade is in its bar. `numbered`: its id has a place among the others.
  void counted(BarSeries& bars, const Rebuilder& rebuilder, const Record& trade, bool numbered) {
    // Nothing to compare the id with: what a loss before this trade cost stays unknown, unless somebody is asked.
    const bool unmeasured = numbered ? !last_id_ : !ordered_ && !options_.repairs;
    if (numbered) {
      known(bars, rebuilder, trade);
      by_ids_ = std::max(by_ids_, trade.time());  // holes and losses before it are known by its id
    }
    if (unmeasured) give_up_loss(bars);
    last_trade_ = std::max(last_trade_, trade.time());
  }
  // Its id is known, though it is not counted.
  void known(BarSeries& bars, const Rebuilder& rebuilder, const Record& trade) {
    if (!holes_.empty()) fill(bars, rebuilder, trade.first_id(), trade.id());
    last_id_ = std::max(last_id_.value_or(0), trade.id());
  }
  // These ids are there now, by trades or by candles.
  void fill(BarSeries& bars, const Rebuilder& rebuilder, std::uint64_t first, std::uint64_t last);
  // What was lost before this process began is there, and nothing else was.
  void settle_absence();

  // ---- What may be said of a bar.
  // `active`: the instrument goes on.
  [[nodiscard]] Evidence evidence(Timestamp time, const Bar& bar, bool active) const;
  // Ids or a loss are open that concern the bar.
  [[nodiscard]] bool in_doubt(Timestamp bar) const;
  // Whether something may still change the oldest bar in memory, which is written or absent.
  [[nodiscard]] bool keeps(Timestamp time, const Bar& bar) const;
  // The bar is no longer in memory, and holes that are counted there are given up with it.
  void dropped(Timestamp bar);

  [[nodiscard]] bool cut_off() const { return loss_ && loss_->open; }
  // Trade time of the newest; of an earlier run: its bar.
  [[nodiscard]] Timestamp last_trade() const { return last_trade_; }

  static constexpr std::size_t holes_max = 64;  // of an instrument; beyond, the oldest is given up

 private:
  void resolve(BarSeries& bars, const Rebuilder& rebuilder, Timestamp until);
  void give_up_loss(BarSeries& bars);
  void first_id_ever(BarSeries& bars);

  LedgerOptions options_;
  bool ordered_;
  bool restored_ = false;
  std::optional<std::uint64_t> last_id_;
  Timestamp ids_since_;  // the bar of the newest id that an earlier run knew: ids prove nothing of before
  Timestamp last_trade_;
  Timestamp watched_;  // what was traded before is here, for all that its connection …
  Timestamp by_ids_;   // … or its ids can tell
  std::optional<Loss> loss_;
  std::vector<Hole> holes_;
};

}  // namespace cvdd
