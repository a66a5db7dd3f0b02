// What a session takes from its connection: messages into records, records into the queue; and what it says of its
// instruments when nothing comes, or no more.
#include <algorithm>

#include "cvdd/feed/session.hpp"

namespace cvdd {

namespace {
// A connection that is mute kept an instrument from us that should have traded so often.
constexpr double silent_trades = 10;
// A young connection that has brought nothing, where so many messages are usual, does not vouch by being alive.
constexpr double owed_messages = 5;
// Instruments that should have traded so often together, and lack no id, show that a silent connection was quiet.
constexpr double owed_trades = 4;
}  // namespace

asio::awaitable<void> Session::read_messages() {
  while (!stopping_) {
    const auto messages = co_await transport_->read(liveness_->deadline());
    // Given up meanwhile, and who did that has said why. What is taken now could not be delivered any more, and would
    // count as seen.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    const auto now = context_.clock->steady();
    liveness_->frame(transport_->last_frame());
    if (!messages.has_value()) {
      note_end(messages.error(), now);
      co_return;
    }
    if (!take_all(*messages, now)) co_return;
    if (!records_.empty() && !deliver_at_once()) co_await deliver();
  }
}

// What was read at once was received at once: reading the clock for each message costs more than it tells. False if the
// connection should end.
bool Session::take_all(std::span<const std::string_view> messages, Liveness::Time now) {
  counters_.messages += messages.size();
  const Timestamp received = context_.time->now();
  std::uint32_t with_trades = 0;
  bool good = true;
  const std::size_t before = records_.size();
  const bool doubted = doubting_ || silence_.suspect(now);
  const Owed due = doubted ? owed(received) : Owed{};
  for (auto left = messages; good && !left.empty();) {
    const auto some = context_.intake->read(left);
    left = left.subspan(some.size());
    for (const Parsed& parsed : some) {
      context_.intake->take(parsed, received, records_, settings_.number);
      if (!parsed.trades.empty()) {
        ++with_trades;
        for (const Trade& t : parsed.trades) {
          if (!t.snapshot) heard_.event = std::max(heard_.event, std::min(t.time, received));
        }
      }
      if (parsed.asks_nothing() || answer(parsed)) continue;
      good = false;
      break;
    }
  }
  if (with_trades == 0) {
    liveness_->frame(now);
    return good;
  }
  if (doubted) end_doubt(due, before, received, now);
  silence_.heard(now, with_trades);
  heard_.received = received;
  doubting_ = false;
  if (!liveness_->any_data()) {
    backoff_.reset();
    context_.hosts->good(host_);
    live_ = true;
  }
  liveness_->data(now, with_trades);
  if (heard_.event < vouched_ && heard_.received - heard_.event > settings_.in_flight) retract();
  return good;
}

Session::Owed Session::owed(Timestamp now) const {
  Owed out;
  for (const Instrument* instrument : instruments_) {
    const double expected = context_.intake->pace(*instrument).expected(now);
    out.all += expected;
    if (instrument->ids == Ids::sequence) out.by_ids.emplace_back(instrument->id, expected);
  }
  return out;
}

// It speaks again, and what was made while it was silent may never come: what it says now vouches for none of that.
// Only if instruments that should have traded often meanwhile go on without a missing id was it quiet, and not mute.
// The marks come before the trades that it brought, whose ids may tell.
void Session::end_doubt(const Owed& owed, std::size_t before, Timestamp received, Liveness::Time now) {
  const auto silent = std::chrono::duration_cast<std::chrono::microseconds>(now - silence_.known_until());
  silence_.resume(now);                // that silence is not what is usual
  if (owed.all < owed_trades) return;  // another connection has brought them meanwhile
  double gone_on = 0;
  bool missing = false;
  std::uint32_t last = UINT32_MAX;
  for (auto r = records_.begin() + static_cast<std::ptrdiff_t>(before); r != records_.end(); ++r) {
    missing = missing || r->kind() == RecordKind::hole;
    if (r->kind() != RecordKind::trade || r->instrument() == last) continue;
    last = r->instrument();
    const auto known = std::ranges::find(owed.by_ids, last, &std::pair<std::uint32_t, double>::first);
    if (known != owed.by_ids.end()) gone_on += known->second;
  }
  if (!missing && gone_on >= owed_trades) return;
  const Timestamp since = received - Duration{silent.count()} - settings_.in_flight;
  std::vector<Record> marks;
  for (const Instrument* instrument : instruments_) {
    context_.intake->missed(*instrument, since, received, marks, true);
  }
  records_.insert(records_.begin() + static_cast<std::ptrdiff_t>(before), marks.begin(), marks.end());
}

// Why reading ended.
void Session::note_end(const boost::system::error_code& error, Liveness::Time now) {
  if (error != NetError::timed_out) {
    if (error == NetError::closed) cause_ = EndCause::closed;
    why_ = error.message() + ": " + transport_->last_error_detail();
    return;
  }
  const Liveness::Verdict verdict = liveness_->verdict(now);
  // Fine: a ping moved the deadline while we waited; the socket is gone all the same.
  why_ = verdict == Liveness::Verdict::fine ? "timed out" : reason_of(verdict);
  mute_ = verdict == Liveness::Verdict::silent || verdict == Liveness::Verdict::no_first_frame;
  cause_ = mute_ ? EndCause::mute : EndCause::silent;
}

// The usual case of deliver(): nobody waits, and there is room.
bool Session::deliver_at_once() {
  if (context_.writer->busy()) return false;
  push_marks();
  if (!marks_.empty()) return false;
  push_records();
  if (!records_.empty()) return false;
  context_.wakeup->pull();
  return true;
}

void Session::push_records() {
  Channel& channel = *context_.writer->channel();
  channel.stamp(context_.clock->steady());
  const std::size_t pushed = channel.push(records_);
  records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(pushed));
  counters_.queue_max = std::max(counters_.queue_max, channel.waiting());
}

