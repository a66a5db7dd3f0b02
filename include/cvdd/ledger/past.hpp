// The time before an instrument's bars in memory, where the exchange's candles tell of it: rows wait for them, and go
// on from them. Pure; one for each instrument, owned by the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/gap_tracker.hpp"
#include "cvdd/ledger/ledger_output.hpp"

namespace cvdd {

class Past {
 public:
  // Rows wait from now on. Of `bars` of an earlier run the newest is told again if it lacks something.
  void hold(const BarSeries& bars);
  [[nodiscard]] bool held() const { return held_; }
  // They wait no longer.
  void release();

  // Candles of bars whose trades can't be had, or cost too much to fetch: oldest first, at bar starts.
  void give(std::vector<Candle> candles) { candles_ = std::move(candles); }
  // They take effect: bars in memory that lack something are made of them, and while rows wait, rows of bars before
  // those, which are appended to `out`. False: a sum does not fit, of a row that is left out. `active`: the instrument
  // goes on.
  [[nodiscard]] bool take_effect(const Instrument& instrument, BarSeries& bars, const GapTracker& gaps, bool active,
                                 LedgerOutput& out);

 private:
  [[nodiscard]] bool tell_before(const Candle& candle, const Instrument& instrument, BarSeries& bars,
                                 LedgerOutput& out) const;

  struct Cut {
    Timestamp time;
    std::uint32_t rev = 0;  // of its next row
    Decimal delta_base, delta_quote;
  };
  bool held_ = false;
  std::vector<Candle> candles_;  // given, and not yet in effect
  std::optional<Cut> cut_;       // the newest bar of the files, if it lacks something
};

}  // namespace cvdd
