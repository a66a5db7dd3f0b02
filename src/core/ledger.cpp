#include "cvdd/core/ledger.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cvdd/core/prefetch.hpp"

namespace cvdd {

namespace {
// Trades of a bar may have ids in another order than their times, by so many.
constexpr std::uint64_t ids_beside = 100;
// What was traded so shortly before the history was asked may not be in it yet.
constexpr Duration history_late = seconds(10);

// Whether the row that an earlier run wrote of the bar may have this trade in it.
bool may_have_counted(const Bar& bar, const Record& record, bool ordered) {
  if (!bar.restored || bar.written_status == BarStatus::partial || !bar.has_ids()) return false;
  if (!ordered || record.id() == 0) return true;
  return record.id() + ids_beside >= bar.first_id && record.first_id() <= bar.last_id + ids_beside;
}
}  // namespace

void Ledger::add_instrument(const Instrument& instrument) {
  if (instrument.id >= books_.size()) books_.resize(instrument.id + 1);
  Book& book = books_[instrument.id];
  assert(book.instrument == nullptr);
  book.instrument = &instrument;
  order_.push_back(instrument.id);
  const auto clock = std::find_if(clocks_.begin(), clocks_.end(), [&](const EventClock& c) {
    return c.exchange == instrument.exchange && c.market == instrument.market;
  });
  book.clock = static_cast<std::size_t>(clock - clocks_.begin());
  if (clock == clocks_.end()) clocks_.push_back({instrument.exchange, instrument.market, {}, {}});
}

bool Ledger::knows(std::uint32_t instrument) const {
  return instrument < books_.size() && books_[instrument].instrument != nullptr;
}

void Ledger::expect(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (record.instrument() < books_.size()) prefetch(books_[record.instrument()]);
  }
}

void Ledger::expect_now(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (knows(record.instrument()) && !books_[record.instrument()].bars.empty()) {
      prefetch(books_[record.instrument()].bars.back());
    }
  }
}

void Ledger::apply(const Record& record) {
  if (!knows(record.instrument())) return;
  Book& book = books_[record.instrument()];
  if (book.state == State::stopped) return;
  switch (record.kind()) {
    case RecordKind::trade:
    case RecordKind::other:
    case RecordKind::placeholder:
      return trade(book, record);
    case RecordKind::subscribed:
      return subscribed(book, record.time());
    case RecordKind::lost:
      return lost(book, record);
    case RecordKind::hole:
      return hole(book, record);
    case RecordKind::unsubscribed:
      return unsubscribed(book, record.time());
    case RecordKind::verdict:
      return verdict(book, record);
    case RecordKind::name:
      book.next_name = record.name();
      return;
    case RecordKind::watched:
      return watched(book, record);
    case RecordKind::contradicted:
      return contradicted(book, record);
    case RecordKind::proven:
      return proven(book, record);
    case RecordKind::remake:
      return remake(book, record);
    case RecordKind::again:
    case RecordKind::again_other:
      return again(book, record);
    case RecordKind::candles:
      return take_candles(book, record);
  }
}

// ------------------------------------------------------------------ marks

void Ledger::subscribed(Book& book, Timestamp time) {
  if (options_.event_time) {
    if (book.loss && book.loss->open) {
      book.loss->open = false;
      book.loss->to = std::max(book.loss->from, bar_start(book.last_trade, options_.interval));
    }
    if (book.state == State::ended) book.state = State::active;
    return;  // the first trade begins the rows
  }
  const Timestamp bar = bar_start(time, options_.interval);
  // What a loss before it cost is known as a loss.
  if (book.state != State::active || (book.loss && book.loss->open)) book.watched = std::max(book.watched, time);
  if (book.state == State::idle && book.bars.empty()) return begin(book, bar, true);
  if (book.state != State::active) continue_after_absence(book, bar);
  if (book.loss && book.loss->open) {
    book.loss->open = false;
    book.loss->to = std::max(book.loss->from, bar);
  }
}

void Ledger::begin(Book& book, Timestamp bar, bool partial) {
  book.state = State::active;
  book.front = book.first_bar = bar;
  book.bars.emplace_back();
  book.bars.back().partial_begin = partial;
}

