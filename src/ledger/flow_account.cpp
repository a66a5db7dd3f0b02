#include "cvdd/ledger/flow_account.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace cvdd {

namespace {
Decimal sum(const Decimal& a, const Decimal& b) { return add(a, b).value_or(a); }
Decimal difference(const Decimal& a, const Decimal& b) { return subtract(a, b).value_or(Decimal{}); }

// Whether a bar's buckets hold all of its volume: not where an earlier run, or a candle, has counted some of it.
bool is_known(const Bar& bar) {
  if (bar.history) return false;
  FlowSums all;
  if (const FlowBar* flow = bar.flow.get()) {
    for (const FlowSums& s : flow->buckets) {
      all.buys += s.buys;
      all.sells += s.sells;
      all.buy_base = sum(all.buy_base, s.buy_base);
      all.sell_base = sum(all.sell_base, s.sell_base);
      all.buy_quote = sum(all.buy_quote, s.buy_quote);
      all.sell_quote = sum(all.sell_quote, s.sell_quote);
    }
  }
  return all.buys == bar.buys && all.sells == bar.sells && all.buy_base == bar.buy_base &&
         all.sell_base == bar.sell_base && all.buy_quote == bar.buy_quote && all.sell_quote == bar.sell_quote;
}

// A row of the bar, without its numbers.
FlowRow head_of(const Row& row, const std::string& bucket) {
  FlowRow out;
  out.time = row.time;
  out.exchange = row.exchange;
  out.market = row.market;
  out.symbol = row.symbol;
  out.bucket = bucket;
  out.rev = row.rev;
  out.status = row.status;
  return out;
}
}  // namespace

FlowAccount::FlowAccount(std::shared_ptr<const SizeBuckets> buckets, bool ordered)
    : buckets_(std::move(buckets)), rules_{buckets_.get(), ordered}, before_(buckets_->size()) {}

// Whether the files have a row of each of the buckets, and of no other.
bool FlowAccount::complete(const RowsOfBar& rows) const {
  const auto is_there = [&](const std::string& name) { return rows.contains(name); };
  return rows.size() == buckets_->size() + 1 && rows.contains(SizeBuckets::all) &&
         std::ranges::all_of(buckets_->names(), is_there);
}

void FlowAccount::restore(std::deque<Bar>& bars, Timestamp oldest, Duration interval, std::span<const FlowRow> known) {
  std::map<Timestamp, RowsOfBar> told;
  for (const FlowRow& row : known) told[row.time][row.bucket] = &row;
  std::erase_if(told, [&](const auto& rows) { return !complete(rows.second); });
  if (told.empty()) return;
  const auto first = told.lower_bound(oldest);
  for (auto rows = first; rows != told.end(); ++rows) {
    const auto place = static_cast<std::size_t>((rows->first - oldest).us / interval.us);
    if (place < bars.size() && bars[place].restored) restore(bars[place].flow.of(*buckets_), rows->second);
  }
  // Before the first that is in memory; behind the newest, if none is.
  const bool before = first != told.end();
  const RowsOfBar& base = before ? first->second : told.rbegin()->second;
  for (std::size_t b = 0; b < before_.size(); ++b) {
    const FlowRow& row = *base.at(buckets_->name(b));
    before_[b].base = before ? difference(row.cvd_base, row.delta_base) : row.cvd_base;
    before_[b].quote = before ? difference(row.cvd_quote, row.delta_quote) : row.cvd_quote;
  }
}

void FlowAccount::restore(FlowBar& bar, const RowsOfBar& rows) const {
  for (std::size_t b = 0; b < buckets_->size(); ++b) bar.buckets[b] = rows.at(buckets_->name(b))->sums;
  bar.largest_buy_quote = rows.at(SizeBuckets::all)->largest_buy_quote;
  bar.largest_sell_quote = rows.at(SizeBuckets::all)->largest_sell_quote;
  bar.path_known = false;
}

// What a bar adds to the buckets' CVDs.
void FlowAccount::count(std::vector<Cvd>& cvds, const Bar& bar) {
  if (bar.absent || bar.flow.get() == nullptr || !is_known(bar)) return;
  for (std::size_t b = 0; b < cvds.size(); ++b) {
    const FlowSums& s = bar.flow.get()->buckets[b];
    cvds[b].base = sum(cvds[b].base, difference(s.buy_base, s.sell_base));
    cvds[b].quote = sum(cvds[b].quote, difference(s.buy_quote, s.sell_quote));
  }
}

void FlowAccount::tell(const std::deque<Bar>& bars, const Bar& bar, const Row& row, std::vector<FlowRow>& out) const {
  const FlowBar* const flow = bar.flow.get();
  const bool known = is_known(bar) && row.status != BarStatus::history;
  // Buckets that were told once, and are not known any more (a candle took the bar's place), are told to be empty.
  if (known || row.rev > 0) {
    std::vector<Cvd> cvds = before_;
    const auto at = std::ranges::find_if(bars, [&](const Bar& b) { return &b == &bar; });
    const auto end = at == bars.end() ? bars.begin() : std::next(at);  // none: it is before them
    for (auto b = bars.begin(); b != end; ++b) count(cvds, *b);
    for (std::size_t b = 0; b < buckets_->size(); ++b) {
      FlowRow& told = out.emplace_back(head_of(row, buckets_->name(b)));
      if (known && flow != nullptr) told.sums = flow->buckets[b];
      told.delta_base = difference(told.sums.buy_base, told.sums.sell_base);
      told.delta_quote = difference(told.sums.buy_quote, told.sums.sell_quote);
      told.cvd_base = cvds[b].base;
      told.cvd_quote = cvds[b].quote;
    }
  }
  FlowRow& all = out.emplace_back(head_of(row, SizeBuckets::all));
  all.sums = {row.buys, row.sells, row.buy_base, row.sell_base, row.buy_quote, row.sell_quote};
  all.delta_base = row.delta_base;
  all.delta_quote = row.delta_quote;
  all.cvd_base = row.cvd_base;
  all.cvd_quote = row.cvd_quote;
  if (!known) return;
  if (flow == nullptr) {
    all.delta_min_base = all.delta_max_base = Decimal{};
    return;
  }
  all.largest_buy_quote = flow->largest_buy_quote;
  all.largest_sell_quote = flow->largest_sell_quote;
  const auto extremes = flow->path_known ? flow->path.extremes() : std::nullopt;
  if (!extremes) return;
  all.delta_min_base = extremes->least;
  all.delta_max_base = extremes->most;
}

}  // namespace cvdd
