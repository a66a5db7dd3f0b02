// Bars of an earlier run that lack trades, made again of the ids that are missing between their neighbours
// (plan_rebuilds): beside what the files have, until all those ids are there. And what of such bars, and of the time
// when nobody ran, ids can't show. Pure; one for each instrument, owned by the ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"

namespace cvdd {

class Rebuilder {
 public:
  // Whether ids that have been settled are still missing, or may be, in the bar that begins there.
  using InDoubt = std::function<bool(Timestamp)>;

  // `by_time`: what ids can't show may be asked for later, by time. Else they are believed.
  explicit Rebuilder(bool by_time = false) : by_time_(by_time) {}

  // The earlier run's rows, which `bars` has, end at `end`. `killed`: it did not write the bar that it ended in.
  // Plans without a missing id are carried out at once.
  void restore(BarSeries& bars, std::span<const RebuildPlan> plans, Timestamp end, bool killed);

  // Nothing waits for its trades.
  [[nodiscard]] bool empty() const { return rebuilds_.empty(); }
  // A trade that is missing belongs to bars that are made again, and to nothing else: true. The last one of them puts
  // the bars in their place.
  [[nodiscard]] bool take(BarSeries& bars, const Record& record, const InDoubt& in_doubt);
  // A trade was counted in this bar: if the bar is made again meanwhile, it has the trade too.
  void also(const BarSeries& bars, Timestamp bar, const Record& record, const IdText& name);
  // The trade with this id is not to be had: the bars stay what the files have, and what comes of them is passed over.
  void give_up(std::uint64_t id);

  // Ids have shown that a bar of the time when nobody ran is all there, as it is: it is absent no longer, unless its
  // trades are on their way. Just behind the end of a run ids don't show that: a trade whose id the files have passed
  // may be of this bar, and was lost with the process. It is in doubt until it is made again by time, and so is the bar
  // there in which somebody listens again.
  void uncover(const BarSeries& bars, Bar& bar, Timestamp time) const;
  // The loss that a bar of an earlier run was part of is settled: nothing of it is missing, unless it is made again.
  void heal(Bar& bar, Timestamp time) const;

  // Whether the bar, the oldest in memory, may be needed.
  [[nodiscard]] bool keeps(Timestamp bar) const;

  // Trades may have times in another order than their ids by so much: nobody knows on which side of a moment those were
  // whose ids are near it.
  static constexpr Duration near_the_end = seconds(7);

 private:
  struct Rebuild {
    RebuildPlan plan;
    std::uint64_t left = 0;  // ids that have not come
    std::map<Timestamp, Bar> fresh;
    bool dead = false;  // not to be had: what comes of it is passed over, since the files' bars know a part of it
    [[nodiscard]] bool holds(const Record& record) const {
      return record.id() >= plan.first && record.first_id() <= plan.last;
    }
    [[nodiscard]] bool covers(Timestamp bar) const { return bar >= plan.from && bar <= plan.to; }
  };
  void finish(BarSeries& bars, Rebuild& rebuild, const InDoubt& in_doubt) const;
  [[nodiscard]] const Rebuild* making(Timestamp bar) const;

  bool by_time_;
  Timestamp end_;  // of the earlier run's newest row; 0: there was none
  bool killed_ = false;
  std::vector<Rebuild> rebuilds_;  // as many as plan_rebuilds makes of the rows that are restored
};

}  // namespace cvdd
