// The ledger's other half: which rows are due, and what they say.
#include <algorithm>
#include <utility>

#include "bar_row.hpp"
#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

namespace {
// Those from `begin` on. Nearly always they are in order already, and moving rows about takes a quarter of closing
// them.
void by_time(std::vector<Row>& rows, std::size_t begin) {
  const auto earlier = [](const Row& a, const Row& b) { return a.time < b.time; };
  const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
  if (!std::is_sorted(from, rows.end(), earlier)) std::stable_sort(from, rows.end(), earlier);
}
}  // namespace

void Ledger::open_bars(Timestamp now, std::vector<OpenBar>& out) const {
  for (const std::uint32_t id : order_) {
    const Account& account = accounts_[id];
    if (account.state != State::active || account.bars.empty() || account.held) continue;
    OpenBar open;
    open.instrument = account.instrument;
    open.time = account.bars.newest();
    open.last_trade = account.traded;
    open.cvd_base = account.bars.before().base;
    open.cvd_quote = account.bars.before().quote;
    std::optional<Decimal> last = account.bars.before().price;
    for (const Bar& bar : account.bars.all()) {
      if (bar.absent) continue;  // what is not told of is in no CVD
      open.delta_base = bar.delta_base();
      open.delta_quote = bar.delta_quote();
      open.cvd_base = add(open.cvd_base, open.delta_base).value_or(open.cvd_base);
      open.cvd_quote = add(open.cvd_quote, open.delta_quote).value_or(open.cvd_quote);
      if (&bar != &account.bars.back() && bar.close) last = bar.close;
    }
    const Bar& bar = account.bars.back();
    open.buys = bar.buys;
    open.sells = bar.sells;
    open.buy_base = bar.buy_base;
    open.sell_base = bar.sell_base;
    open.buy_quote = bar.buy_quote;
    open.sell_quote = bar.sell_quote;
    open.open = bar.open ? bar.open : last;
    open.high = bar.open ? bar.high : last;
    open.low = bar.open ? bar.low : last;
    open.close = bar.open ? bar.close : last;
    const Timestamp clock = options_.event_time ? clocks_[account.clock].newest : now;
    const Timestamp current = bar_start(clock, options_.interval);
    if (open.time < current) {  // nothing was traded in it yet
      open.time = current;
      open.buys = open.sells = 0;
      open.buy_base = open.sell_base = open.buy_quote = open.sell_quote = Decimal{};
      open.delta_base = open.delta_quote = Decimal{};
      open.open = open.high = open.low = open.close;
    }
    out.push_back(open);
  }
}

std::size_t Ledger::gaps() const {
  return static_cast<std::size_t>(std::count_if(order_.begin(), order_.end(), [&](std::uint32_t id) {
    const Account& account = accounts_[id];
    if (account.state != State::active) return false;
    const auto written =
        std::find_if(account.bars.all().rbegin(), account.bars.all().rend(), [](const Bar& b) { return b.written(); });
    return written != account.bars.all().rend() && written->written_status == BarStatus::gap;
  }));
}

void Ledger::restore(std::uint32_t instrument, const Row& newest, std::optional<std::uint64_t> last_id) {
  restore(instrument, std::span(&newest, 1), last_id);
}

// What the rows say becomes the bars in memory; the rest of the newest, and everything since, is a loss that the next
// trade's id measures.
void Ledger::restore(std::uint32_t instrument, std::span<const Row> rows, std::optional<std::uint64_t> last_id) {
  Account& account = accounts_.at(instrument);
  const Row &oldest = rows.front(), &newest = rows.back();
  account.bars.restore(rows, account.instrument->ids);
  account.last_id = last_id;
  account.restored = true;
  account.watched = newest.time + options_.interval;
  const auto traded = std::find_if(rows.rbegin(), rows.rend(), [](const Row& row) { return !row.last_id.empty(); });
  account.last_trade = traded == rows.rend() ? oldest.time : traded->time;
  account.ids_since = last_id ? account.last_trade : Timestamp{};
  const Timestamp from = newest.status == BarStatus::partial ? newest.time : newest.time + options_.interval;
  account.loss = Loss{from, from, from, true};
  account.loss->absence = true;
  if (options_.event_time) account.state = State::active;
  std::vector<RebuildPlan> plans;
  if (rows.size() > 1 && account.instrument->ids == Ids::sequence) plans = plan_rebuilds(rows, options_.interval);
  for (const RebuildPlan& plan : plans) {
    if (plan.open) account.loss->from = std::min(account.loss->from, plan.open_from);
  }
  account.rebuilder.restore(account.bars, plans, account.watched, newest.status != BarStatus::partial);
}

// All that is known of a bar, gathered from where it is kept.
Evidence Ledger::evidence_of(const Account& account, Timestamp time, const Bar& bar) const {
  Evidence e;
  e.proven = bar.proven;
  e.missing = bar.missing;
  e.contradicted = bar.lost || bar.contradicted;
  e.cut = bar.partial_begin || bar.partial_end;
  e.candles = bar.history;
  e.recovered = bar.recovered || (bar.written() && bar.written_status == BarStatus::gap);
  e.final = !options_.watched || bar.settled || bar.restored ||
            (account.instrument->ids == Ids::sequence && time + options_.interval <= account.by_ids);
  const bool reached =
      account.state != State::active || time + options_.interval <= std::max(account.watched, account.by_ids);
  e.covered = reached || !options_.watched || bar.history || bar.partial_end;
  if (account.loss && time >= std::max(account.loss->from, account.loss->visible_from) &&
      (account.loss->open ? account.state == State::active : time <= account.loss->to)) {
    e.contradicted = true;
  }
  for (const Hole& h : account.holes) {
    if (h.at == time) {
      e.missing += h.left;
    } else if (h.touches(time)) {
      e.contradicted = true;
    }
  }
  return e;
}