// The files' newest bar is bars.back(). What lies between it and `bar` passed while nobody listened.
void Ledger::continue_after_absence(Book& book, Timestamp bar) {
  book.state = State::active;
  const Timestamp newest = newest_bar(book);
  if (bar <= newest) {
    if (book.loss) book.loss->visible_from = newest;
    return;
  }
  const auto between = static_cast<std::size_t>((bar - newest).us / options_.interval.us);
  if (between > bars_kept_max()) {
    for (Bar& b : book.bars) {
      if (b.absent) continue;
      const auto base = add(book.cvd_base, *subtract(b.buy_base, b.sell_base));
      const auto quote = add(book.cvd_quote, *subtract(b.buy_quote, b.sell_quote));
      if (base && quote) {
        book.cvd_base = *base;
        book.cvd_quote = *quote;
      }
      if (b.close) book.close = b.close;
    }
    book.bars.clear();
    book.bars.emplace_back();
    book.front = book.first_bar = bar;
    if (book.loss) book.loss->from = bar;
  } else {
    for (std::size_t i = 1; i < between; ++i) {
      book.bars.emplace_back();
      book.bars.back().absent = true;
    }
    book.bars.emplace_back();
  }
  if (book.loss) book.loss->visible_from = bar;
}

void Ledger::lost(Book& book, const Record& record) {
  if (book.state != State::active) return;
  const bool over = record.count() > 0;
  const Timestamp t = options_.event_time ? book.last_trade : record.time();
  const Timestamp bar = std::max(bar_start(t, options_.interval), book.first_bar);
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp last = std::max(bar_start(end, options_.interval), bar);
  const bool doubt = over && record.id() == doubt_alone;
  if (!book.loss) {
    book.loss = Loss{bar, last, bar, !over};
    book.loss->doubt = doubt;
    return;
  }
  book.loss->absence = false;
  book.loss->doubt = book.loss->doubt && doubt;
  book.loss->from = std::min(book.loss->from, bar);
  book.loss->visible_from = std::min(book.loss->visible_from, bar);
  if (!over) {
    book.loss->open = true;
  } else if (!book.loss->open) {
    book.loss->to = std::max(book.loss->to, last);
  }
}

void Ledger::watched(Book& book, const Record& record) {
  if (book.state != State::active) return;
  const Timestamp until = record.time();
  book.watched = record.count() == 0 ? std::max(book.watched, until) : std::min(book.watched, until);
}

void Ledger::contradicted(Book& book, const Record& record) {
  if (book.bars.empty()) return;
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp last = std::max(bar_start(end, options_.interval), book.first_bar);
  if (book.state == State::active && !extend(book, last)) return;
  const Timestamp first = std::max(bar_start(record.time(), options_.interval), book.first_bar);
  for (Timestamp t = std::max(first, book.front); t <= last; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr) return;
    bar->contradicted = true;
    bar->proven = false;
  }
}

// The exchange's own figures are the last word, whatever was in doubt.
void Ledger::proven(Book& book, const Record& record) {
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  for (Timestamp t = std::max(record.time(), book.front); t < end; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr) return;
    if (!bar->absent) bar->proven = true;
  }
}

void Ledger::unsubscribed(Book& book, Timestamp time) {
  if (book.state != State::active) return;
  book.held = false;
  const Timestamp t = options_.event_time ? book.last_trade : time;
  const Timestamp bar = std::max(bar_start(t, options_.interval), newest_bar(book));
  if (!extend(book, bar)) return;
  // What nobody vouched for by now stays without a proof.
  if (options_.watched) {
    const Timestamp reached = std::max(book.watched, book.by_ids);
    for (Timestamp at = std::max(bar_start(reached, options_.interval), book.front); at < bar;
         at = at + options_.interval) {
      Bar* unproven = bar_at(book, at);
      if (unproven != nullptr && !unproven->absent) unproven->lost = true;
    }
  }
  book.bars.back().partial_end = book.bars.back().changed = true;
  book.end_bar = bar;
  book.state = State::ended;
  if (!book.loss) book.loss = Loss{bar, bar, bar, true};
}

// Ids are missing before the trade that comes next. That trade's bar counts them; the bars since the last trade, or
// since the connection was lost, can't know how many of them are theirs.
void Ledger::hole(Book& book, const Record& record) {
  if (book.state != State::active) return;
  const Timestamp at = std::max(bar_start(record.time(), options_.interval), book.first_bar);
  if (!extend(book, at)) return;
  const Timestamp since = std::min(std::max(bar_start(book.last_trade, options_.interval), book.first_bar), at);
  Hole h{record.id(), record.id() + record.count() - 1, record.count(), at, at, at, since, book.loss.has_value()};
  if (book.loss) {
    h.cut_from = book.loss->from;
    h.touch_from = std::min(std::max(book.loss->from, book.loss->visible_from), at);
    book.loss.reset();
  } else if (book.last_id) {
    h.touch_from = h.cut_from = since;
  }
  h.doubt_from = std::min(h.doubt_from, h.touch_from);
  if (h.left == 0) {  // size unknown
    if (Bar* bar = bar_at(book, at)) bar->lost = true;
    return give_up(book, h);
  }
  if (book.holes.size() == holes_max) {
    give_up(book, book.holes.front());
    book.holes.erase(book.holes.begin());
  }
  book.holes.push_back(h);
}

