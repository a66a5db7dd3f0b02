// The final proof of one instrument's bars: what is claimed of each, by what it is proven, and what to ask the exchange
// next. Pure: times come in. One per instrument; io thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/candle_audit.hpp"

namespace cvdd {

struct ProofRules {
  Duration interval = seconds(60);   // of the bars
  Duration candle;                   // of the candles that they are compared with, a multiple of it; 0: there are none
  Duration settles = seconds(3);     // so long after its end a candle is final
  Duration heal_after = seconds(5);  // what repairs itself is left in peace for so long
  // No repair can ask for ids: what nobody listened to is made of history like any gap.
  bool by_time = false;
};

// [from, to) of bar beginnings.
struct BarSpan {
  Timestamp from, to;
  friend bool operator==(const BarSpan&, const BarSpan&) = default;
};

class ProofTrack {
 public:
  enum class By : std::uint8_t {
    none,
    ids,      // those of the next trades go on from it
    figures,  // the exchange's own agree with it, or it was made of the exchange's history
  };
  struct Bar {
    Claim claim;
    By by = By::none;
    bool compared = false;  // with a candle, as far as there is one
    bool again = false;     // to be made again, whatever it says
    bool absent = false;    // of the time when nobody ran: there is no row yet
    bool refuted = false;   // figures were not ours, and making it again has not settled that
    bool unit = false;      // its sizes may be of another unit: only figures tell
    unsigned attempts = 0;  // to make it again
    Timestamp due;          // of the next
  };

  // A row was written (`restored`: by an earlier run). Newer revisions take the place of older ones; other numbers are
  // to be proven anew.
  void put(const Claim& row, Timestamp now, const ProofRules& rules);
  // The earlier run's rows are all there: those that its end, or a jump of ids, leaves in doubt are to be made again.
  void restored(Timestamp now, const ProofRules& rules, bool ids_are_a_sequence);
  // Nobody knows an id of before this run began: bars of the time when nobody ran, of which no repair will tell, are to
  // be made of history with the others.
  void without_ids(bool none_known) { fill_absent_ = none_known; }
  // The first id that is known of the instrument proves nothing of what was before it, nor does any candle where bars
  // are shorter: such bars are made again once. Off where ids of before are known.
  void first_ids_prove(bool they_do) { first_ids_prove_ = they_do; }
  // The ids of trades up to this time are known without a hole, so whole bars before it have all they had.
  void ids_until(Timestamp time, const ProofRules& rules);
  // Nothing but what was counted was traded until then.
  void quiet_until(Timestamp time, const ProofRules& rules);

  // Whole candles' worth of bars that are to be compared, the oldest of them at least `age` ago; empty: none.
  [[nodiscard]] std::optional<BarSpan> to_compare(Timestamp now, Duration age, const ProofRules& rules) const;
  // A run of bars to be made again now, at most `bars_max`, whole candles where there are any; empty: none.
  [[nodiscard]] std::optional<BarSpan> to_remake(Timestamp now, const ProofRules& rules) const;
  static constexpr std::int64_t bars_max = 60;

  // The bars of one candle summed up; empty if one of them is not there, or not to be compared (cut, from candles).
  [[nodiscard]] std::optional<Claim> sum(BarSpan span, const ProofRules& rules) const;
  // Whether all of them are proven by ids of this run.
  [[nodiscard]] bool by_ids(BarSpan span) const;
  [[nodiscard]] bool any_gap(BarSpan span) const;

  void agreed(BarSpan span);
  // Nothing can be held against it: bars that an earlier run called whole, whose ids join, are as good as they get.
  void not_judged(BarSpan span, bool ids_are_a_sequence);
  // To be made again at once; `attempts` begin anew.
  void refuted(BarSpan span, Timestamp now);
  // The exchange has `theirs` of one bar, at least. True where the row that an earlier run wrote of it says that it is
  // whole, and has less: it is to be made again at once.
  [[nodiscard]] bool lacks(const Claim& theirs, Timestamp now, const ProofRules& rules);
  // Its trades may be of another unit than we think.
  void doubt_unit(BarSpan span, Timestamp now);
  // … those that began before this moment, whatever they say, and whatever comes of them later.
  void unit_since(Timestamp time);
  [[nodiscard]] bool unit_in_doubt(BarSpan span) const;
  // The exchange's figures have said of some of them that they are wrong.
  [[nodiscard]] bool is_refuted(BarSpan span) const;
  // Making it again did not succeed: later, or never more.
  void failed(BarSpan span, Timestamp now);
  // Made again, or found to be what history has.
  void remade(BarSpan span);

  // The id from which on history is to be asked for bars that begin at `from`: the newest that is known before them,
  // else the first behind, else `newest`, which is the newest of all. What is beyond `newest` is of another numbering:
  // where ids began anew before `from`, the first that is known of the new ones; empty: none is, so that history by ids
  // may not reach there.
  [[nodiscard]] std::optional<std::uint64_t> ask_from(Timestamp from, std::uint64_t newest) const;
  // The ids that the bars' rows name. History that does not have them is not theirs.
  [[nodiscard]] std::vector<std::uint64_t> ids_of(BarSpan span) const;
  // Some row names an id below this one: then there were trades before it.
  [[nodiscard]] bool knows_below(std::uint64_t id) const;
  // Whether trades are claimed of any bar of the span.
  [[nodiscard]] bool traded(BarSpan span) const;

  // All bars before this moment are proven; empty: there is no bar.
  [[nodiscard]] std::optional<Timestamp> proven_until(const ProofRules& rules) const;
  // Forgets what is done and older than `keep`, and everything beyond `size_max`.
  void prune(Timestamp now, Duration keep);
  [[nodiscard]] bool empty() const { return bars_.empty(); }
  [[nodiscard]] const std::map<Timestamp, Bar>& bars() const { return bars_; }
  static constexpr std::size_t size_max = 1'000;

 private:
  [[nodiscard]] static bool done(const Bar& bar) { return bar.by != By::none && bar.compared && !bar.again; }
  template <class Use>
  void each(BarSpan span, const Use& use);
  void fill_absent(Timestamp before, Timestamp now, const ProofRules& rules);
  void doubt_first(Timestamp now, const ProofRules& rules);
  std::map<Timestamp, Bar> bars_;
  std::optional<Timestamp> proven_;  // of those forgotten
  Timestamp unit_since_;             // sizes of bars that began before may be of another unit
  bool fill_absent_ = false, first_ids_prove_ = false;
};

}  // namespace cvdd
