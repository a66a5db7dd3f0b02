#include "cvdd/pipeline/row_feed.hpp"

#include <utility>

namespace cvdd {

void RowFeed::put(std::span<const Row> rows) {
  if (rows.empty() || !attached_.load(std::memory_order_relaxed)) return;
  auto copy = std::make_shared<const std::vector<Row>>(rows.begin(), rows.end());
  const std::lock_guard lock(mutex_);
  if (waiting_ + copy->size() > rows_max) {
    missed_ = true;
    return;
  }
  waiting_ += copy->size();
  rows_.push_back(std::move(copy));
}

void RowFeed::put(std::vector<OpenBar> bars) {
  wanted_.store(false, std::memory_order_relaxed);
  auto now = std::make_shared<const std::vector<OpenBar>>(std::move(bars));
  const std::lock_guard lock(mutex_);
  open_bars_.swap(now);
}

std::deque<RowFeed::Rows> RowFeed::take_rows(bool& missed) {
  const std::lock_guard lock(mutex_);
  missed = std::exchange(missed_, false);
  waiting_ = 0;
  return std::exchange(rows_, {});
}

RowFeed::OpenBars RowFeed::open_bars() const {
  const std::lock_guard lock(mutex_);
  return open_bars_;
}

void RowFeed::forget(const Instrument& instrument) {
  const std::lock_guard lock(mutex_);
  if (!open_bars_) return;
  for (const OpenBar& bar : *open_bars_) {
    if (bar.instrument == &instrument) return open_bars_.reset();
  }
}

}  // namespace cvdd
