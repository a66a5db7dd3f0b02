#include "cvdd/ledger/ledger.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cvdd/base/prefetch.hpp"

namespace cvdd {

namespace {
// Ids may have another order than times; neighbours' times are mostly no further apart, the wrong way round.
constexpr Duration time_beside = seconds(1);
// What was traded so shortly before the history was asked may not be in it yet.
constexpr Duration history_late = seconds(10);

// Whether the row that an earlier run wrote of the bar may have a trade in it that comes now. However far beyond the
// ids that the row names its id is: those are of the first and the last by time, and others may be in it.
bool may_have_counted(const Bar& bar) {
  return bar.restored && bar.written_status != BarStatus::partial && bar.has_ids();
}
}  // namespace

void Ledger::add_instrument(const Instrument& instrument) {
  if (instrument.id >= accounts_.size()) accounts_.resize(instrument.id + 1);
  Account& account = accounts_[instrument.id];
  assert(account.instrument == nullptr);
  account.instrument = &instrument;
  order_.push_back(instrument.id);
  const auto clock = std::find_if(clocks_.begin(), clocks_.end(), [&](const EventClock& c) {
    return c.exchange == instrument.exchange && c.market == instrument.market;
  });
  account.clock = static_cast<std::size_t>(clock - clocks_.begin());
  if (clock == clocks_.end()) clocks_.push_back({instrument.exchange, instrument.market, {}, {}});
}

bool Ledger::knows(std::uint32_t instrument) const {
  return instrument < accounts_.size() && accounts_[instrument].instrument != nullptr;
}

void Ledger::expect(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (record.instrument() < accounts_.size()) prefetch(accounts_[record.instrument()]);
  }
}

void Ledger::expect_now(std::span<const Record> records) const {
  for (const Record& record : records) {
    if (knows(record.instrument()) && !accounts_[record.instrument()].bars.empty()) {
      prefetch(accounts_[record.instrument()].bars.back());
    }
  }
}

void Ledger::apply(const Record& record) {
  if (!knows(record.instrument())) return;
  Account& account = accounts_[record.instrument()];
  if (account.state == State::stopped) return;
  switch (record.kind()) {
    case RecordKind::trade:
    case RecordKind::other:
    case RecordKind::placeholder:
      return trade(account, record);
    case RecordKind::subscribed:
      return subscribed(account, record.time());
    case RecordKind::lost:
      return lost(account, record);
    case RecordKind::hole:
      return hole(account, record);
    case RecordKind::unsubscribed:
      return unsubscribed(account, record.time());
    case RecordKind::verdict:
      return verdict(account, record);
    case RecordKind::name:
      account.next_name = record.name();
      return;
    case RecordKind::watched:
      return watched(account, record);
    case RecordKind::contradicted:
      return contradicted(account, record);
    case RecordKind::proven:
      return proven(account, record);
    case RecordKind::remake:
      return remake(account, record);
    case RecordKind::again:
    case RecordKind::again_other:
      return again(account, record);
    case RecordKind::candles:
      return take_candles(account, record);
  }
}

// ------------------------------------------------------------------ marks

void Ledger::subscribed(Account& account, Timestamp time) {
  if (options_.event_time) {
    if (account.loss && account.loss->open) {
      account.loss->open = false;
      account.loss->to = std::max(account.loss->from, bar_start(newest_of(account), options_.interval));
    }
    if (account.state == State::ended) account.state = State::active;
    return;  // the first trade begins the rows
  }
  const Timestamp bar = bar_start(time, options_.interval);
  if (bar < account.first_bar && begin_earlier(account, bar)) return;
  // What a loss before it cost is known as a loss.
  if (account.state != State::active || (account.loss && account.loss->open))
    account.watched = std::max(account.watched, time);
  if (account.state == State::idle && account.bars.empty()) return begin(account, bar, true);
  if (account.state != State::active) continue_after_absence(account, bar);
  if (account.loss && account.loss->open) {
    account.loss->open = false;
    account.loss->to = std::max(account.loss->from, bar);
  }
}

