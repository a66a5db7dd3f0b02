#include "cvdd/ledger/bar_series.hpp"

#include "bar_row.hpp"

namespace cvdd {

void BarSeries::begin(Timestamp start) {
  oldest_ = first_ = start;
  bars_.emplace_back();
}

void BarSeries::restore(std::span<const Row> rows, Ids ids) {
  const Row& oldest = rows.front();
  before_.base = subtract(oldest.cvd_base, oldest.delta_base).value_or(Decimal{});
  before_.quote = subtract(oldest.cvd_quote, oldest.delta_quote).value_or(Decimal{});
  before_.price = oldest.buys + oldest.sells > 0 ? oldest.open : oldest.close;
  oldest_ = first_ = oldest.time;
  bars_.clear();
  for (const Row& row : rows) {
    const auto place = static_cast<std::size_t>((row.time - oldest_).us / interval_.us);
    while (bars_.size() < place) bars_.emplace_back().absent = true;
    bars_.push_back(bar_of(row, ids, &row == &oldest));
  }
}

bool BarSeries::resume(Timestamp start, std::size_t more_max) {
  const auto more = static_cast<std::size_t>((start - newest()).us / interval_.us);
  if (more > more_max) {
    while (!bars_.empty()) drop_front();
    begin(start);
    return false;
  }
  for (std::size_t i = 1; i < more; ++i) bars_.emplace_back().absent = true;
  bars_.emplace_back();
  return true;
}

// A sum that does not fit stopped the instrument when its rows were made, so none is left out here.
void BarSeries::drop_front() {
  (void)before_.count(bars_.front());
  if (flow_) flow_->drop(bars_.front());
  bars_.pop_front();
  oldest_ = oldest_ + interval_;
}

void BarSeries::count_flow(FlowAccount flow, std::span<const FlowRow> known) {
  flow.restore(bars_, oldest_, interval_, known);
  flow_ = std::make_unique<FlowAccount>(std::move(flow));
}

}  // namespace cvdd