void Ledger::give_up(Book& book, const Hole& h) {
  // What was found of the time when nobody ran, or still is, is told with its hole.
  for (Timestamp t = std::max(h.cut_from, book.front); t < h.at; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr || !bar->absent) continue;
    bar->absent = !bar->has_trades();
    bar->lost = true;
  }
  if (Bar* bar = bar_at(book, h.at)) bar->missing += h.left;
  for (Timestamp t = std::max(h.doubt_from, book.front); t < h.at; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar != nullptr && !bar->proven) bar->lost = true;
  }
}

// ------------------------------------------------------------------ trades

void Ledger::trade(Book& book, const Record& record) {
  IdText name;
  if (!book.next_name.empty()) name = std::exchange(book.next_name, {});
  const bool ordered = book.instrument->ids != Ids::opaque;
  if (!book.rebuilds.empty() && take_rebuild(book, record)) return;
  const Timestamp bar_time = bar_start(record.time(), options_.interval);
  if (book.state == State::idle && options_.event_time) begin(book, bar_time, true);
  if (book.state != State::active || bar_time < book.first_bar) {
    ++counters_.before_first;
    return;
  }
  const bool numbered = ordered && record.id() != 0;
  if (numbered && book.loss && !book.loss->open && book.last_id && record.id() > *book.last_id) {
    resolve_loss(book);
  }
  if (!extend(book, bar_time)) {
    ++counters_.too_far_ahead;
    book.bars.back().missing += 1;
    return;
  }
  Bar* bar = bar_at(book, bar_time);
  if (bar == nullptr) {
    ++counters_.too_late;
    book.bars.back().missing += 1;
    return;
  }
  if (bar->written()) ++counters_.late;
  bar->proven = false;
  if (!ordered) bar->settled = false;
  if (may_have_counted(*bar, record, ordered)) return doubt_restored(book, *bar, record);
  // A bar of the time when nobody ran is told of when all of it is known.
  const bool repairing = std::any_of(book.holes.begin(), book.holes.end(), [&](const Hole& h) {
    return record.id() >= h.first && record.first_id() <= h.last;
  });
  if (!repairing && bar->absent) {
    uncover(book, *bar, bar_time);
    // Of before we listened, and only now on its way to us: alone, for all that is known.
    if (book.loss) book.loss->visible_from = std::min(book.loss->visible_from, bar_time);
  }
  if (record.kind() == RecordKind::trade) {
    if (!add_trade(*bar, record, name)) return stop(book, bar_time);
    ++counters_.trades;
  } else if (record.kind() == RecordKind::other) {
    if (!add_other(*bar, record, name)) return stop(book, bar_time);
    ++counters_.other;
  }
  if (numbered) fill_hole(book, record.first_id(), record.id());
  // The newest bar of the files goes on while it is made again.
  for (Rebuild& r : book.rebuilds) {
    if (!r.covers(bar_time) || r.dead) continue;
    Bar& fresh = r.fresh[bar_time];
    if (record.kind() == RecordKind::trade) (void)add_trade(fresh, record, name);
    if (record.kind() == RecordKind::other) (void)add_other(fresh, record, name);
  }
  if (book.remake && book.remake->covers(bar_time)) {
    Bar& fresh = book.remake->fresh[bar_time];
    if (record.kind() == RecordKind::trade) (void)add_trade(fresh, record, name);
    if (record.kind() == RecordKind::other) (void)add_other(fresh, record, name);
  }
  if (numbered || !ordered) {
    // Nothing to compare the id with: what a loss before this trade cost stays unknown, unless somebody is asked.
    if (ordered ? !book.last_id : !options_.repairs) give_up_loss(book);

    if (numbered) {
      book.last_id = std::max(book.last_id.value_or(0), record.id());
      book.by_ids = std::max(book.by_ids, record.time());  // holes and losses before it are known by its id
    }
  }
  book.last_trade = std::max(book.last_trade, record.time());
  book.traded = std::max(book.traded, record.time());
  newest_trade_ = std::max(newest_trade_.value_or(record.time()), record.time());
  EventClock& clock = clocks_[book.clock];
  clock.newest = std::max(clock.newest, record.time());
}

// A trade of a bar that an earlier run has written: whether its row counted it nobody knows, so the bar is a gap until
// it is made again.
void Ledger::doubt_restored(Book& book, Bar& bar, const Record& record) {
  bar.contradicted = true;
  if (book.instrument->ids == Ids::opaque || record.id() == 0) return;
  fill_hole(book, record.first_id(), record.id());
  book.last_id = std::max(book.last_id.value_or(0), record.id());
}