void Ledger::begin(Account& account, Timestamp bar, bool partial) {
  account.state = State::active;
  account.front = account.first_bar = bar;
  account.bars.emplace_back();
  account.bars.back().partial_begin = partial;
}

// The clock by which it began was ahead: while nothing is told, and nothing was there before, it begins at the right
// time.
bool Ledger::begin_earlier(Account& account, Timestamp bar) {
  const bool told = std::any_of(account.bars.begin(), account.bars.end(),
                                [](const Bar& b) { return b.written() || b.restored || b.has_ids(); });
  if (account.state != State::active || account.held || told) return false;
  account.bars.clear();
  account.watched = bar;
  begin(account, bar, true);
  return true;
}

// The files' newest bar is bars.back(). What lies between it and `bar` passed while nobody listened.
void Ledger::continue_after_absence(Account& account, Timestamp bar) {
  account.state = State::active;
  const Timestamp newest = newest_bar(account);
  // A loss of before the end concerns bars that were told of already.
  const bool of_the_end = account.loss && account.loss->from >= account.end_bar;
  if (bar <= newest) {
    if (of_the_end) account.loss->visible_from = newest;
    return;
  }
  const auto between = static_cast<std::size_t>((bar - newest).us / options_.interval.us);
  if (between > bars_kept_max()) {
    for (Bar& b : account.bars) {
      if (b.absent) continue;
      const auto base = add(account.cvd_base, *subtract(b.buy_base, b.sell_base));
      const auto quote = add(account.cvd_quote, *subtract(b.buy_quote, b.sell_quote));
      if (base && quote) {
        account.cvd_base = *base;
        account.cvd_quote = *quote;
      }
      if (account.flow) add_flow(account.flow->before, b);
      if (b.close) account.close = b.close;
    }
    account.bars.clear();
    account.bars.emplace_back();
    account.front = account.first_bar = bar;
    if (account.loss) account.loss->from = bar;
  } else {
    for (std::size_t i = 1; i < between; ++i) {
      account.bars.emplace_back();
      account.bars.back().absent = true;
    }
    account.bars.emplace_back();
  }
  if (of_the_end) account.loss->visible_from = bar;
}

void Ledger::lost(Account& account, const Record& record) {
  if (account.state != State::active) return;
  const bool over = record.count() > 0;
  const Timestamp t = options_.event_time ? newest_of(account) : record.time();
  const Timestamp bar = std::max(bar_start(t, options_.interval), account.first_bar);
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp last = std::max(bar_start(end, options_.interval), bar);
  const bool doubt = over && record.id() == doubt_alone;
  if (!account.loss) {
    account.loss = Loss{bar, last, bar, !over, !over};
    account.loss->doubt = doubt;
    return;
  }
  account.loss->absence = false;
  account.loss->cut = account.loss->cut || !over;
  account.loss->doubt = account.loss->doubt && doubt;
  account.loss->from = std::min(account.loss->from, bar);
  account.loss->visible_from = std::min(account.loss->visible_from, bar);
  if (!over) {
    account.loss->open = true;
  } else if (!account.loss->open) {
    account.loss->to = std::max(account.loss->to, last);
  }
}

void Ledger::watched(Account& account, const Record& record) {
  if (account.state != State::active) return;
  const Timestamp until = record.time();
  account.watched = record.count() == 0 ? std::max(account.watched, until) : std::min(account.watched, until);
}

