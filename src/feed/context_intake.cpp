#include "cvdd/feed/context_intake.hpp"

#include <algorithm>

namespace cvdd {

void ContextIntake::add(const Instrument& instrument, DataKinds kinds) {
  std::erase_if(ending_, [&](const auto& ending) { return ending.first == instrument.id; });
  Held& held = held_[instrument.id];
  held = {};
  held.instrument = &instrument;
  held.kinds = kinds;
}

void ContextIntake::remove(const Instrument& instrument, Timestamp now) {
  const auto found = held_.find(instrument.id);
  if (found == held_.end()) return;
  Held& held = found->second;
  hand_on(held, DataKind::book, held.book);
  hand_on(held, DataKind::mark, held.mark);
  hand_on(held, DataKind::funding, held.funding);
  hand_on(held, DataKind::open_interest, held.open_interest);
  held_.erase(found);
  if (!ring_->push({instrument.id, FeedMark{What::ended, DataKind::book, now}})) {
    ending_.emplace_back(instrument.id, now);
  }
}

// ---- Values ----

void ContextIntake::take(const Parsed& parsed, Timestamp now) {
  if (parsed.refusal != Refusal::none) counters_.refused += std::max(parsed.refused_rows, 1U);
  if (!parsed.has_beside) return;
  const BesideTrades& told = parsed.beside;
  take_all(std::span(told.best_prices), DataKind::book, &Held::book, now);
  take_all(std::span(told.mark_prices), DataKind::mark, &Held::mark, now);
  take_all(std::span(told.funding_rates), DataKind::funding, &Held::funding, now);
  take_all(std::span(told.open_interest), DataKind::open_interest, &Held::open_interest, now);
  for (const Liquidation& order : told.liquidations) {
    Held* const held = held_of(order.instrument, DataKind::liquidation, order.time, now);
    if (held == nullptr) continue;
    ++counters_.orders;
    Liquidation plain = order;
    plain.instrument = nullptr;
    if (!ring_->push({held->instrument->id, plain})) miss(*held, DataKind::liquidation, order.time);
  }
}

ContextIntake::Held* ContextIntake::held_of(const Instrument* instrument, DataKind kind, Timestamp time,
                                            Timestamp now) {
  const auto found = held_.find(instrument->id);
  if (found == held_.end() || !found->second.kinds.has(kind)) return nullptr;
  if (time > now + ahead_max) {
    ++counters_.refused;
    return nullptr;
  }
  if (feed(found->second, kind).state != What::subscribed) say(found->second, kind, What::subscribed, now);
  return &found->second;
}

template <class Value>
void ContextIntake::take_all(std::span<const Value> values, DataKind kind, std::optional<Value> Held::*member,
                             Timestamp now) {
  for (Value value : values) {
    Held* const held = held_of(value.instrument, kind, value.time, now);
    if (held == nullptr) continue;
    ++counters_.values;
    if (value.time.us == 0) value.time = now;
    value.instrument = nullptr;
    std::optional<Value>& newest = held->*member;
    // The newest of its bar stays that bar's.
    if (newest && bar_start(newest->time, interval_) < bar_start(value.time, interval_)) hand_on(*held, kind, newest);
    merge(newest, value);
  }
}

template <class Value>
void ContextIntake::hand_on(Held& held, DataKind kind, std::optional<Value>& value) {
  if (!value) return;
  if (!ring_->push({held.instrument->id, *value})) miss(held, kind, value->time);
  value.reset();
}

// ---- Feeds ----

void ContextIntake::subscribed(const Instrument& instrument, DataKinds kinds, Timestamp now) {
  const auto found = held_.find(instrument.id);
  if (found == held_.end()) return;
  for (const DataKind kind : context_kinds) {
    if (kinds.has(kind) && found->second.kinds.has(kind)) say(found->second, kind, What::subscribed, now);
  }
}

void ContextIntake::lost(const Instrument& instrument, DataKinds kinds, Timestamp since) {
  const auto found = held_.find(instrument.id);
  if (found == held_.end()) return;
  for (const DataKind kind : context_kinds) {
    if (kinds.has(kind) && found->second.kinds.has(kind)) say(found->second, kind, What::lost, since);
  }
}

void ContextIntake::refused(const Instrument& instrument, DataKinds kinds, Timestamp now) {
  const auto found = held_.find(instrument.id);
  if (found == held_.end()) return;
  for (const DataKind kind : context_kinds) {
    if (kinds.has(kind) && found->second.kinds.has(kind)) say(found->second, kind, What::refused, now);
  }
}

// Only what changes something is said.
void ContextIntake::say(Held& held, DataKind kind, What what, Timestamp time) {
  Feed& of = feed(held, kind);
  if (of.state == what) return;
  if (what == What::lost && of.state == What::subscribed) ++counters_.lost;
  of.state = what;
  if (of.untold) {
    if (what != What::subscribed) of.untold = std::min(*of.untold, time);
    return;
  }
  if (!ring_->push({held.instrument->id, FeedMark{what, kind, time}})) {
    ++counters_.dropped;
    of.untold = time;
  }
}

void ContextIntake::miss(Held& held, DataKind kind, Timestamp time) {
  ++counters_.dropped;
  std::optional<Timestamp>& since = feed(held, kind).untold;
  since = std::min(since.value_or(time), time);
}

// The columns of what found no room are marked: as if the feed had been cut then, and is what it is now since now.
void ContextIntake::say_untold(Held& held, Timestamp now) {
  for (const DataKind kind : context_kinds) {
    Feed& of = feed(held, kind);
    if (!of.untold) continue;
    if (!ring_->push({held.instrument->id, FeedMark{What::lost, kind, *of.untold}})) return;
    of.untold.reset();
    if (of.state != What::subscribed && of.state != What::refused) continue;
    if (!ring_->push({held.instrument->id, FeedMark{*of.state, kind, now}})) of.untold = now;
  }
}

void ContextIntake::flush(Timestamp now) {
  const Timestamp open = bar_start(now, interval_);
  const auto closed = [&](const auto& value) { return value && value->time < open; };
  std::erase_if(ending_, [&](const auto& ending) {
    return ring_->push({ending.first, FeedMark{What::ended, DataKind::book, ending.second}});
  });
  for (auto& [number, held] : held_) {
    if (closed(held.book)) hand_on(held, DataKind::book, held.book);
    if (closed(held.mark)) hand_on(held, DataKind::mark, held.mark);
    if (closed(held.funding)) hand_on(held, DataKind::funding, held.funding);
    if (closed(held.open_interest)) hand_on(held, DataKind::open_interest, held.open_interest);
    say_untold(held, now);
  }
}

std::pair<std::size_t, std::size_t> ContextIntake::feeds() const {
  std::size_t all = 0, good = 0;
  for (const auto& [number, held] : held_) {
    for (const DataKind kind : context_kinds) {
      if (!held.kinds.has(kind)) continue;
      ++all;
      good += held.feeds[static_cast<std::size_t>(kind)].state == What::subscribed ? 1U : 0U;
    }
  }
  return {all, good};
}

}  // namespace cvdd
