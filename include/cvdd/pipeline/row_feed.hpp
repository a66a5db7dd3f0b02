// What the aggregator lets others see: rows as they were written, and the open bars when somebody asks. Nothing waits
// for whoever looks on: who does not fetch in time misses rows and is told so.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/open_bar.hpp"

namespace cvdd {

class RowFeed {
 public:
  using Rows = std::shared_ptr<const std::vector<Row>>;
  using OpenBars = std::shared_ptr<const std::vector<OpenBar>>;

  // The aggregator's side.
  void put(std::span<const Row> rows);
  [[nodiscard]] bool open_bars_wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void put(std::vector<OpenBar> bars);
  // It is no more: nothing that can still be fetched points to it.
  void forget(const Instrument& instrument);

  // The viewer's side; nothing is kept for it before it has attached.
  void attach() { attached_.store(true, std::memory_order_relaxed); }
  // Rows since the last call, oldest first. `missed`: set if some were dropped because nobody fetched them.
  [[nodiscard]] std::deque<Rows> take_rows(bool& missed);
  // Asks for the open bars: there within a second.
  void want_open_bars() { wanted_.store(true, std::memory_order_relaxed); }
  // The newest there are; null before the first.
  [[nodiscard]] OpenBars open_bars() const;

  static constexpr std::size_t rows_max = 200'000;  // that wait to be fetched

 private:
  std::atomic<bool> attached_{false}, wanted_{false};
  mutable std::mutex mutex_;
  std::deque<Rows> rows_;
  std::size_t waiting_ = 0;
  bool missed_ = false;
  OpenBars open_bars_;
};

}  // namespace cvdd
