#include "cvdd/ledger/ledger.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cvdd/base/prefetch.hpp"

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
  if (instrument.id >= accounts_.size()) accounts_.resize(instrument.id + 1);
  Account& account = accounts_[instrument.id];
  assert(account.instrument == nullptr);
  account.instrument = &instrument;
  account.bars = BarSeries(options_.interval);
  account.rebuilder = Rebuilder(instrument.ids == Ids::sequence && options_.repairs);
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
      account.loss->to = std::max(account.loss->from, bar_start(account.last_trade, options_.interval));
    }
    if (account.state == State::ended) account.state = State::active;
    return;  // the first trade begins the rows
  }
  const Timestamp bar = bar_start(time, options_.interval);
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
  account.bars.begin(bar);
  account.bars.back().partial_begin = partial;
}

// The files' newest bar is bars.back(). What lies between it and `bar` passed while nobody listened.
void Ledger::continue_after_absence(Account& account, Timestamp bar) {
  account.state = State::active;
  const Timestamp newest = account.bars.newest();
  if (bar <= newest) {
    if (account.loss) account.loss->visible_from = newest;
    return;
  }
  if (!account.bars.resume(bar, bars_kept_max()) && account.loss) account.loss->from = bar;
  if (account.loss) account.loss->visible_from = bar;
}

void Ledger::lost(Account& account, const Record& record) {
  if (account.state != State::active) return;
  const bool over = record.count() > 0;
  const Timestamp t = options_.event_time ? account.last_trade : record.time();
  const Timestamp bar = std::max(bar_start(t, options_.interval), account.bars.first());
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  const Timestamp last = std::max(bar_start(end, options_.interval), bar);
  const bool doubt = over && record.id() == doubt_alone;
  if (!account.loss) {
    account.loss = Loss{bar, last, bar, !over};
    account.loss->doubt = doubt;
    return;
  }
  account.loss->absence = false;
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
  const Timestamp last = std::max(bar_start(end, options_.interval), account.bars.first());
  if (account.state == State::active && !account.bars.extend(last)) return;
  const Timestamp first = std::max(bar_start(record.time(), options_.interval), account.bars.first());
  account.bars.each(first, last + options_.interval, [](Timestamp, Bar& bar) {
    bar.contradicted = true;
    bar.proven = false;
  });
}

// The exchange's own figures are the last word, whatever was in doubt.
void Ledger::proven(Account& account, const Record& record) {
  const Timestamp end = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  account.bars.each(record.time(), end, [](Timestamp, Bar& bar) { bar.proven = bar.proven || !bar.absent; });
}

void Ledger::unsubscribed(Account& account, Timestamp time) {
  if (account.state != State::active) return;
  account.held = false;
  const Timestamp t = options_.event_time ? account.last_trade : time;
  const Timestamp bar = std::max(bar_start(t, options_.interval), account.bars.newest());
  if (!account.bars.extend(bar)) return;
  // What nobody vouched for by now stays without a proof.
  if (options_.watched) {
    const Timestamp reached = std::max(account.watched, account.by_ids);
    account.bars.each(bar_start(reached, options_.interval), bar,
                      [](Timestamp, Bar& unproven) { unproven.lost = unproven.lost || !unproven.absent; });
  }
  account.bars.back().partial_end = account.bars.back().changed = true;
  account.state = State::ended;
  if (!account.loss) account.loss = Loss{bar, bar, bar, true};
}