// The ids went on without a hole: nothing was missed while we were cut off.
void Ledger::resolve_loss(Book& book) {
  for (Timestamp t = std::max(book.loss->from, book.front); t <= book.loss->to; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr) break;
    uncover(book, *bar, t);
    bar->recovered = bar->recovered || !book.loss->doubt;
    bar->partial_end = false;
    heal(book, *bar, t);
  }
  book.loss.reset();
}

void Ledger::give_up_loss(Book& book) {
  if (!book.loss || book.loss->open) return;
  const Timestamp from = std::max(book.loss->from, book.loss->visible_from), to = book.loss->to + options_.interval;
  give_up(book, {0, 0, 0, to, from, book.loss->from, from, true});
  book.loss.reset();
}

void Ledger::fill_hole(Book& book, std::uint64_t first, std::uint64_t last) {
  for (auto h = book.holes.begin(); h != book.holes.end(); ++h) {
    if (last < h->first || first > h->last) continue;
    h->left -= std::min(h->left, std::min(last, h->last) - std::max(first, h->first) + 1);
    if (h->left > 0) return;
    close_hole(book, *h);
    book.holes.erase(h);
    return;
  }
}

// Every id of it is there now.
void Ledger::close_hole(Book& book, const Hole& h) {
  for (Timestamp t = std::max(h.cut_from, book.front); t <= h.at; t = t + options_.interval) {
    Bar* bar = bar_at(book, t);
    if (bar == nullptr) break;
    // A hole that closed before anybody read of it was only a matter of order, unless we had been cut off.
    const bool told = bar->written() && bar->written_status == BarStatus::gap;
    if (!h.cut && !told) continue;
    bar->recovered = true;
    heal(book, *bar, t);
    if (!h.cut) continue;
    uncover(book, *bar, t);
    bar->partial_end = false;
  }
}

// What the exchange's history had to say.
void Ledger::verdict(Book& book, const Record& record) {
  if (book.instrument->ids == Ids::opaque) {
    if (!book.loss || book.loss->open) return;
    if (record.count() > 0) return give_up_loss(book);
    for (Timestamp t = std::max(book.loss->from, book.front); t + options_.interval <= record.time();
         t = t + options_.interval) {
      Bar* bar = bar_at(book, t);
      if (bar == nullptr) break;
      bar->settled = true;
    }
    return resolve_loss(book);
  }
  if (record.count() == 0) {
    if (!book.last_id) book.last_id = record.id();  // of before there were rows
    if (book.last_id != record.id()) return;
    book.by_ids = std::max(book.by_ids, record.time() - history_late);
    if (book.loss && !book.loss->open) resolve_loss(book);
    return;
  }
  // Not to be had: the files' bars stay what they are.
  for (Rebuild& r : book.rebuilds) r.dead = r.dead || r.holds(record);
  const auto h = std::find_if(book.holes.begin(), book.holes.end(),
                              [&](const Hole& hole) { return record.id() >= hole.first && record.id() <= hole.last; });
  if (h == book.holes.end()) return;
  give_up(book, *h);
  book.holes.erase(h);
}

void Ledger::stop(Book& book, Timestamp bar_time) {
  if (Bar* bar = bar_at(book, bar_time)) bar->lost = bar->changed = true;
  book.state = State::stopped;
  book.end_bar = newest_bar(book);
  errors_.push_back(book.instrument->exchange + " " + std::string(name_of(book.instrument->market)) + " " +
                    book.instrument->symbol +
                    ": a sum does not fit 128 bits; the instrument is stopped, its last bar "
                    "says gap; remove it from the symbol list and report this");
}

// ------------------------------------------------------------------ bars

Timestamp Ledger::newest_bar(const Book& book) const {
  return {book.front.us + (static_cast<std::int64_t>(book.bars.size()) - 1) * options_.interval.us};
}

bool Ledger::extend(Book& book, Timestamp bar) {
  if (book.bars.empty()) return false;
  const std::int64_t more = (bar - newest_bar(book)).us / options_.interval.us;
  if (more > static_cast<std::int64_t>(bars_ahead_max)) return false;
  for (std::int64_t i = 0; i < more; ++i) book.bars.emplace_back();
  return true;
}

Bar* Ledger::bar_at(Book& book, Timestamp bar) {
  if (bar < book.front) return nullptr;
  const auto index = static_cast<std::size_t>((bar - book.front).us / options_.interval.us);
  return index < book.bars.size() ? &book.bars[index] : nullptr;
}

std::vector<std::string> Ledger::take_errors() { return std::exchange(errors_, {}); }

}  // namespace cvdd
