// The ledger's other half: which rows are due, and what they say.
#include <algorithm>
#include <utility>

#include "cvdd/core/ledger.hpp"

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
Bar bar_of(const Row& row, Ids ids) {
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
  const bool first_ever = row.cvd_base == row.delta_base && row.cvd_quote == row.delta_quote;
  bar.partial_begin = row.status == BarStatus::partial && first_ever;
  bar.partial_end = row.status == BarStatus::partial && !first_ever;
  return bar;
}
}  // namespace

void Ledger::open_bars(Timestamp now, std::vector<OpenBar>& out) const {
  for (const std::uint32_t id : order_) {
    const Book& book = books_[id];
    if (book.state != State::active || book.bars.empty() || book.held) continue;
    OpenBar open;
    open.instrument = book.instrument;
    open.time = newest_bar(book);
    open.last_trade = book.traded;
    open.cvd_base = book.cvd_base;
    open.cvd_quote = book.cvd_quote;
    std::optional<Decimal> last = book.close;
    for (const Bar& bar : book.bars) {
      if (bar.absent) continue;  // what is not told of is in no CVD
      open.delta_base = difference(bar.buy_base, bar.sell_base);
      open.delta_quote = difference(bar.buy_quote, bar.sell_quote);
      open.cvd_base = add(open.cvd_base, open.delta_base).value_or(open.cvd_base);
      open.cvd_quote = add(open.cvd_quote, open.delta_quote).value_or(open.cvd_quote);
      if (&bar != &book.bars.back() && bar.close) last = bar.close;
    }
    const Bar& bar = book.bars.back();
    open.buys = bar.buys;
    open.sells = bar.sells;
    open.open = bar.open ? bar.open : last;
    open.high = bar.open ? bar.high : last;
    open.low = bar.open ? bar.low : last;
    open.close = bar.open ? bar.close : last;
    const Timestamp clock = options_.event_time ? clocks_[book.clock].newest : now;
    const Timestamp current = bar_start(clock, options_.interval);
    if (open.time < current) {  // nothing was traded in it yet
      open.time = current;
      open.buys = open.sells = 0;
      open.delta_base = open.delta_quote = Decimal{};
      open.open = open.high = open.low = open.close;
    }
    out.push_back(open);
  }
}

std::size_t Ledger::gaps() const {
  return static_cast<std::size_t>(std::count_if(order_.begin(), order_.end(), [&](std::uint32_t id) {
    const Book& book = books_[id];
    if (book.state != State::active) return false;
    const auto written = std::find_if(book.bars.rbegin(), book.bars.rend(), [](const Bar& b) { return b.written(); });
    return written != book.bars.rend() && written->written_status == BarStatus::gap;
  }));
}

void Ledger::restore(std::uint32_t instrument, const Row& newest, std::optional<std::uint64_t> last_id) {
  restore(instrument, std::span(&newest, 1), last_id);
}

