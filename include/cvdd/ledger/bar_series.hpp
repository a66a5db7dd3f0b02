// An instrument's bars while they are in memory: one after the other in time without a gap, and what all bars before
// them sum up to. Pure value; owned by the ledger.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/flow_account.hpp"

namespace cvdd {

// What bars sum up to, and the last price in them; empty: there was no trade yet.
struct Totals {
  Decimal base, quote;
  std::optional<Decimal> price;
  // Adds a bar that comes next; one that is absent counts for nothing. False: a sum does not fit, and stays as it was.
  [[nodiscard]] bool count(const Bar& bar) {
    if (bar.absent) return true;
    const auto base_sum = add(base, bar.delta_base()), quote_sum = add(quote, bar.delta_quote());
    if (base_sum) base = *base_sum;
    if (quote_sum) quote = *quote_sum;
    if (bar.close) price = bar.close;
    return base_sum && quote_sum;
  }
};

// A bar is named by its start. While the series is empty there is no oldest and no newest one.
class BarSeries {
 public:
  explicit BarSeries(Duration interval) : interval_(interval) {}

  // The instrument's first bar of all. Only while the series is empty.
  void begin(Timestamp start);
  // The bars that rows of an earlier run tell of: at least one, oldest first. Those between, which have no row, are
  // absent.
  void restore(std::span<const Row> rows, Ids ids);
  // The run goes on at `start`, which is after the newest: bars between are absent. If they and `start` would be more
  // than `more_max`, none of them is kept and the old ones become a part of what is before: false.
  [[nodiscard]] bool resume(Timestamp start, std::size_t more_max);

  [[nodiscard]] bool empty() const { return bars_.empty(); }
  [[nodiscard]] std::size_t size() const { return bars_.size(); }
  [[nodiscard]] Duration interval() const { return interval_; }
  [[nodiscard]] Timestamp start_of(Timestamp time) const { return bar_start(time, interval_); }
  // Trades of before it are not the instrument's, or are too old to be counted.
  [[nodiscard]] Timestamp first() const { return first_; }
  [[nodiscard]] Timestamp oldest() const { return oldest_; }
  [[nodiscard]] Timestamp newest() const {
    return {oldest_.us + (static_cast<std::int64_t>(bars_.size()) - 1) * interval_.us};
  }
  [[nodiscard]] const Bar& front() const { return bars_.front(); }
  [[nodiscard]] const Bar& back() const { return bars_.back(); }
  [[nodiscard]] Bar& back() { return bars_.back(); }

  // nullptr: it is not in memory.
  [[nodiscard]] Bar* at(Timestamp start) { return const_cast<Bar*>(std::as_const(*this).at(start)); }
  [[nodiscard]] const Bar* at(Timestamp start) const {
    if (start < oldest_) return nullptr;
    const auto index = static_cast<std::size_t>((start - oldest_).us / interval_.us);
    return index < bars_.size() ? &bars_[index] : nullptr;
  }
  // Makes bars up to this one, if it is after the newest. False: it is more than `ahead_max` after it, or there is
  // none.
  [[nodiscard]] bool extend(Timestamp start) {
    if (bars_.empty()) return false;
    const std::int64_t more = (start - newest()).us / interval_.us;
    if (more > static_cast<std::int64_t>(ahead_max)) return false;
    for (std::int64_t i = 0; i < more; ++i) bars_.emplace_back();
    return true;
  }
  static constexpr std::size_t ahead_max = 100'000;

  // Those in memory that begin in [from, to), oldest first, each as use(start, bar).
  template <class Use>
  void each(Timestamp from, Timestamp to, Use use) {
    for (Timestamp start = std::max(from, oldest_); start < to; start = start + interval_) {
      Bar* bar = at(start);
      if (bar == nullptr) return;
      use(start, *bar);
    }
  }
  [[nodiscard]] std::deque<Bar>& all() { return bars_; }
  [[nodiscard]] const std::deque<Bar>& all() const { return bars_; }

  // What the bars before the oldest sum up to.
  [[nodiscard]] const Totals& before() const { return before_; }
  void set_before(const Totals& totals) { before_ = totals; }
  // The oldest becomes a part of it. Only while there is one.
  void drop_front();

  // Volume is counted by the size of trades too, from the next on. `known`: what the files say of the bars that were
  // restored, or else the newest rows of the buckets.
  void count_flow(FlowAccount flow, std::span<const FlowRow> known);
  // nullptr: sizes don't matter. Until the next count_flow.
  [[nodiscard]] const FlowRules* flow_rules() const { return flow_ ? &flow_->rules() : nullptr; }
  // Appends the flow rows that belong to the row of a bar, which is one of these or comes before them; none if sizes
  // don't matter.
  void tell_flow(const Bar& bar, const Row& row, std::vector<FlowRow>& out) const {
    if (flow_) flow_->tell(bars_, bar, row, out);
  }

 private:
  Duration interval_;
  std::deque<Bar> bars_;
  Timestamp oldest_, first_;
  Totals before_;
  std::unique_ptr<FlowAccount> flow_;  // null: no size buckets
};

}  // namespace cvdd
