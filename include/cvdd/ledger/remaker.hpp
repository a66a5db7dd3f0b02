// Bars that are made again of the exchange's history alone, whatever was there: beside what is in memory, until all the
// trades that were announced have come. One announcement at a time. Pure; one for each instrument, owned by the ledger.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"

namespace cvdd {

class Remaker {
 public:
  // Nothing is announced.
  [[nodiscard]] bool empty() const { return !remake_; }
  // So many trades follow, which are all that the bars have that begin in [from, to). What was announced before and is
  // not complete is forgotten; without a trade the bars are made at once.
  void announce(BarSeries& bars, Timestamp from, Timestamp to, std::uint64_t trades);
  // One of them (`again`, `again_other`); the last puts the bars in their place. Of another bar it is not what was
  // announced, and ends that. False: a sum does not fit.
  [[nodiscard]] bool take(BarSeries& bars, const Record& record, const IdText& name);
  // A trade was counted in this bar: if the bar is made again meanwhile, it has the trade too.
  void also(const BarSeries& bars, Timestamp bar, const Record& record, const IdText& name);

 private:
  struct Remake {
    Timestamp from, to;
    std::uint64_t left = 0;  // trades that have not come
    std::map<Timestamp, Bar> fresh;
    [[nodiscard]] bool covers(Timestamp bar) const { return bar >= from && bar < to; }
  };
  void finish(BarSeries& bars);

  std::optional<Remake> remake_;
};

}  // namespace cvdd