void Ledger::contradicted(Account& account, const Record& record) {
  if (account.bars.empty()) return;
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp first = std::max(bar_start(record.time(), options_.interval), account.first_bar);
  Timestamp last = std::max(bar_start(end, options_.interval), account.first_bar);
  if (!options_.event_time) {
    const Timestamp near = newest_bar(account) + Duration{doubted_ahead_max * options_.interval.us};
    // Bars that are not there yet are in doubt once they are.
    if (first <= near && last > near) account.doubted_until = std::max(account.doubted_until, last);
    last = std::min(last, near);
  }
  if (account.state == State::active && !extend(account, last)) return;
  for (Timestamp t = std::max(first, account.front); t <= last; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr) return;
    bar->contradicted = true;
    bar->proven = false;
  }
}

// The exchange's own figures are the last word, whatever was in doubt.
void Ledger::proven(Account& account, const Record& record) {
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  for (Timestamp t = std::max(record.time(), account.front); t < end; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr) return;
    if (!bar->absent) bar->proven = true;
  }
}

void Ledger::unsubscribed(Account& account, Timestamp time) {
  if (account.state != State::active) return;
  account.held = false;
  const Timestamp t = options_.event_time ? newest_of(account) : time;
  const Timestamp bar = std::max(bar_start(t, options_.interval), newest_bar(account));
  if (!extend(account, bar)) return;
  // What nobody vouched for by now stays without a proof.
  if (options_.watched) {
    const Timestamp reached = std::max(account.watched, account.by_ids);
    for (Timestamp at = std::max(bar_start(reached, options_.interval), account.front); at < bar;
         at = at + options_.interval) {
      Bar* unproven = bar_at(account, at);
      if (unproven != nullptr && !unproven->absent) unproven->lost = true;
    }
  }
  account.bars.back().partial_end = account.bars.back().changed = true;
  account.end_bar = bar;
  account.state = State::ended;
  if (!account.loss) {
    account.loss = Loss{bar, bar - options_.interval, bar, true, true};
    return;
  }
  // What a loss before cost nobody knows, and nobody will listen now.
  if (account.loss->open) account.loss->to = std::max(account.loss->to, bar);
  account.loss->open = account.loss->cut = true;
  account.loss->doubt = false;
}

// Ids are missing before the trade that comes next. That trade's bar counts them; the bars since the last trade, or
// since the connection was lost, can't know how many of them are theirs.
void Ledger::hole(Account& account, const Record& record) {
  if (account.state != State::active) return;
  const Timestamp at = std::max(bar_start(record.time(), options_.interval), account.first_bar);
  if (!extend(account, at)) return;
  const Timestamp since = std::min(std::max(bar_start(account.last_trade, options_.interval), account.first_bar), at);
  if (!account.last_id) first_id_ever(account);
  const bool listened = account.last_id && (!account.loss || !(account.loss->absence || account.loss->cut));
  Hole h{record.id(), record.id() + record.count() - 1, record.count(), at, at, at, since, account.loss.has_value()};
  if (account.loss) {
    h.cut_from = account.loss->from;
    h.touch_from = std::min(std::max(account.loss->from, account.loss->visible_from), at);
    // An older trade than the subscription tells nothing of what was between, nor one that came by another way while
    // the connection is still lost.
    if (account.loss->open || account.loss->to > at) {
      account.loss->from = std::max(account.loss->from, at);
    } else {
      account.loss.reset();
    }
  } else if (account.last_id) {
    h.touch_from = h.cut_from = since;
  }
  // While somebody listened, ids that are missing behind a row that could not be read may be of before it.
  if (options_.watched && listened) h.touch_from = std::min(h.touch_from, since);
  h.doubt_from = std::min(h.doubt_from, h.touch_from);
  // While it is open nobody knows that its trades have no earlier times than their neighbours.
  if (options_.watched && (!h.cut || listened)) {
    const Timestamp beside = bar_start(account.last_trade - time_beside, options_.interval);
    h.touch_from = std::min(h.touch_from, std::max(beside, account.first_bar));
  }
  if (h.left == 0) {  // size unknown
    if (Bar* bar = bar_at(account, at)) bar->lost = true;
    account.last_id.reset();  // numbers begin anew: those of before are above them
    return give_up(account, h);
  }
  if (account.holes.size() == holes_max) {
    give_up(account, account.holes.front());
    account.holes.erase(account.holes.begin());
  }
  account.holes.push_back(h);
}

