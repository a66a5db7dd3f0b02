// What the page's list shows of each instrument's past: CVD changes over an hour and a day, a sparkline, the newest
// row. Pure: rows come in, in the order they were written. 9 KiB an instrument.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd::web {

// A CVD at the end of a bar.
struct Point {
  Timestamp end;
  Decimal base, quote;
};

// The newest points that are at least `spacing` apart, oldest first.
template <std::size_t size>
class Points {
 public:
  // `spacing`: 0 takes every point. Of points in one slot the last one stays.
  void add(const Point& point, Duration spacing) {
    if (count_ > 0) {
      Point& last = at(count_ - 1);
      if (point.end < last.end) return;
      if (point.end == last.end || (spacing.us > 0 && bar_start(point.end, spacing) == bar_start(last.end, spacing))) {
        last = point;
        return;
      }
    }
    if (count_ == size) begin_ = (begin_ + 1) % size;
    if (count_ < size) ++count_;
    at(count_ - 1) = point;
  }
  // A bar that was written again.
  void revise(const Point& point) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (at(i).end == point.end) at(i) = point;
    }
  }
  // The newest that is not after `time`.
  [[nodiscard]] const Point* until(Timestamp time) const {
    for (std::size_t i = count_; i-- > 0;) {
      if (at(i).end <= time) return &at(i);
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const Point& at(std::size_t i) const { return points_[(begin_ + i) % size]; }

 private:
  Point& at(std::size_t i) { return points_[(begin_ + i) % size]; }
  std::array<Point, size> points_{};
  std::size_t begin_ = 0, count_ = 0;
};

class Board {
 public:
  using Key = std::pair<std::pair<std::string, Market>, std::string>;  // exchange, market; symbol
  struct Written {
    Timestamp time;
    BarStatus status = BarStatus::live;
  };
  struct Track {
    std::optional<Written> newest;
    Points<48> bars;
    Points<14> hour;  // five minutes apart
    Points<26> day;   // an hour apart
                      // Statuses of the last bars, by their number: as many as the ledger may still change.
    struct Given {
      std::uint32_t bar = 0;
      BarStatus status = BarStatus::live;
    };
    std::array<Given, 256> recent{};
  };
  explicit Board(Duration interval = seconds(60)) : interval_(interval) {}

  // How often bars have been written with a status: first rows, and rows that changed it.
  using Counts = std::array<std::uint64_t, 5>;  // by BarStatus
  void add(const Row& row);
  // A row of the files, in their order. `again`: not the first of its bar.
  void add_past(const Key& key, const Written& row, const Decimal& cvd_base, const Decimal& cvd_quote, bool again);
  // Of instruments without a row since then nothing is known any more.
  void forget_before(Timestamp time);
  [[nodiscard]] const Track* find(const Key& key) const;
  [[nodiscard]] const std::map<std::pair<std::string, Market>, Counts>& counts() const { return counts_; }
  [[nodiscard]] Duration interval() const { return interval_; }

  struct Change {
    std::optional<Decimal> base, quote;
  };
  // The CVD now less that of `span` ago: of the newest point that is at least so old, and not older than `slack` more.
  [[nodiscard]] static Change change(const Track& track, Timestamp now, Duration span, Duration slack,
                                     const Decimal& base, const Decimal& quote);

 private:
  void point(Track& track, const Point& point, bool again) const;

  Duration interval_;
  std::map<Key, Track> tracks_;
  std::map<std::pair<std::string, Market>, Counts> counts_;
};

}  // namespace cvdd::web