void Ledger::close_account(Account& account, Timestamp upto, std::vector<Row>& rows) {
  if (account.bars.empty() || account.state == State::idle) return;
  const Timestamp last_due = bar_start(upto, options_.interval) - options_.interval;
  if (account.state == State::active && last_due > account.bars.newest()) (void)account.bars.extend(last_due);
  if (account.held) {
    if (account.bars.size() <= bars_kept_max()) return;
    release(account, {});
    errors_.push_back(account.instrument->exchange + " " + std::string(name_of(account.instrument->market)) + " " +
                      account.instrument->symbol + ": its history did not come in time, its rows begin without it");
  }
  Totals totals = account.bars.before();
  bool moved = false;  // an earlier bar's delta changed, so every later CVD does
  Timestamp time = account.bars.oldest();
  for (Bar& bar : account.bars.all()) {
    if (time > last_due) break;
    if (!totals.count(bar)) return stop(account, time);
    if (!bar.absent) {
      const Evidence evidence = evidence_of(account, time, bar);
      const auto missing = missing_of(evidence);
      const bool told = bar.written() && !bar.changed && !moved && missing == bar.written_missing &&
                        status_of(evidence) == bar.written_status;
      if (!told) {
        Row row = row_of(*account.instrument, time, bar, evidence);
        moved = moved || bar.delta_changed;
        if (!row.open) row.open = row.high = row.low = row.close = totals.price;
        row.cvd_base = totals.base;
        row.cvd_quote = totals.quote;
        ++counters_.rows;
        if (bar.written()) ++counters_.revisions;
        bar.written_status = row.status;
        bar.written_missing = missing;
        bar.recovered = evidence.recovered && row.status != BarStatus::gap;
        bar.changed = bar.delta_changed = false;
        ++bar.revs;
        rows.push_back(std::move(row));
      }
    }
    time = time + options_.interval;
  }
  retire(account);
}

// Whether nothing more is to be said of a bar: the exchange's figures agree, or its ids go on behind it.
bool Ledger::settled(const Account& account, Timestamp time, const Bar& bar) const {
  if (bar.proven || bar.absent || bar.history || !options_.watched) return true;
  if (bar.written_status == BarStatus::gap || bar.restored) return false;
  return account.instrument->ids == Ids::sequence && time + options_.interval <= account.last_trade;
}

// Forgets written bars beyond the few that late trades may still reach, and those whose state is settled.
void Ledger::retire(Account& account) {
  while (account.bars.size() > bars_kept()) {
    const Bar& bar = account.bars.front();
    if (!bar.written() && !bar.absent) break;
    const bool room = account.bars.size() <= bars_kept_max();
    const bool keep_for_loss = account.loss && account.bars.oldest() >= account.loss->from;
    const bool keep_for_hole =
        options_.repairs && std::any_of(account.holes.begin(), account.holes.end(),
                                        [&](const Hole& h) { return h.cut_from <= account.bars.oldest(); });
    const bool keep_for_rebuild = account.rebuilder.keeps(account.bars.oldest());
    const bool keep_for_proof = options_.repairs && !settled(account, account.bars.oldest(), bar);
    if (room &&
        (keep_for_rebuild || keep_for_loss || keep_for_hole || keep_for_proof || (bar.absent && account.loss))) {
      break;
    }
    std::erase_if(account.holes, [&](const Hole& h) { return h.at == account.bars.oldest(); });
    account.bars.drop_front();
  }
}

void Ledger::close(Timestamp upto, std::vector<Row>& rows) {
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) close_account(accounts_[id], upto, rows);
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
    const EventClock& clock = clocks_[accounts_[id].clock];
    if (clock.newest.us > 0) close_account(accounts_[id], clock.newest - delay, rows);
  }
  for (EventClock& clock : clocks_) {
    if (clock.newest.us > 0) clock.closed = bar_start(clock.newest - delay, options_.interval);
  }
  by_time(rows, begin);
}

void Ledger::finish(Timestamp whole_until, Timestamp now, std::vector<Row>& rows) {
  const Timestamp first_cut = bar_start(whole_until, options_.interval);
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) {
    Account& account = accounts_[id];
    if (account.held) continue;  // the next run begins where this one did
    Timestamp end = bar_start(now, options_.interval);
    if (account.state == State::active && !account.bars.empty()) {
      end = std::max(end, account.bars.newest());
      if (account.bars.extend(end)) {
        account.bars.each(first_cut, end + options_.interval, [](Timestamp, Bar& bar) {
          if (!bar.partial_end) bar.partial_end = bar.changed = true;
        });
      }
    }
    close_account(account, end + options_.interval, rows);
    if (account.state == State::active) account.state = State::ended;
  }
  by_time(rows, begin);
}

}  // namespace cvdd