void Ledger::give_up(Account& account, const Hole& h) {
  // What was found of the time when nobody ran, or still is, is told with its hole.
  for (Timestamp t = std::max(h.cut_from, account.front); t < h.at; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr || !bar->absent) continue;
    bar->absent = !bar->has_trades();
    bar->lost = true;
  }
  if (Bar* bar = bar_at(account, h.at)) bar->missing += h.left;
  for (Timestamp t = std::max(h.doubt_from, account.front); t < h.at; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar != nullptr && !bar->proven) bar->lost = true;
  }
}

// ------------------------------------------------------------------ trades

void Ledger::trade(Account& account, const Record& record) {
  IdText name;
  if (!account.next_name.empty()) name = std::exchange(account.next_name, {});
  const bool ordered = account.instrument->ids != Ids::opaque;
  if (!account.rebuilds.empty() && take_rebuild(account, record)) return;
  const Timestamp bar_time = bar_start(record.time(), options_.interval);
  if (account.state == State::idle && options_.event_time) begin(account, bar_time, true);
  if (account.state != State::active || bar_time < account.first_bar) {
    ++counters_.before_first;
    return;
  }
  const bool numbered = ordered && record.id() != 0;
  if (numbered && account.loss && !account.loss->open && account.last_id && record.id() > *account.last_id) {
    resolve_loss(account, bar_time);
  }
  if (!extend(account, bar_time)) {
    ++counters_.too_far_ahead;
    account.bars.back().missing += 1;
    return;
  }
  Bar* bar = bar_at(account, bar_time);
  if (bar == nullptr) {
    ++counters_.too_late;
    account.bars.back().missing += 1;
    return;
  }
  if (bar->written()) ++counters_.late;
  bar->proven = false;
  if (!ordered) bar->settled = false;
  if (may_have_counted(*bar)) return doubt_restored(account, *bar, record);
  // What a stop cut goes on. Its row names two ids, and they need not be the highest: it is made again by time.
  const bool goes_on = bar->restored && bar->written_status == BarStatus::partial && bar->has_ids();
  if (goes_on && numbered && options_.repairs) bar->contradicted = true;
  // A bar of the time when nobody ran is told of when all of it is known.
  const bool repairing = std::any_of(account.holes.begin(), account.holes.end(), [&](const Hole& h) {
    return record.id() >= h.first && record.first_id() <= h.last;
  });
  if (!repairing && bar->absent) {
    uncover(account, *bar, bar_time);
    // Of before we listened, and only now on its way to us: alone, for all that is known.
    if (account.loss) account.loss->visible_from = std::min(account.loss->visible_from, bar_time);
    for (Hole& h : account.holes) {
      if (h.cut && h.cut_from <= bar_time) h.touch_from = std::min(h.touch_from, bar_time);
    }
  }
  if (record.kind() == RecordKind::trade) {
    if (!add_trade(*bar, record, name, account.rules())) return stop(account, bar_time);
    ++counters_.trades;
  } else if (record.kind() == RecordKind::other) {
    if (!add_other(*bar, record, name, account.rules())) return stop(account, bar_time);
    ++counters_.other;
  }
  if (numbered) fill_hole(account, record.first_id(), record.id());
  // The newest bar of the files goes on while it is made again.
  for (Rebuild& r : account.rebuilds) {
    if (!r.covers(bar_time) || r.dead) continue;
    Bar& fresh = r.fresh[bar_time];
    if (record.kind() == RecordKind::trade) (void)add_trade(fresh, record, name, account.rules());
    if (record.kind() == RecordKind::other) (void)add_other(fresh, record, name, account.rules());
  }
  if (account.remake && account.remake->covers(bar_time)) {
    Bar& fresh = account.remake->fresh[bar_time];
    if (record.kind() == RecordKind::trade) (void)add_trade(fresh, record, name, account.rules());
    if (record.kind() == RecordKind::other) (void)add_other(fresh, record, name, account.rules());
  }
  if (numbered || !ordered) {
    // Nothing to compare the id with: what a loss before this trade cost stays unknown, unless somebody is asked.
    if (ordered ? !account.last_id : !options_.repairs) give_up_loss(account);

    if (numbered) {
      if (!account.last_id) account.ids_from = record.time();
      account.last_id = std::max(account.last_id.value_or(0), record.id());
      account.by_ids = std::max(account.by_ids, record.time());  // holes and losses before it are known by its id
    }
  }
  // What has no place in the order of ids does not tell where a hole begins.
  if (numbered || !ordered) account.last_trade = std::max(account.last_trade, record.time());
  account.traded = std::max(account.traded, record.time());
  newest_trade_ = std::max(newest_trade_.value_or(record.time()), record.time());
  EventClock& clock = clocks_[account.clock];
  clock.newest = std::max(clock.newest, record.time());
}