void Session::push_marks() {
  if (marks_.empty()) return;
  const std::size_t pushed = context_.writer->channel()->push(marks_);
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(pushed));
  context_.wakeup->pull();
}

// A full queue stops this connection's reading: TCP pushes back, nothing is dropped. What was pushed is taken away at
// once, since this may be given up in the middle.
asio::awaitable<void> Session::deliver() {
  const ChannelWriter::Turn place(*context_.writer);
  while (true) {
    if (place.first()) {
      push_marks();
      if (marks_.empty()) push_records();
      if (records_.empty() && marks_.empty()) {
        context_.wakeup->pull();
        co_return;
      }
      context_.wakeup->now();
    }
    ++counters_.backpressure_waits;
    const auto since = context_.clock->steady();
    co_await pause(std::chrono::milliseconds(1));
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(context_.clock->steady() - since);
    counters_.backpressure_us += static_cast<std::uint64_t>(waited.count());
  }
}

std::size_t Session::inject(std::span<const Record> records) {
  if (context_.writer->busy()) return 0;
  const std::size_t pushed = context_.writer->channel()->push(records);
  context_.wakeup->pull();
  return pushed;
}

bool Session::lulled() {
  const auto now = context_.clock->steady();
  if (!liveness_ || !live_) return false;
  const bool settled = !asking() && std::all_of(requests_.begin(), requests_.end(),
                                                [](const Request& r) { return r.kind == RequestKind::probe; });
  if (!settled && !doubting_) {
    silence_.resume(now);
    return false;
  }
  if (doubting_ || !silence_.suspect(now)) return doubting_;
  return doubting_ = true;
}

void Session::vouch() {
  if (!liveness_) return;
  liveness_->vouched(context_.clock->steady());
  silence_.vouched(context_.clock->steady());
  doubting_ = false;
}

Timestamp Session::last_frame() const {
  const auto ago = context_.clock->steady() - liveness_->last_frame();
  return context_.time->now() - Duration{std::chrono::duration_cast<std::chrono::microseconds>(ago).count()};
}

// It lags, as shows now: what was vouched for since its newest trade was made was said too early.
void Session::retract() {
  vouched_ = heard_.event;
  for (const Instrument* instrument : instruments_) {
    context_.intake->watched_no_further(*instrument, vouched_, records_, settings_.number);
  }
}

void Session::clock_set(Timestamp was, Timestamp is, Timestamp agreed) {
  vouched_ = {};
  if (heard_.received.us != 0) heard_.received = heard_.received + (is - was);
  for (const Instrument* instrument : instruments_) context_.intake->clock_set(*instrument, was, is, agreed, marks_);
  if (!context_.writer->busy()) push_marks();
}

void Session::nudge(Timestamp end) {
  if (!liveness_ || last_frame() >= end) return;
  nudged_ = true;
  write_timer_->cancel();
}

void Session::watch() {
  if (!liveness_ || !records_.empty() || !marks_.empty() || context_.writer->busy()) return;
  const Timestamp now = context_.time->now();
  heard_.frame = last_frame();
  const auto steady = context_.clock->steady();
  const bool lull = doubting_ || silence_.suspect(steady), owing = silence_.expected(steady) >= owed_messages;
  vouched_ = std::max(vouched_, reach_of(heard_, lull, owing, settings_.in_flight));
  for (const Instrument* instrument : instruments_) {
    context_.intake->watched(*instrument, vouched_, now, marks_, settings_.number);
  }
  push_marks();
}

// Up to the last frame the data are known to be complete, unless they had stopped or lagged before; what was made
// shortly before that may have been on its way.
void Session::lose_all() {
  const auto since = mute_ ? liveness_->last_data() : liveness_->last_frame();
  const auto ago = std::chrono::duration_cast<std::chrono::microseconds>(context_.clock->steady() - since).count();
  Timestamp lost = context_.time->now() - Duration{ago} - settings_.in_flight;
  const bool lags = heard_.event.us != 0 && heard_.received - heard_.event > settings_.in_flight;
  if (lags) lost = std::min(lost, heard_.event);
  context_.intake->forget_feed(settings_.number);
  const Timestamp now = context_.time->now();
  for (const Instrument* instrument : instruments_) {
    // Of a mute connection one instrument may have been alive: a busy one is lost since it was heard itself.
    const TradeRate& pace = context_.intake->pace(*instrument);
    const bool silent = mute_ && pace.expected(now) >= silent_trades;
    const Timestamp since_heard = silent ? std::min(lost, pace.last() - settings_.in_flight) : lost;
    context_.intake->lose(*instrument, since_heard, records_, settings_.number);
  }
}

}  // namespace cvdd
