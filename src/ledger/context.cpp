#include "cvdd/ledger/context.hpp"

#include <algorithm>
#include <utility>

#include "context_values.hpp"

namespace cvdd {

namespace {
// Closed bars that are kept for what comes late, as the ledger keeps its own.
constexpr Duration kept_for = seconds(400);
constexpr std::int64_t kept_min = 5, kept_max = 64;

bool add_to(Decimal& sum, const Decimal& more) {
  const auto both = add(sum, more);
  if (both) sum = *both;
  return both.has_value();
}

bool add_to(LiquidationSums& sums, const Liquidation& order) {
  const bool buys = order.side == Aggressor::buyer;
  ++(buys ? sums.buys : sums.sells);
  const bool base = add_to(buys ? sums.buy_base : sums.sell_base, order.base);
  return add_to(buys ? sums.buy_quote : sums.sell_quote, order.quote) && base;
}
}  // namespace

std::size_t ContextLedger::kept() const {
  return static_cast<std::size_t>(std::clamp(kept_for.us / interval_.us, kept_min, kept_max));
}

void ContextLedger::begin(const Instrument& instrument, const ContextWanted& wanted, const ContextRow* known) {
  Account& account = accounts_[instrument.id];
  const bool fresh = account.instrument == nullptr;
  account.instrument = &instrument;
  account.ended.reset();
  for (const DataKind kind : context_kinds) {
    auto& silences = account.silences[static_cast<std::size_t>(kind)];
    const bool known_silent = !silences.empty() && !silences.back().to;
    // What was written before it was asked for lacks nothing.
    if (!account.wanted.kinds.has(kind) && !known_silent) {
      silences.push_back({account.next.value_or(Timestamp{}), std::nullopt, false});
    }
  }
  account.wanted = wanted;
  if (!fresh || known == nullptr) return;
  Bar& bar = account.bars[known->time];
  bar.written = *known;
  if (known->liquidations) bar.sums = *known->liquidations;
}

void ContextLedger::apply(const ContextUpdate& update) {
  const auto found = accounts_.find(update.instrument);
  if (found == accounts_.end()) return;
  Account& account = found->second;
  if (const auto* told = std::get_if<FeedMark>(&update.value)) return mark(account, *told);
  if (const auto* order = std::get_if<Liquidation>(&update.value)) return count(account, *order);
  const auto take = [&](auto Values::*member, const auto& value) {
    const bool open = account.next && value.time >= *account.next;
    Bar* const bar = open ? bar_at(account, value.time) : nullptr;
    if (open && bar == nullptr) return;
    // What comes after its bar was written is told with the next one.
    merge(bar != nullptr ? bar->newest.*member : account.carried.*member, value);
  };
  if (const auto* book = std::get_if<BestPrices>(&update.value)) take(&Values::book, *book);
  if (const auto* price = std::get_if<MarkPrice>(&update.value)) take(&Values::mark, *price);
  if (const auto* rate = std::get_if<FundingRate>(&update.value)) take(&Values::funding, *rate);
  if (const auto* open = std::get_if<OpenInterest>(&update.value)) take(&Values::open_interest, *open);
}

// The open bar of this time; no further ahead than closed ones are kept.
ContextLedger::Bar* ContextLedger::bar_at(Account& account, Timestamp time) const {
  const Timestamp at = bar_start(time, interval_);
  const Timestamp furthest = *account.next + Duration{static_cast<std::int64_t>(kept() + 64) * interval_.us};
  return at > furthest ? nullptr : &account.bars[at];
}

void ContextLedger::begin_rows(Account& account, Timestamp time) {
  if (account.next) return;
  account.next = bar_start(time, interval_);
  // A clock that was set back must not write bars once more that are older than the newest.
  if (!account.bars.empty()) account.next = std::max(*account.next, account.bars.rbegin()->first);
}

void ContextLedger::mark(Account& account, const FeedMark& mark) {
  if (mark.what == FeedMark::What::ended) {
    account.ended = mark.time;
    for (auto& silences : account.silences) {
      if (silences.empty() || silences.back().to) silences.push_back({mark.time, std::nullopt, false});
    }
    return;
  }
  // It was begun again; the word of that came by another way, maybe before that of its end.
  if (account.ended && mark.time >= *account.ended) account.ended.reset();
  auto& silences = account.silences[static_cast<std::size_t>(mark.kind)];
  const bool silent = !silences.empty() && !silences.back().to;
  if (mark.what == FeedMark::What::subscribed) {
    if (silent) silences.back().to = std::max(mark.time, silences.back().from);
    return begin_rows(account, mark.time);
  }
  if (silent && !silences.back().cut) silences.back().to = std::max(mark.time, silences.back().from);
  if (!silent || !silences.back().cut) silences.push_back({mark.time, std::nullopt, true});
  if (mark.what == FeedMark::What::refused) begin_rows(account, mark.time);
  touch(account, mark.time);
}

// What was written of the time since then may have claimed too much.
void ContextLedger::touch(Account& account, Timestamp from) const {
  for (auto& [time, bar] : account.bars) {
    const bool claims = bar.written && bar.written->status == BarStatus::live;
    bar.changed = bar.changed || (claims && time + interval_ > from);
  }
}

void ContextLedger::count(Account& account, const Liquidation& order) {
  if (!account.next) return;
  const Timestamp at = bar_start(order.time, interval_);
  const auto known = account.bars.find(at);
  Bar* bar = known != account.bars.end() ? &known->second : nullptr;
  if (bar == nullptr && at >= *account.next) bar = bar_at(account, order.time);
  if (bar != nullptr) {
    bar->changed = true;
    bar->incomplete = !add_to(bar->sums, order) || bar->incomplete;
    return;
  }
  ++counters_.late;
  account.bars[*account.next].incomplete = true;
}

BarStatus ContextLedger::status_of(const Account& account, Timestamp time, const Bar& bar, bool partial) const {
  if (bar.incomplete) return BarStatus::gap;
  for (const DataKind kind : context_kinds) {
    if (!account.wanted.kinds.has(kind)) continue;
    for (const Silence& silence : account.silences[static_cast<std::size_t>(kind)]) {
      if (silence.from >= time + interval_ || (silence.to && *silence.to <= time)) continue;
      if (silence.cut) return BarStatus::gap;
      partial = true;
    }
  }
  return partial ? BarStatus::partial : BarStatus::live;
}

void ContextLedger::write(Account& account, Timestamp time, Bar& bar, bool partial, std::vector<ContextRow>& out) {
  const Instrument& of = *account.instrument;
  Values& now = account.carried;
  if (bar.newest.book) merge(now.book, *bar.newest.book);
  if (bar.newest.mark) merge(now.mark, *bar.newest.mark);
  if (bar.newest.funding) merge(now.funding, *bar.newest.funding);
  if (bar.newest.open_interest) merge(now.open_interest, *bar.newest.open_interest);
  ContextRow row;
  row.time = time;
  row.exchange = of.exchange;
  row.market = of.market;
  row.symbol = of.symbol;
  row.rev = bar.written ? bar.written->rev + 1 : 0;
  row.status = status_of(account, time, bar, partial);
  const DataKinds kinds = account.wanted.kinds;
  const Timestamp end = time + interval_;
  if (kinds.has(DataKind::book) && now.book) context::put(row, *now.book, end);
  if (kinds.has(DataKind::mark) && now.mark) context::put(row, *now.mark, end);
  if (kinds.has(DataKind::funding) && now.funding) context::put(row, *now.funding);
  if (kinds.has(DataKind::open_interest) && now.open_interest) {
    context::put(row, *now.open_interest, now.mark ? now.mark->mark : std::nullopt, end);
  }
  // A feed that told nothing of all of the bar knows of no order, and of none that there was none.
  const auto& silences = account.silences[static_cast<std::size_t>(DataKind::liquidation)];
  const bool unheard =
      std::ranges::any_of(silences, [&](const Silence& s) { return s.from <= time && (!s.to || *s.to >= end); });
  if (kinds.has(DataKind::liquidation) && (!unheard || bar.sums.buys + bar.sums.sells > 0)) {
    row.liquidations = bar.sums;
    row.told = account.wanted.told;
  }
  if (row.rev > 0) ++counters_.revisions;
  bar.changed = false;
  bar.written = row;
  out.push_back(std::move(row));
}

// Bars that were written and are not as they were: their orders and what they claim, not what stood at their end.
void ContextLedger::revise(Account& account, std::vector<ContextRow>& out) {
  for (auto& [time, bar] : account.bars) {
    if (!bar.changed || !bar.written || (account.next && time >= *account.next)) continue;
    ContextRow row = *bar.written;
    bar.changed = false;
    ++row.rev;
    if (row.status == BarStatus::live || bar.incomplete) row.status = status_of(account, time, bar, false);
    if (bar.sums.buys + bar.sums.sells > 0) {
      row.liquidations = bar.sums;
      row.told = account.wanted.told;
    }
    ++counters_.revisions;
    bar.written = row;
    out.push_back(std::move(row));
  }
}

void ContextLedger::drop_old(Account& account) const {
  if (account.bars.empty()) return;
  const Timestamp newest = account.next.value_or(account.bars.rbegin()->first);
  const Timestamp oldest = newest - Duration{static_cast<std::int64_t>(kept()) * interval_.us};
  // The newest row stays, whatever its age: it is what a later run of the instrument goes on with.
  while (account.bars.size() > 1 && account.bars.begin()->first < oldest) account.bars.erase(account.bars.begin());
  for (auto& silences : account.silences) {
    while (!silences.empty() && silences.front().to && *silences.front().to < oldest) silences.pop_front();
  }
}

void ContextLedger::close(Timestamp upto, std::vector<ContextRow>& out) {
  const std::size_t before = out.size();
  for (auto& [number, account] : accounts_) {
    revise(account, out);
    while (account.next && *account.next + interval_ <= upto) {
      if (account.ended && *account.next > *account.ended) {
        account.next.reset();
        break;
      }
      write(account, *account.next, account.bars[*account.next], false, out);
      account.next = *account.next + interval_;
      drop_old(account);
    }
  }
  std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                   [](const ContextRow& a, const ContextRow& b) { return a.time < b.time; });
}

void ContextLedger::finish(Timestamp now, std::vector<ContextRow>& out) {
  close(now, out);
  for (auto& [number, account] : accounts_) {
    if (!account.next || *account.next > now || (account.ended && *account.next > *account.ended)) continue;
    write(account, *account.next, account.bars[*account.next], true, out);
    account.next = *account.next + interval_;
  }
}

std::optional<ContextRow> ContextLedger::forget(std::uint32_t instrument) {
  const auto found = accounts_.find(instrument);
  if (found == accounts_.end()) return std::nullopt;
  std::optional<ContextRow> newest;
  for (auto& [time, bar] : found->second.bars) {
    if (bar.written) newest = std::move(bar.written);
  }
  accounts_.erase(found);
  return newest;
}

}  // namespace cvdd