// A trade of a bar that an earlier run has written: whether its row counted it nobody knows, so the bar is a gap until
// it is made again.
void Ledger::doubt_restored(Account& account, Bar& bar, const Record& record) {
  bar.changed = bar.changed || !bar.contradicted;  // whoever makes bars again hears of it by a row
  bar.contradicted = true;
  if (account.instrument->ids == Ids::opaque || record.id() == 0) return;
  fill_hole(account, record.first_id(), record.id());
  if (!account.last_id) account.ids_from = record.time();
  account.last_id = std::max(account.last_id.value_or(0), record.id());
}

// The ids went on without a hole: nothing was missed while we were cut off, before the bar `until`, and in it if it is
// the last that was concerned.
void Ledger::resolve_loss(Account& account, Timestamp until) {
  const bool all = until >= account.loss->to;
  const Timestamp end = all ? account.loss->to + options_.interval : until;
  for (Timestamp t = std::max(account.loss->from, account.front); t < end; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr) break;
    const bool absent = bar->absent;
    // What has come of a hole that is still open ends somewhere: there the ids go on in the same bar, or before it.
    const bool coming = std::ranges::any_of(
        account.holes, [&](const Hole& h) { return h.left > 0 && h.cut && h.cut_from <= t && t < h.at; });
    if (absent && coming) continue;
    uncover(account, *bar, t);
    if (t < account.ids_since) {
      bar->contradicted = bar->contradicted || absent;
      continue;
    }
    bar->recovered = bar->recovered || !account.loss->doubt;
    bar->partial_end = false;
    heal(account, *bar, t);
  }
  if (all) return account.loss.reset();
  account.loss->from = std::max(account.loss->from, end);
}

void Ledger::give_up_loss(Account& account) {
  if (!account.loss || account.loss->open) return;
  // What was found of the bar that the end cut is in it, and not all there is.
  Bar* const cut = account.loss->from < account.loss->visible_from ? bar_at(account, account.loss->from) : nullptr;
  if (cut != nullptr && cut->partial_end && cut->delta_changed) cut->lost = true;
  const Timestamp from = std::max(account.loss->from, account.loss->visible_from),
                  to = account.loss->to + options_.interval;
  give_up(account, {0, 0, 0, to, from, account.loss->from, from, true});
  account.loss.reset();
}

// An earlier run knew of no id, and the first that anybody heard of says nothing of the time before it.
void Ledger::first_id_ever(Account& account) {
  if (account.restored_end.us != 0) give_up_loss(account);
}

