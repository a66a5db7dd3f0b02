#include "cvdd/feed/connection_watch.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cvdd {

namespace {
// A connection that is mute kept an instrument from us that should have traded so often.
constexpr double silent_trades = 10;
// A young connection that has brought nothing, where so many messages are usual, does not vouch by being alive.
constexpr double owed_messages = 5;
// Instruments that should have traded so often together, and lack no id, show that a silent connection was quiet.
constexpr double owed_trades = 4;
}  // namespace

void ConnectionWatch::begin(Time now) {
  silence_.resume(now);
  doubting_ = false;
  heard_ = {};
  vouched_ = {};
}

// ---- What comes ----

void ConnectionWatch::before_reading(Instruments instruments, Timestamp received, Time now) {
  news_ = 0;
  doubted_ = doubting_ || silence_.suspect(now);
  if (doubted_) owed_ = owed(instruments, received);
}

void ConnectionWatch::heard(std::span<const Trade> trades, Timestamp received) {
  // What comes because we subscribed is no sign of how busy it is.
  news_ += trades.back().snapshot ? 0U : 1U;
  for (const Trade& t : trades) {
    if (!t.snapshot) heard_.event = std::max(heard_.event, std::min(t.time, received));
  }
}

void ConnectionWatch::after_reading(Instruments instruments, std::size_t first, Timestamp received, Time now,
                                    std::vector<Record>& records) {
  if (doubted_) end_doubt(instruments, first, received, now, records);
  silence_.heard(now, news_);
  heard_.received = received;
  doubting_ = false;
  if (heard_.event >= vouched_ || !lags()) return;
  // It lags, as shows now: what was vouched for since its newest trade was made was said too early.
  vouched_ = heard_.event;
  for (const Instrument* instrument : instruments) intake_.watched_no_further(*instrument, vouched_, records, feed_);
}

ConnectionWatch::Owed ConnectionWatch::owed(Instruments instruments, Timestamp now) const {
  Owed out;
  for (const Instrument* instrument : instruments) {
    const double expected = intake_.pace(*instrument).expected(now);
    out.all += expected;
    if (instrument->ids == Ids::sequence) out.by_ids.emplace_back(instrument->id, expected);
  }
  return out;
}

// Whether instruments that should have traded often meanwhile go on without a missing id.
bool ConnectionWatch::went_on(std::span<const Record> records) const {
  double gone_on = 0;
  std::uint32_t last = UINT32_MAX;
  for (const Record& r : records) {
    if (r.kind() == RecordKind::hole) return false;
    if (r.kind() != RecordKind::trade || r.instrument() == last) continue;
    last = r.instrument();
    const auto known = std::ranges::find(owed_.by_ids, last, &std::pair<std::uint32_t, double>::first);
    if (known != owed_.by_ids.end()) gone_on += known->second;
  }
  return gone_on >= owed_trades;
}

// It speaks again, and what was made while it was silent may never come: what it says now vouches for none of that.
// Only if ids go on was it quiet, and not mute. The marks come before the trades that it brought, whose ids may tell.
void ConnectionWatch::end_doubt(Instruments instruments, std::size_t first, Timestamp received, Time now,
                                std::vector<Record>& records) {
  const auto silent = std::chrono::duration_cast<std::chrono::microseconds>(now - silence_.known_until());
  silence_.resume(now);                 // that silence is not what is usual
  if (owed_.all < owed_trades) return;  // another connection has brought them meanwhile
  if (went_on(std::span(records).subspan(first))) return;
  const Timestamp since = received - Duration{silent.count()} - in_flight_;
  std::vector<Record> marks;
  for (const Instrument* instrument : instruments) intake_.missed(*instrument, since, received, marks, true);
  records.insert(records.begin() + static_cast<std::ptrdiff_t>(first), marks.begin(), marks.end());
}

// ---- What does not come ----

bool ConnectionWatch::lulled(bool settled, Time now) {
  if (!settled && !doubting_) {
    silence_.resume(now);
    return false;
  }
  doubting_ = doubting_ || silence_.suspect(now);
  return doubting_;
}

void ConnectionWatch::vouched(Time now) {
  silence_.vouched(now);
  doubting_ = false;
}

void ConnectionWatch::watched(Instruments instruments, Timestamp frame, Timestamp time, Time now,
                              std::vector<Record>& marks) {
  heard_.frame = frame;
  const bool lull = doubting_ || silence_.suspect(now), owing = silence_.expected(now) >= owed_messages;
  // What being alive vouched for since its newest data is in doubt with them: bars that are still open must not say
  // that they are whole. Those that are closed have said so, and their trades are asked for.
  const Timestamp surely = std::max(heard_.event, std::exchange(closed_, time - in_flight_));
  const bool doubt = lull || (owing && heard_.event.us == 0);
  if (doubt && vouched_ > surely) {
    vouched_ = surely;
    for (const Instrument* instrument : instruments) intake_.watched_no_further(*instrument, surely, marks, feed_);
  }
  vouched_ = std::max(vouched_, reach_of(heard_, lull, owing, in_flight_));
  for (const Instrument* instrument : instruments) intake_.watched(*instrument, vouched_, time, marks, feed_);
}

void ConnectionWatch::clock_moved(Instruments instruments, Timestamp was, Timestamp is, std::vector<Record>& marks) {
  vouched_ = closed_ = {};
  if (heard_.received.us != 0) heard_.received = heard_.received + (is - was);
  heard_.event = std::min(heard_.event, heard_.received);
  if (is >= was) return;
  for (const Instrument* instrument : instruments) intake_.watched_anew(*instrument, is, marks);
}

// What was made shortly before `until` may have been on its way.
void ConnectionWatch::lose(Instruments instruments, Timestamp until, bool mute, Timestamp time,
                           std::vector<Record>& records) {
  Timestamp lost = until - in_flight_;
  if (heard_.event.us != 0 && lags()) lost = std::min(lost, heard_.event);
  intake_.forget_feed(feed_);
  for (const Instrument* instrument : instruments) {
    // Of a mute connection one instrument may have been alive: a busy one is lost since it was heard itself.
    const TradeRate& pace = intake_.pace(*instrument);
    const bool silent = mute && pace.expected(time) >= silent_trades;
    intake_.lose(*instrument, silent ? std::min(lost, pace.last() - in_flight_) : lost, records, feed_);
  }
}

}  // namespace cvdd
