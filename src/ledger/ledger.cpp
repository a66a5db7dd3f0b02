#include "cvdd/ledger/ledger.hpp"

#include <algorithm>
#include <cassert>

#include "cvdd/base/prefetch.hpp"

namespace cvdd {

namespace {
// Those from `begin` on. Nearly always they are in order already, and moving rows about takes a quarter of closing
// them.
template <class AnyRow>
void by_time(std::vector<AnyRow>& rows, std::size_t begin) {
  const auto earlier = [](const AnyRow& a, const AnyRow& b) { return a.time < b.time; };
  const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
  if (!std::is_sorted(from, rows.end(), earlier)) std::stable_sort(from, rows.end(), earlier);
}
}  // namespace

void Ledger::add_instrument(const Instrument& instrument) {
  if (instrument.id >= accounts_.size()) accounts_.resize(instrument.id + 1);
  assert(!accounts_[instrument.id].known());
  order_.push_back(instrument.id);
  const auto clock = std::find_if(clocks_.begin(), clocks_.end(), [&](const EventClock& c) {
    return c.exchange == instrument.exchange && c.market == instrument.market;
  });
  accounts_[instrument.id] = Account(options_, &instrument, static_cast<std::size_t>(clock - clocks_.begin()));
  if (clock == clocks_.end()) clocks_.push_back({instrument.exchange, instrument.market, {}, {}});
}

bool Ledger::knows(std::uint32_t instrument) const {
  return instrument < accounts_.size() && accounts_[instrument].known();
}

void Ledger::restore(std::uint32_t instrument, const Row& newest, std::optional<std::uint64_t> last_id) {
  restore(instrument, std::span(&newest, 1), last_id);
}

void Ledger::restore(std::uint32_t instrument, std::span<const Row> rows, std::optional<std::uint64_t> last_id) {
  accounts_.at(instrument).restore(rows, last_id);
}

void Ledger::hold(std::uint32_t instrument) { accounts_.at(instrument).hold(); }

void Ledger::give_candles(std::uint32_t instrument, std::vector<Candle> candles) {
  if (knows(instrument)) accounts_[instrument].give(std::move(candles));
}

void Ledger::count_flow(std::uint32_t instrument, std::shared_ptr<const SizeBuckets> buckets,
                        std::span<const FlowRow> known) {
  accounts_.at(instrument).count_flow(std::move(buckets), known);
}

std::vector<FlowRow> Ledger::take_flow_rows() {
  std::vector<FlowRow> rows = std::exchange(out_.flow, {});
  by_time(rows, 0);
  return rows;
}

void Ledger::expect(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (record.instrument() < accounts_.size()) prefetch(accounts_[record.instrument()]);
  }
}

void Ledger::expect_now(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (!knows(record.instrument())) continue;
    const BarSeries& bars = accounts_[record.instrument()].bars();
    if (!bars.empty()) prefetch(bars.back());
  }
}

// ------------------------------------------------------------------ records

void Ledger::apply(const Record& record) {
  if (!knows(record.instrument())) return;
  Account& account = accounts_[record.instrument()];
  if (account.stopped()) return;
  switch (record.kind()) {
    case RecordKind::trade:
    case RecordKind::other:
    case RecordKind::placeholder:
      return trade(account, record);
    case RecordKind::name:
      return account.name(record.name());
    case RecordKind::subscribed:
      return account.subscribed(record.time());
    case RecordKind::lost:
      return account.lost(record);
    case RecordKind::hole:
      return account.hole(record);
    case RecordKind::unsubscribed:
      return account.unsubscribed(record.time());
    case RecordKind::verdict:
      return account.verdict(record);
    case RecordKind::watched:
      return account.watched(record);
    case RecordKind::contradicted:
      return account.contradicted(record);
    case RecordKind::proven:
      return account.proven(record);
    case RecordKind::remake:
      return account.remake(record);
    case RecordKind::again:
    case RecordKind::again_other:
      return account.again(record, out_);
    case RecordKind::candles:
      return account.candles(record, out_);
  }
}

void Ledger::trade(Account& account, const Record& record) {
  if (!account.trade(record, out_)) return;
  newest_trade_ = std::max(newest_trade_.value_or(record.time()), record.time());
  EventClock& clock = clocks_[account.clock()];
  clock.newest = std::max(clock.newest, record.time());
}

// ------------------------------------------------------------------ rows

void Ledger::close(Timestamp upto, std::vector<Row>& rows) {
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) accounts_[id].close(upto, out_, rows);
  by_time(rows, begin);
}

bool Ledger::event_due(Duration delay) const {
  return std::any_of(clocks_.begin(), clocks_.end(), [&](const EventClock& c) {
    return c.newest.us > 0 && bar_start(c.newest - delay, options_.interval) != c.closed;
  });
}

void Ledger::close_by_event(Duration delay, std::vector<Row>& rows) {
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) {
    const EventClock& clock = clocks_[accounts_[id].clock()];
    if (clock.newest.us > 0) accounts_[id].close(clock.newest - delay, out_, rows);
  }
  for (EventClock& clock : clocks_) {
    if (clock.newest.us > 0) clock.closed = bar_start(clock.newest - delay, options_.interval);
  }
  by_time(rows, begin);
}

void Ledger::finish(Timestamp whole_until, Timestamp now, std::vector<Row>& rows) {
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) accounts_[id].finish(whole_until, now, out_, rows);
  by_time(rows, begin);
}

void Ledger::open_bars(Timestamp now, std::vector<OpenBar>& out) const {
  for (const std::uint32_t id : order_) {
    const Account& account = accounts_[id];
    const auto open = account.open_bar(options_.event_time ? clocks_[account.clock()].newest : now);
    if (open) out.push_back(*open);
  }
}

std::size_t Ledger::gaps() const {
  return static_cast<std::size_t>(
      std::count_if(order_.begin(), order_.end(), [&](std::uint32_t id) { return accounts_[id].gap(); }));
}

}  // namespace cvdd