void Ledger::fill_hole(Account& account, std::uint64_t first, std::uint64_t last) {
  for (auto h = account.holes.begin(); h != account.holes.end();) {
    const bool in_it = last >= h->first && first <= h->last;
    if (in_it) h->left -= std::min(h->left, std::min(last, h->last) - std::max(first, h->first) + 1);
    if (!in_it || h->left > 0) {
      ++h;
      continue;
    }
    close_hole(account, *h);
    h = account.holes.erase(h);
  }
}

// Every id of it is there now.
void Ledger::close_hole(Account& account, const Hole& h) {
  for (Timestamp t = std::max(h.cut_from, account.front); t <= h.at; t = t + options_.interval) {
    Bar* bar = bar_at(account, t);
    if (bar == nullptr) break;
    // A hole that closed before anybody read of it was only a matter of order, unless we had been cut off.
    const bool told = bar->written() && bar->written_status == BarStatus::gap;
    if (!h.cut && !told) continue;
    bar->recovered = true;
    heal(account, *bar, t);
    if (!h.cut) continue;
    uncover(account, *bar, t);
    bar->partial_end = false;
  }
}

// What the exchange's history had to say.
void Ledger::verdict(Account& account, const Record& record) {
  if (account.instrument->ids == Ids::opaque) {
    if (!account.loss || account.loss->open) return;
    if (record.count() > 0) return give_up_loss(account);
    for (Timestamp t = std::max(account.loss->from, account.front); t + options_.interval <= record.time();
         t = t + options_.interval) {
      Bar* bar = bar_at(account, t);
      if (bar == nullptr) break;
      bar->settled = true;
    }
    return resolve_loss(account, account.loss->to);
  }
  if (record.count() == 0) {
    if (!account.last_id) {  // of before there were rows
      first_id_ever(account);
      account.last_id = record.id();
      account.ids_from = record.time();
    }
    if (account.last_id != record.id()) return;
    account.by_ids = std::max(account.by_ids, record.time() - history_late);
    if (account.loss && !account.loss->open) resolve_loss(account, account.loss->to);
    return;
  }
  // Not to be had: the files' bars stay what they are.
  for (Rebuild& r : account.rebuilds) r.dead = r.dead || r.holds(record);
  const auto h = std::find_if(account.holes.begin(), account.holes.end(),
                              [&](const Hole& hole) { return record.id() >= hole.first && record.id() <= hole.last; });
  if (h == account.holes.end()) return;
  give_up(account, *h);
  account.holes.erase(h);
}

void Ledger::stop(Account& account, Timestamp bar_time) {
  if (Bar* bar = bar_at(account, bar_time)) bar->lost = bar->changed = true;
  account.state = State::stopped;
  account.end_bar = newest_bar(account);
  errors_.push_back(account.instrument->exchange + " " + std::string(name_of(account.instrument->market)) + " " +
                    account.instrument->symbol +
                    ": a sum does not fit 128 bits; the instrument is stopped, its last bar "
                    "says gap; remove it from the symbol list and report this");
}

// ------------------------------------------------------------------ bars

Timestamp Ledger::newest_bar(const Account& account) const {
  return {account.front.us + (static_cast<std::int64_t>(account.bars.size()) - 1) * options_.interval.us};
}

bool Ledger::extend(Account& account, Timestamp bar) {
  if (account.bars.empty()) return false;
  const std::int64_t more = (bar - newest_bar(account)).us / options_.interval.us;
  if (more > static_cast<std::int64_t>(bars_ahead_max)) return false;
  for (std::int64_t i = 0; i < more; ++i) {
    account.bars.emplace_back();
    account.bars.back().contradicted = newest_bar(account) <= account.doubted_until;
  }
  return true;
}

Bar* Ledger::bar_at(Account& account, Timestamp bar) {
  if (bar < account.front) return nullptr;
  const auto index = static_cast<std::size_t>((bar - account.front).us / options_.interval.us);
  return index < account.bars.size() ? &account.bars[index] : nullptr;
}

std::vector<std::string> Ledger::take_errors() { return std::exchange(errors_, {}); }

}  // namespace cvdd