// What the rows say becomes the bars in memory; the rest of the newest, and everything since, is a loss that the next
// trade's id measures.
void Ledger::restore(std::uint32_t instrument, std::span<const Row> rows, std::optional<std::uint64_t> last_id) {
  Book& book = books_.at(instrument);
  const Row &oldest = rows.front(), &newest = rows.back();
  book.cvd_base = difference(oldest.cvd_base, oldest.delta_base);
  book.cvd_quote = difference(oldest.cvd_quote, oldest.delta_quote);
  book.close = oldest.buys + oldest.sells > 0 ? oldest.open : oldest.close;
  book.last_id = last_id;
  book.front = book.first_bar = oldest.time;
  book.watched = book.restored_end = newest.time + options_.interval;
  book.killed = newest.status != BarStatus::partial;
  const auto traded = std::find_if(rows.rbegin(), rows.rend(), [](const Row& row) { return !row.last_id.empty(); });
  book.last_trade = traded == rows.rend() ? oldest.time : traded->time;
  book.bars.clear();
  for (const Row& row : rows) {
    const auto slot = static_cast<std::size_t>((row.time - book.front).us / options_.interval.us);
    while (book.bars.size() < slot) {
      book.bars.emplace_back();
      book.bars.back().absent = true;  // nobody ran
    }
    book.bars.push_back(bar_of(row, book.instrument->ids));
  }
  const Timestamp from = newest.status == BarStatus::partial ? newest.time : newest.time + options_.interval;
  book.loss = Loss{from, from, from, true};
  book.loss->absence = true;
  if (options_.event_time) book.state = State::active;
  if (rows.size() < 2 || book.instrument->ids == Ids::opaque) return;
  for (const RebuildPlan& plan : plan_rebuilds(rows, options_.interval)) {
    if (plan.open) {
      book.loss->from = std::min(book.loss->from, plan.open_from);
      for (Timestamp t = plan.open_from; t <= plan.to; t = t + options_.interval) {
        if (Bar* bar = bar_at(book, t); bar != nullptr && bar->written()) bar->inherited = bar->lost = true;
      }
    }
    Rebuild rebuild{plan, plan.last + 1 - plan.first, {}};
    if (rebuild.left > 0) {
      book.rebuilds.push_back(std::move(rebuild));
    } else if (!plan.open) {
      finish_rebuild(book, rebuild);  // nothing was traded between the whole bars
    }
  }
}

// All that is known of a bar, gathered from where it is kept.
Evidence Ledger::evidence_of(const Book& book, Timestamp time, const Bar& bar) const {
  Evidence e;
  e.proven = bar.proven;
  e.missing = bar.missing;
  e.contradicted = bar.lost || bar.contradicted;
  e.cut = bar.partial_begin || bar.partial_end;
  e.candles = bar.history;
  e.recovered = bar.recovered || (bar.written() && bar.written_status == BarStatus::gap);
  e.final = !options_.watched || bar.settled || bar.restored ||
            (book.instrument->ids == Ids::sequence && time + options_.interval <= book.by_ids);
  const bool reached = book.state != State::active || time + options_.interval <= std::max(book.watched, book.by_ids);
  e.covered = reached || !options_.watched || bar.history || bar.partial_end;
  if (book.loss && time >= std::max(book.loss->from, book.loss->visible_from) &&
      (book.loss->open ? book.state == State::active : time <= book.loss->to)) {
    e.contradicted = true;
  }
  for (const Hole& h : book.holes) {
    if (h.at == time) {
      e.missing += h.left;
    } else if (h.touches(time)) {
      e.contradicted = true;
    }
  }
  return e;
}

