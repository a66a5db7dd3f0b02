// The ledger's other half: which rows are due, and what they say.
#include <algorithm>
#include <utility>

#include "cvdd/ledger/ledger.hpp"

namespace cvdd {

namespace {
Decimal difference(const Decimal& a, const Decimal& b) { return subtract(a, b).value_or(Decimal{}); }

// Those from `begin` on. Nearly always they are in order already, and moving rows about takes a quarter of closing
// them.
void by_time(std::vector<Row>& rows, std::size_t begin) {
  const auto earlier = [](const Row& a, const Row& b) { return a.time < b.time; };
  const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
  if (!std::is_sorted(from, rows.end(), earlier)) std::stable_sort(from, rows.end(), earlier);
}
}  // namespace

namespace {
// What a row says, as a bar.
Bar bar_of(const Row& row, Ids ids, bool first_ever) {
  Bar bar;
  bar.buys = row.buys;
  bar.sells = row.sells;
  bar.buy_base = row.buy_base;
  bar.sell_base = row.sell_base;
  bar.buy_quote = row.buy_quote;
  bar.sell_quote = row.sell_quote;
  bar.other_base = row.other_base;
  bar.other_quote = row.other_quote;
  if (row.buys + row.sells > 0 || (row.status == BarStatus::history && !row.buy_base.is_zero()) ||
      (row.status == BarStatus::history && !row.sell_base.is_zero())) {
    bar.open = row.open;
    bar.high = row.high;
    bar.low = row.low;
    bar.close = row.close;
    bar.open_time = bar.close_time = row.time;
  }
  if (!row.last_id.empty()) {
    bar.first_time = bar.last_time = row.time;
    if (ids == Ids::sequence) {
      bar.first_id = sequence_id(row.first_id).value_or(0);
      bar.last_id = sequence_id(row.last_id).value_or(0);
    } else {
      bar.first_name = row.first_id;
      bar.last_name = row.last_id;
    }
  }
  bar.restored = true;
  bar.revs = row.rev + 1;
  bar.written_status = row.status;
  bar.written_missing = row.missing;
  bar.missing = row.missing.value_or(0);
  bar.lost = !row.missing.has_value();
  bar.recovered = row.status == BarStatus::repaired;
  bar.history = row.status == BarStatus::history;
  bar.partial_begin = row.status == BarStatus::partial && first_ever;
  bar.partial_end = row.status == BarStatus::partial && !first_ever;
  return bar;
}
}  // namespace

void Ledger::open_bars(Timestamp now, std::vector<OpenBar>& out) const {
  for (const std::uint32_t id : order_) {
    const Account& account = accounts_[id];
    if (account.state != State::active || account.bars.empty() || account.held) continue;
    OpenBar open;
    open.instrument = account.instrument;
    open.time = newest_bar(account);
    open.last_trade = account.traded;
    open.cvd_base = account.cvd_base;
    open.cvd_quote = account.cvd_quote;
    std::optional<Decimal> last = account.close;
    for (const Bar& bar : account.bars) {
      if (bar.absent) continue;  // what is not told of is in no CVD
      open.delta_base = difference(bar.buy_base, bar.sell_base);
      open.delta_quote = difference(bar.buy_quote, bar.sell_quote);
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
        std::find_if(account.bars.rbegin(), account.bars.rend(), [](const Bar& b) { return b.written(); });
    return written != account.bars.rend() && written->written_status == BarStatus::gap;
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
  account.cvd_base = difference(oldest.cvd_base, oldest.delta_base);
  account.cvd_quote = difference(oldest.cvd_quote, oldest.delta_quote);
  account.close = oldest.buys + oldest.sells > 0 ? oldest.open : oldest.close;
  account.last_id = last_id;
  account.front = account.first_bar = oldest.time;
  account.watched = account.restored_end = newest.time + options_.interval;
  account.killed = newest.status != BarStatus::partial;
  const auto traded = std::find_if(rows.rbegin(), rows.rend(), [](const Row& row) { return !row.last_id.empty(); });
  account.last_trade = traded == rows.rend() ? oldest.time : traded->time;
  account.ids_since = account.ids_from = last_id ? account.last_trade : Timestamp{};
  account.bars.clear();
  for (const Row& row : rows) {
    const auto slot = static_cast<std::size_t>((row.time - account.front).us / options_.interval.us);
    while (account.bars.size() < slot) {
      account.bars.emplace_back();
      account.bars.back().absent = true;  // nobody ran
    }
    account.bars.push_back(bar_of(row, account.instrument->ids, is_first_ever(rows, row)));
  }
  const Timestamp from = newest.status == BarStatus::partial ? newest.time : newest.time + options_.interval;
  account.loss = Loss{from, from, from, true};
  account.loss->absence = true;
  if (options_.event_time) account.state = State::active;
  if (rows.size() < 2 || account.instrument->ids == Ids::opaque) return;
  for (const RebuildPlan& plan : plan_rebuilds(rows, options_.interval)) {
    if (plan.open) {
      account.loss->from = std::min(account.loss->from, plan.open_from);
      for (Timestamp t = plan.open_from; t <= plan.to; t = t + options_.interval) {
        if (Bar* bar = bar_at(account, t); bar != nullptr && bar->written()) bar->inherited = bar->lost = true;
      }
    }
    Rebuild rebuild{plan, plan.last + 1 - plan.first, {}};
    if (rebuild.left > 0) {
      account.rebuilds.push_back(std::move(rebuild));
    } else if (!plan.open) {
      finish_rebuild(account, rebuild);  // nothing was traded between the whole bars
    }
  }
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
  const bool passed = account.passed_by_ids(time, options_.interval);
  // In the bar of the first id that is known somebody has watched until then.
  const bool first = bar_start(account.ids_from, options_.interval) == time &&
                     account.passed_by_ids(account.ids_from, time + options_.interval - account.ids_from);
  e.final = !options_.watched || bar.settled || bar.restored || passed || first;
  const bool reached = account.state != State::active || time + options_.interval <= account.watched || passed;
  e.covered = reached || !options_.watched || bar.history || bar.partial_end;
  if (account.loss && time >= std::max(account.loss->from, account.loss->visible_from) &&
      ((account.loss->open && account.state == State::active) || time <= account.loss->to)) {
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

Row Ledger::row_of(const Account& account, Timestamp time, const Bar& bar) const {
  Row row;
  row.time = time;
  row.exchange = account.instrument->exchange;
  row.market = account.instrument->market;
  row.symbol = account.instrument->symbol;
  row.rev = bar.revs;
  const Evidence evidence = evidence_of(account, time, bar);
  row.missing = missing_of(evidence);
  row.status = status_of(evidence);
  row.open = bar.open;
  row.high = bar.high;
  row.low = bar.low;
  row.close = bar.close;
  row.buys = bar.buys;
  row.sells = bar.sells;
  row.buy_base = bar.buy_base;
  row.sell_base = bar.sell_base;
  row.buy_quote = bar.buy_quote;
  row.sell_quote = bar.sell_quote;
  row.delta_base = difference(bar.buy_base, bar.sell_base);
  row.delta_quote = difference(bar.buy_quote, bar.sell_quote);
  row.other_base = bar.other_base;
  row.other_quote = bar.other_quote;
  if (bar.has_ids()) {
    row.first_id = bar.first_name.empty() ? std::to_string(bar.first_id) : bar.first_name;
    row.last_id = bar.last_name.empty() ? std::to_string(bar.last_id) : bar.last_name;
  }
  return row;
}

void Ledger::close_account(Account& account, Timestamp upto, std::vector<Row>& rows) {
  if (account.bars.empty() || account.state == State::idle) return;
  const Timestamp last_due = bar_start(upto, options_.interval) - options_.interval;
  if (account.state == State::active && last_due > newest_bar(account)) (void)extend(account, last_due);
  if (account.held) {
    if (account.bars.size() <= bars_kept_max()) return;
    release(account, {});
    errors_.push_back(account.instrument->exchange + " " + std::string(name_of(account.instrument->market)) + " " +
                      account.instrument->symbol + ": its history did not come in time, its rows begin without it");
  }
  Decimal cvd_base = account.cvd_base, cvd_quote = account.cvd_quote;
  std::optional<Decimal> last_price = account.close;
  bool moved = false;  // an earlier bar's delta changed, so every later CVD does
  Timestamp time = account.front;
  for (Bar& bar : account.bars) {
    if (time > last_due) break;
    // What is not told of is in no CVD either.
    static const Bar none;
    const Bar& counted = bar.absent ? none : bar;
    const auto base = add(cvd_base, difference(counted.buy_base, counted.sell_base));
    const auto quote = add(cvd_quote, difference(counted.buy_quote, counted.sell_quote));
    if (!base || !quote) return stop(account, time);
    cvd_base = *base;
    cvd_quote = *quote;
    if (counted.close) last_price = counted.close;
    if (!bar.absent) {
      const Evidence evidence = evidence_of(account, time, bar);
      const auto missing = missing_of(evidence);
      const bool told = bar.written() && !bar.changed && !moved && missing == bar.written_missing &&
                        status_of(evidence) == bar.written_status;
      if (!told) {
        Row row = row_of(account, time, bar);
        moved = moved || bar.delta_changed;
        if (!row.open) row.open = row.high = row.low = row.close = last_price;
        row.cvd_base = cvd_base;
        row.cvd_quote = cvd_quote;
        ++counters_.rows;
        if (bar.written()) ++counters_.revisions;
        bar.written_status = row.status;
        bar.written_missing = missing;
        bar.recovered = evidence.recovered && row.status != BarStatus::gap;
        bar.changed = bar.delta_changed = false;
        ++bar.revs;
        if (account.flow) tell_flow(account, bar, row);
        if (account.state == State::ended) ended_.push_back(row);
        rows.push_back(std::move(row));
      }
    }
    time = time + options_.interval;
  }
  retire(account);
}

// Whether nothing more is to be said of a bar: the exchange's figures agree, or its ids go on behind it. What is
// missing of the time when nobody ran is counted by the bar behind it, and may come as long as that one waits for it.
bool Ledger::settled(const Account& account, Timestamp time, const Bar& bar) const {
  if (bar.absent) {
    const auto behind = std::ranges::find_if(account.bars, [](const Bar& b) { return !b.absent; });
    const Duration ahead{(behind - account.bars.begin()) * options_.interval.us};
    return behind == account.bars.end() || settled(account, time + ahead, *behind);
  }
  if (bar.proven || bar.history || !options_.watched) return true;
  if (bar.written_status == BarStatus::gap || bar.restored) return false;
  return account.instrument->ids == Ids::sequence && time >= account.ids_from &&
         time + options_.interval <= account.last_trade;
}

// Forgets written bars beyond the few that late trades may still reach, and those whose state is settled.
void Ledger::retire(Account& account) {
  while (account.bars.size() > bars_kept()) {
    const Bar& bar = account.bars.front();
    if (!bar.written() && !bar.absent) break;
    const bool room = account.bars.size() <= bars_kept_max();
    const bool keep_for_loss = account.loss && account.front >= account.loss->from;
    const bool keep_for_hole =
        options_.repairs && std::any_of(account.holes.begin(), account.holes.end(),
                                        [&](const Hole& h) { return h.cut_from <= account.front; });
    const bool keep_for_rebuild = std::any_of(account.rebuilds.begin(), account.rebuilds.end(), [&](const Rebuild& r) {
      return !r.dead && account.front >= r.plan.from;
    });
    const bool keep_for_proof = options_.repairs && !settled(account, account.front, bar);
    if (room &&
        (keep_for_rebuild || keep_for_loss || keep_for_hole || keep_for_proof || (bar.absent && account.loss))) {
      break;
    }
    if (!bar.absent) {
      account.cvd_base = add(account.cvd_base, difference(bar.buy_base, bar.sell_base)).value_or(account.cvd_base);
      account.cvd_quote = add(account.cvd_quote, difference(bar.buy_quote, bar.sell_quote)).value_or(account.cvd_quote);
      if (account.flow) add_flow(account.flow->before, bar);
      if (bar.close) account.close = bar.close;
    }
    std::erase_if(account.holes, [&](const Hole& h) { return h.at == account.front; });
    account.bars.pop_front();
    account.front = account.front + options_.interval;
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
    // Begun by a clock that was ahead, and nobody has said so: of a time that is still to come there is nothing to
    // tell.
    const bool begun = account.front <= now || std::ranges::any_of(account.bars, [](const Bar& b) {
                         return b.written() || b.restored || b.has_ids();
                       });
    if (!begun) continue;
    Timestamp end = bar_start(now, options_.interval);
    if (account.state == State::active && !account.bars.empty()) {
      end = std::max(end, newest_bar(account));
      if (extend(account, end)) {
        for (Timestamp t = first_cut; t <= end; t = t + options_.interval) {
          Bar* bar = bar_at(account, t);
          if (bar != nullptr && !bar->partial_end) bar->partial_end = bar->changed = true;
        }
      }
      account.end_bar = end;
    }
    close_account(account, end + options_.interval, rows);
    if (account.state == State::active) account.state = State::ended;
  }
  by_time(rows, begin);
}

}  // namespace cvdd