// Ids are missing before the trade that comes next. That trade's bar counts them; the bars since the last trade, or
// since the connection was lost, can't know how many of them are theirs.
void Ledger::hole(Account& account, const Record& record) {
  if (account.state != State::active) return;
  const Timestamp at = std::max(bar_start(record.time(), options_.interval), account.bars.first());
  if (!account.bars.extend(at)) return;
  const Timestamp since =
      std::min(std::max(bar_start(account.last_trade, options_.interval), account.bars.first()), at);
  if (!account.last_id) first_id_ever(account);
  Hole h{record.id(), record.id() + record.count() - 1, record.count(), at, at, at, since, account.loss.has_value()};
  if (account.loss) {
    h.cut_from = account.loss->from;
    h.touch_from = std::min(std::max(account.loss->from, account.loss->visible_from), at);
    // An older trade than the subscription tells nothing of what was between.
    if (!account.loss->open && account.loss->to > at) {
      account.loss->from = std::max(account.loss->from, at);
    } else {
      account.loss.reset();
    }
  } else if (account.last_id) {
    h.touch_from = h.cut_from = since;
  }
  h.doubt_from = std::min(h.doubt_from, h.touch_from);
  if (h.left == 0) {  // size unknown
    if (Bar* bar = account.bars.at(at)) bar->lost = true;
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
  account.bars.each(h.cut_from, h.at, [](Timestamp, Bar& bar) {
    if (!bar.absent) return;
    bar.absent = !bar.has_trades();
    bar.lost = true;
  });
  if (Bar* bar = account.bars.at(h.at)) bar->missing += h.left;
  account.bars.each(h.doubt_from, h.at, [](Timestamp, Bar& bar) { bar.lost = bar.lost || !bar.proven; });
}

// ------------------------------------------------------------------ trades

void Ledger::trade(Account& account, const Record& record) {
  IdText name;
  if (!account.next_name.empty()) name = std::exchange(account.next_name, {});
  const bool ordered = account.instrument->ids != Ids::opaque;
  if (!account.rebuilder.empty()) {
    const auto in_doubt_there = [&](Timestamp bar) { return in_doubt(account, bar); };
    if (account.rebuilder.take(account.bars, record, in_doubt_there)) return;
  }
  const Timestamp bar_time = bar_start(record.time(), options_.interval);
  if (account.state == State::idle && options_.event_time) begin(account, bar_time, true);
  if (account.state != State::active || bar_time < account.bars.first()) {
    ++counters_.before_first;
    return;
  }
  const bool numbered = ordered && record.id() != 0;
  if (numbered && account.loss && !account.loss->open && account.last_id && record.id() > *account.last_id) {
    resolve_loss(account, bar_time);
  }
  if (!account.bars.extend(bar_time)) {
    ++counters_.too_far_ahead;
    account.bars.back().missing += 1;
    return;
  }
  Bar* bar = account.bars.at(bar_time);
  if (bar == nullptr) {
    ++counters_.too_late;
    account.bars.back().missing += 1;
    return;
  }
  if (bar->written()) ++counters_.late;
  bar->proven = false;
  if (!ordered) bar->settled = false;
  if (may_have_counted(*bar, record, ordered)) return doubt_restored(account, *bar, record);
  // What a stop cut goes on. Its row names two ids, and they need not be the highest: it is made again by time.
  const bool goes_on =
      bar->restored && !bar->partial_begin && bar->written_status == BarStatus::partial && bar->has_ids();
  if (goes_on && numbered && options_.repairs) bar->contradicted = true;
  // A bar of the time when nobody ran is told of when all of it is known.
  const bool repairing = std::any_of(account.holes.begin(), account.holes.end(), [&](const Hole& h) {
    return record.id() >= h.first && record.first_id() <= h.last;
  });
  if (!repairing && bar->absent) {
    account.rebuilder.uncover(account.bars, *bar, bar_time);
    // Of before we listened, and only now on its way to us: alone, for all that is known.
    if (account.loss) account.loss->visible_from = std::min(account.loss->visible_from, bar_time);
    for (Hole& h : account.holes) {
      if (h.cut && h.cut_from <= bar_time) h.touch_from = std::min(h.touch_from, bar_time);
    }
  }
  if (record.kind() == RecordKind::trade) {
    if (!add_trade(*bar, record, name)) return stop(account, bar_time);
    ++counters_.trades;
  } else if (record.kind() == RecordKind::other) {
    if (!add_other(*bar, record, name)) return stop(account, bar_time);
    ++counters_.other;
  }
  if (numbered) fill_hole(account, record.first_id(), record.id());
  // The newest bar of the files goes on while it is made again.
  account.rebuilder.also(bar_time, record, name);
  account.remaker.also(bar_time, record, name);
  if (numbered || !ordered) {
    // Nothing to compare the id with: what a loss before this trade cost stays unknown, unless somebody is asked.
    if (ordered ? !account.last_id : !options_.repairs) give_up_loss(account);

    if (numbered) {
      account.last_id = std::max(account.last_id.value_or(0), record.id());
      account.by_ids = std::max(account.by_ids, record.time());  // holes and losses before it are known by its id
    }
  }
  account.last_trade = std::max(account.last_trade, record.time());
  account.traded = std::max(account.traded, record.time());
  newest_trade_ = std::max(newest_trade_.value_or(record.time()), record.time());
  EventClock& clock = clocks_[account.clock];
  clock.newest = std::max(clock.newest, record.time());
}

// A trade of a bar that an earlier run has written: whether its row counted it nobody knows, so the bar is a gap until
// it is made again.
void Ledger::doubt_restored(Account& account, Bar& bar, const Record& record) {
  bar.contradicted = true;
  if (account.instrument->ids == Ids::opaque || record.id() == 0) return;
  fill_hole(account, record.first_id(), record.id());
  account.last_id = std::max(account.last_id.value_or(0), record.id());
}

// The ids went on without a hole: nothing was missed while we were cut off, before the bar `until`, and in it if it is
// the last that was concerned.
void Ledger::resolve_loss(Account& account, Timestamp until) {
  const bool all = until >= account.loss->to;
  const Timestamp end = all ? account.loss->to + options_.interval : until;
  account.bars.each(account.loss->from, end, [&](Timestamp t, Bar& bar) {
    const bool absent = bar.absent;
    account.rebuilder.uncover(account.bars, bar, t);
    if (t < account.ids_since) {
      bar.contradicted = bar.contradicted || absent;
      return;
    }
    bar.recovered = bar.recovered || !account.loss->doubt;
    bar.partial_end = false;
    account.rebuilder.heal(bar, t);
  });
  if (all) return account.loss.reset();
  account.loss->from = std::max(account.loss->from, end);
}

void Ledger::give_up_loss(Account& account) {
  if (!account.loss || account.loss->open) return;
  const Timestamp from = std::max(account.loss->from, account.loss->visible_from),
                  to = account.loss->to + options_.interval;
  give_up(account, {0, 0, 0, to, from, account.loss->from, from, true});
  account.loss.reset();
}

// An earlier run knew of no id, and the first that anybody heard of says nothing of the time before it.
void Ledger::first_id_ever(Account& account) {
  if (account.restored) give_up_loss(account);
}

void Ledger::fill_hole(Account& account, std::uint64_t first, std::uint64_t last) {
  for (auto h = account.holes.begin(); h != account.holes.end(); ++h) {
    if (last < h->first || first > h->last) continue;
    h->left -= std::min(h->left, std::min(last, h->last) - std::max(first, h->first) + 1);
    if (h->left > 0) return;
    close_hole(account, *h);
    account.holes.erase(h);
    return;
  }
}

// Every id of it is there now.
void Ledger::close_hole(Account& account, const Hole& h) {
  account.bars.each(h.cut_from, h.at + options_.interval, [&](Timestamp t, Bar& bar) {
    // A hole that closed before anybody read of it was only a matter of order, unless we had been cut off.
    const bool told = bar.written() && bar.written_status == BarStatus::gap;
    if (!h.cut && !told) return;
    bar.recovered = true;
    account.rebuilder.heal(bar, t);
    if (!h.cut) return;
    account.rebuilder.uncover(account.bars, bar, t);
    bar.partial_end = false;
  });
}

// What the exchange's history had to say.
void Ledger::verdict(Account& account, const Record& record) {
  if (account.instrument->ids == Ids::opaque) {
    if (!account.loss || account.loss->open) return;
    if (record.count() > 0) return give_up_loss(account);
    account.bars.each(account.loss->from, bar_start(record.time(), options_.interval),
                      [](Timestamp, Bar& bar) { bar.settled = true; });
    return resolve_loss(account, account.loss->to);
  }
  if (record.count() == 0) {
    if (!account.last_id) {  // of before there were rows
      first_id_ever(account);
      account.last_id = record.id();
    }
    if (account.last_id != record.id()) return;
    account.by_ids = std::max(account.by_ids, record.time() - history_late);
    if (account.loss && !account.loss->open) resolve_loss(account, account.loss->to);
    return;
  }
  // Not to be had: the files' bars stay what they are.
  account.rebuilder.give_up(record.id());
  const auto h = std::find_if(account.holes.begin(), account.holes.end(),
                              [&](const Hole& hole) { return record.id() >= hole.first && record.id() <= hole.last; });
  if (h == account.holes.end()) return;
  give_up(account, *h);
  account.holes.erase(h);
}

bool Ledger::in_doubt(const Account& account, Timestamp bar) {
  return account.loss || std::any_of(account.holes.begin(), account.holes.end(),
                                     [&](const Hole& h) { return h.cut_from <= bar && bar <= h.at; });
}

void Ledger::remake(Account& account, const Record& record) {
  const Timestamp to = record.time() + Duration{static_cast<std::int64_t>(record.count())};
  account.remaker.announce(account.bars, record.time(), to, record.id());
}

void Ledger::again(Account& account, const Record& record) {
  IdText name;
  if (!account.next_name.empty()) name = std::exchange(account.next_name, {});
  if (!account.remaker.take(account.bars, record, name)) stop(account, bar_start(record.time(), options_.interval));
}

void Ledger::stop(Account& account, Timestamp bar_time) {
  if (Bar* bar = account.bars.at(bar_time)) bar->lost = bar->changed = true;
  account.state = State::stopped;
  errors_.push_back(account.instrument->exchange + " " + std::string(name_of(account.instrument->market)) + " " +
                    account.instrument->symbol +
                    ": a sum does not fit 128 bits; the instrument is stopped, its last bar "
                    "says gap; remove it from the symbol list and report this");
}

std::vector<std::string> Ledger::take_errors() { return std::exchange(errors_, {}); }

}  // namespace cvdd
