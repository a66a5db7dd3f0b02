// The ledger's other half: what is left of an instrument that is not collected any more.
#include <algorithm>

#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

namespace {
Decimal difference(const Decimal& a, const Decimal& b) { return subtract(a, b).value_or(Decimal{}); }
Decimal sum(const Decimal& a, const Decimal& b) { return add(a, b).value_or(a); }
}  // namespace

bool Ledger::all_told(std::uint32_t instrument) const {
  if (!knows(instrument)) return true;
  const Account& account = accounts_[instrument];
  if (account.state == State::active) return false;
  return account.state == State::stopped || std::ranges::all_of(account.bars, [](const Bar& bar) {
           return bar.absent || (bar.written() && !bar.changed);
         });
}

std::optional<Ledger::Last> Ledger::forget(std::uint32_t instrument) {
  if (!knows(instrument)) return std::nullopt;
  std::optional<Last> last = last_of(accounts_[instrument]);
  std::erase(order_, instrument);
  accounts_[instrument] = Account{};
  return last;
}

std::optional<Ledger::Last> Ledger::last_of(const Account& account) const {
  const auto told = [](const Bar& bar) { return !bar.absent && bar.written(); };
  const auto newest = std::find_if(account.bars.rbegin(), account.bars.rend(), told);
  if (newest == account.bars.rend()) return std::nullopt;
  const auto bars = static_cast<std::size_t>(account.bars.rend() - newest);
  Last last;
  last.row =
      row_of(account, account.front + Duration{static_cast<std::int64_t>(bars - 1) * options_.interval.us}, *newest);
  last.row.rev = newest->revs - 1;
  last.row.status = newest->written_status;
  last.row.missing = newest->written_missing;
  last.row.cvd_base = account.cvd_base;
  last.row.cvd_quote = account.cvd_quote;
  std::optional<Decimal> price = account.close;
  for (std::size_t i = 0; i < bars; ++i) {
    const Bar& bar = account.bars[i];
    if (bar.absent) continue;
    last.row.cvd_base = sum(last.row.cvd_base, difference(bar.buy_base, bar.sell_base));
    last.row.cvd_quote = sum(last.row.cvd_quote, difference(bar.buy_quote, bar.sell_quote));
    if (bar.close) price = bar.close;
    if (!bar.last_name.empty()) last.last_id = bar.last_name;
  }
  if (!last.row.open) last.row.open = last.row.high = last.row.low = last.row.close = price;
  if (account.last_id) last.last_id = std::to_string(*account.last_id);
  if (account.flow) last.flow = last_flow_of(account, bars, last.row);
  return last;
}

// As tell_flow has told it, or would have: every bucket, since the next who goes on needs all of them.
std::vector<FlowRow> Ledger::last_flow_of(const Account& account, std::size_t bars, const Row& row) {
  const SizeBuckets& buckets = *account.flow->buckets;
  std::vector<FlowCvd> cvds = account.flow->before;
  for (std::size_t i = 0; i + 1 < bars; ++i) add_flow(cvds, account.bars[i]);
  const std::vector<FlowCvd> before = cvds;
  add_flow(cvds, account.bars[bars - 1]);
  std::vector<FlowRow> rows;
  const auto head = [&](const std::string& bucket) -> FlowRow& { return rows.emplace_back(flow_row_of(row, bucket)); };
  const FlowBar* const flow = account.bars[bars - 1].flow.get();
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    FlowRow& out = head(buckets.name(b));
    if (flow != nullptr) out.sums = flow->buckets[b];
    out.delta_base = difference(cvds[b].base, before[b].base);
    out.delta_quote = difference(cvds[b].quote, before[b].quote);
    out.cvd_base = cvds[b].base;
    out.cvd_quote = cvds[b].quote;
  }
  FlowRow& all = head(SizeBuckets::all);
  all.sums = {row.buys, row.sells, row.buy_base, row.sell_base, row.buy_quote, row.sell_quote};
  all.delta_base = row.delta_base;
  all.delta_quote = row.delta_quote;
  all.cvd_base = row.cvd_base;
  all.cvd_quote = row.cvd_quote;
  if (flow == nullptr) return rows;
  all.largest_buy_quote = flow->largest_buy_quote;
  all.largest_sell_quote = flow->largest_sell_quote;
  return rows;
}

}  // namespace cvdd
