// Size buckets: what the flow file says of bars, beside their rows.
#include <algorithm>

#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/ledger/ledger.hpp"

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
}  // namespace

void Ledger::count_flow(std::uint32_t instrument, std::shared_ptr<const SizeBuckets> buckets,
                        std::span<const FlowRow> known) {
  Account& account = accounts_.at(instrument);
  account.flow = std::make_unique<FlowAccount>();
  FlowAccount& flow = *account.flow;
  flow.buckets = std::move(buckets);
  flow.rules = {flow.buckets.get(), account.instrument->ids == Ids::sequence};
  flow.before.resize(flow.buckets->size());
  // Of other buckets than now nothing can be gone on with.
  std::map<Timestamp, std::map<std::string, const FlowRow*>> bars;
  for (const FlowRow& row : known) bars[row.time][row.bucket] = &row;
  std::erase_if(bars, [&](const auto& bar) {
    const auto is_there = [&](const std::string& name) { return bar.second.contains(name); };
    return bar.second.size() != flow.buckets->size() + 1 || !bar.second.contains(SizeBuckets::all) ||
           !std::ranges::all_of(flow.buckets->names(), is_there);
  });
  if (bars.empty()) return;
  for (const auto& [time, rows] : bars) {
    Bar* const bar = time < account.front ? nullptr : bar_at(account, time);
    if (bar != nullptr && bar->restored) restore_flow(flow, bar->flow.of(*flow.buckets), rows);
  }
  // Before the first that is in memory; behind the newest, if none is.
  const auto first = bars.lower_bound(account.front);
  const auto& base = first == bars.end() ? bars.rbegin()->second : first->second;
  for (std::size_t b = 0; b < flow.buckets->size(); ++b) {
    const FlowRow& row = *base.at(flow.buckets->name(b));
    const bool before = first != bars.end();
    flow.before[b].base = before ? difference(row.cvd_base, row.delta_base) : row.cvd_base;
    flow.before[b].quote = before ? difference(row.cvd_quote, row.delta_quote) : row.cvd_quote;
  }
}

void Ledger::restore_flow(const FlowAccount& account, FlowBar& bar, const std::map<std::string, const FlowRow*>& rows) {
  for (std::size_t b = 0; b < account.buckets->size(); ++b) bar.buckets[b] = rows.at(account.buckets->name(b))->sums;
  bar.largest_buy_quote = rows.at(SizeBuckets::all)->largest_buy_quote;
  bar.largest_sell_quote = rows.at(SizeBuckets::all)->largest_sell_quote;
  bar.path_known = false;
}

// What a bar adds to the buckets' CVDs.
void Ledger::add_flow(std::vector<FlowCvd>& cvds, const Bar& bar) {
  if (bar.absent || bar.flow.get() == nullptr || !is_known(bar)) return;
  for (std::size_t b = 0; b < cvds.size(); ++b) {
    const FlowSums& s = bar.flow.get()->buckets[b];
    cvds[b].base = sum(cvds[b].base, difference(s.buy_base, s.sell_base));
    cvds[b].quote = sum(cvds[b].quote, difference(s.buy_quote, s.sell_quote));
  }
}

bool Ledger::moves_flow(const Account& account, const Bar& was, const Bar& is) {
  return account.flow != nullptr && is_known(was) != is_known(is);
}

void Ledger::tell_flow(const Account& account, const Bar& bar, const Row& row) {
  const SizeBuckets& buckets = *account.flow->buckets;
  const FlowBar* const flow = bar.flow.get();
  const bool known = is_known(bar) && row.status != BarStatus::history;
  // Buckets that were told once, and are not known any more (a candle took the bar's place), are told to be empty.
  if (known || row.rev > 0) {
    std::vector<FlowCvd> cvds = account.flow->before;
    const auto at = std::ranges::find_if(account.bars, [&](const Bar& b) { return &b == &bar; });
    const auto end = at == account.bars.end() ? account.bars.begin() : std::next(at);  // none: it is before them
    for (auto b = account.bars.begin(); b != end; ++b) add_flow(cvds, *b);
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      FlowRow& out = flow_rows_.emplace_back(flow_row_of(row, buckets.name(b)));
      if (known && flow != nullptr) out.sums = flow->buckets[b];
      out.delta_base = difference(out.sums.buy_base, out.sums.sell_base);
      out.delta_quote = difference(out.sums.buy_quote, out.sums.sell_quote);
      out.cvd_base = cvds[b].base;
      out.cvd_quote = cvds[b].quote;
    }
  }
  FlowRow& all = flow_rows_.emplace_back(flow_row_of(row, SizeBuckets::all));
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

std::vector<FlowRow> Ledger::take_flow_rows() {
  std::vector<FlowRow> rows = std::exchange(flow_rows_, {});
  const auto earlier = [](const FlowRow& a, const FlowRow& b) { return a.time < b.time; };
  if (!std::is_sorted(rows.begin(), rows.end(), earlier)) std::stable_sort(rows.begin(), rows.end(), earlier);
  return rows;
}

}  // namespace cvdd