Row Ledger::row_of(const Book& book, Timestamp time, const Bar& bar) const {
  Row row;
  row.time = time;
  row.exchange = book.instrument->exchange;
  row.market = book.instrument->market;
  row.symbol = book.instrument->symbol;
  row.rev = bar.revs;
  const Evidence evidence = evidence_of(book, time, bar);
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

void Ledger::close_book(Book& book, Timestamp upto, std::vector<Row>& rows) {
  if (book.bars.empty() || book.state == State::idle) return;
  const Timestamp last_due = bar_start(upto, options_.interval) - options_.interval;
  if (book.state == State::active && last_due > newest_bar(book)) (void)extend(book, last_due);
  if (book.held) {
    if (book.bars.size() <= bars_kept_max()) return;
    release(book, {});
    errors_.push_back(book.instrument->exchange + " " + std::string(name_of(book.instrument->market)) + " " +
                      book.instrument->symbol + ": its history did not come in time, its rows begin without it");
  }
  Decimal cvd_base = book.cvd_base, cvd_quote = book.cvd_quote;
  std::optional<Decimal> last_price = book.close;
  bool moved = false;  // an earlier bar's delta changed, so every later CVD does
  Timestamp time = book.front;
  for (Bar& bar : book.bars) {
    if (time > last_due) break;
    // What is not told of is in no CVD either.
    static const Bar none;
    const Bar& counted = bar.absent ? none : bar;
    const auto base = add(cvd_base, difference(counted.buy_base, counted.sell_base));
    const auto quote = add(cvd_quote, difference(counted.buy_quote, counted.sell_quote));
    if (!base || !quote) return stop(book, time);
    cvd_base = *base;
    cvd_quote = *quote;
    if (counted.close) last_price = counted.close;
    if (!bar.absent) {
      const Evidence evidence = evidence_of(book, time, bar);
      const auto missing = missing_of(evidence);
      const bool told = bar.written() && !bar.changed && !moved && missing == bar.written_missing &&
                        status_of(evidence) == bar.written_status;
      if (!told) {
        Row row = row_of(book, time, bar);
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
        rows.push_back(std::move(row));
      }
    }
    time = time + options_.interval;
  }
  retire(book);
}

// Whether nothing more is to be said of a bar: the exchange's figures agree, or its ids go on behind it.
bool Ledger::settled(const Book& book, Timestamp time, const Bar& bar) const {
  if (bar.proven || bar.absent || bar.history || !options_.watched) return true;
  if (bar.written_status == BarStatus::gap || bar.restored) return false;
  return book.instrument->ids == Ids::sequence && time + options_.interval <= book.last_trade;
}

// Forgets written bars beyond the few that late trades may still reach, and those whose state is settled.
void Ledger::retire(Book& book) {
  while (book.bars.size() > bars_kept()) {
    const Bar& bar = book.bars.front();
    if (!bar.written() && !bar.absent) break;
    const bool room = book.bars.size() <= bars_kept_max();
    const bool keep_for_loss = book.loss && book.front >= book.loss->from;
    const bool keep_for_hole = options_.repairs && std::any_of(book.holes.begin(), book.holes.end(),
                                                               [&](const Hole& h) { return h.cut_from <= book.front; });
    const bool keep_for_rebuild = std::any_of(book.rebuilds.begin(), book.rebuilds.end(),
                                              [&](const Rebuild& r) { return !r.dead && book.front >= r.plan.from; });
    const bool keep_for_proof = options_.repairs && !settled(book, book.front, bar);
    if (room && (keep_for_rebuild || keep_for_loss || keep_for_hole || keep_for_proof || (bar.absent && book.loss))) {
      break;
    }
    if (!bar.absent) {
      book.cvd_base = add(book.cvd_base, difference(bar.buy_base, bar.sell_base)).value_or(book.cvd_base);
      book.cvd_quote = add(book.cvd_quote, difference(bar.buy_quote, bar.sell_quote)).value_or(book.cvd_quote);
      if (bar.close) book.close = bar.close;
    }
    std::erase_if(book.holes, [&](const Hole& h) { return h.at == book.front; });
    book.bars.pop_front();
    book.front = book.front + options_.interval;
  }
}

void Ledger::close(Timestamp upto, std::vector<Row>& rows) {
  const std::size_t begin = rows.size();
  for (const std::uint32_t id : order_) close_book(books_[id], upto, rows);
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
    const EventClock& clock = clocks_[books_[id].clock];
    if (clock.newest.us > 0) close_book(books_[id], clock.newest - delay, rows);
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
    Book& book = books_[id];
    if (book.held) continue;  // the next run begins where this one did
    Timestamp end = bar_start(now, options_.interval);
    if (book.state == State::active && !book.bars.empty()) {
      end = std::max(end, newest_bar(book));
      if (extend(book, end)) {
        for (Timestamp t = first_cut; t <= end; t = t + options_.interval) {
          Bar* bar = bar_at(book, t);
          if (bar != nullptr && !bar->partial_end) bar->partial_end = bar->changed = true;
        }
      }
      book.end_bar = end;
    }
    close_book(book, end + options_.interval, rows);
    if (book.state == State::active) book.state = State::ended;
  }
  by_time(rows, begin);
}

}  // namespace cvdd
