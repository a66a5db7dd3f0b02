// What a session takes from its connection: messages into records and answers; and what it says of its instruments when
// nothing comes, or no more.
#include "cvdd/feed/session.hpp"

namespace cvdd {

namespace {
constexpr std::size_t replies_max = 16;  // more of its questions at once are one too many

bool brings_something(const Parsed& parsed) {
  return !parsed.trades.empty() || parsed.has_beside || !parsed.newest.empty();
}
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
    if (!delivery_.records.empty() && !delivery_.at_once()) co_await delivery_.wait();
  }
}

// What was read at once was received at once: reading the clock for each message costs more than it tells. False if the
// connection should end.
bool Session::take_all(std::span<const std::string_view> messages, Liveness::Time now) {
  counters_.messages += messages.size();
  const Timestamp received = context_.time->now();
  std::uint32_t with_trades = 0, useless = 0;
  bool good = true;
  std::vector<Record>& records = delivery_.records;
  const std::size_t first = records.size();
  watch_.before_reading(instruments_, received, now);
  for (auto left = messages; good && !left.empty();) {
    const auto some = context_.intake->read(left);
    left = left.subspan(some.size());
    for (const Parsed& parsed : some) {
      context_.intake->take(parsed, received, records, settings_.number);
      if (!parsed.trades.empty()) {
        ++with_trades;
        watch_.heard(parsed.trades, received);
      }
      useless += brings_something(parsed) ? 0U : 1U;
      if (parsed.asks_nothing() || answer(parsed)) continue;
      good = false;
      break;
    }
  }
  if (!useless_messages_.add(useless, now) && good) {
    why_ = "more than " + std::to_string(useless_messages_max) + " messages in a second that bring nothing";
    good = false;
  }
  if (with_trades == 0) {
    liveness_->frame(now);
    return good;
  }
  watch_.after_reading(instruments_, first, received, now, records);
  if (!liveness_->any_data()) {
    backoff_.reset();
    connector_.good();
    live_ = true;
  }
  liveness_->data(now, with_trades);
  return good;
}

// What a message wants of us, or tells of our requests; false if the connection should end.
bool Session::answer(const Parsed& parsed) {
  if (parsed.pong) {
    subscriptions_.probe_answered();
    update_waiting();
  }
  if (!parsed.reply.empty() && replies_.size() < replies_max) {
    replies_.push_back(parsed.reply);
    write_timer_->cancel();
  }
  for (const Ack& ack : parsed.acks) {
    if (!acknowledge(ack)) return false;
  }
  if (parsed.list_changed && context_.on_list_changed) context_.on_list_changed();
  // Read on: another connection takes over before this one is closed.
  closing_soon_ = closing_soon_ || parsed.closing_soon;
  return true;
}

// False: the connection is of no use.
bool Session::acknowledge(const Ack& ack) {
  Subscriptions::Changes changes = subscriptions_.acknowledge(ack, context_.clock->steady());
  for (const Subscription& s : changes.confirmed) {
    context_.intake->confirm(*s.instrument, context_.time->now(), delivery_.records, settings_.number);
  }
  if (context_.on_refused) {
    for (const Subscriptions::Refused& r : changes.refused) context_.on_refused(*r.what.instrument, r.why);
  }
  if (changes.more_to_ask) write_timer_->cancel();
  update_waiting();
  if (changes.useless.empty()) return true;
  why_ = std::move(changes.useless);
  stay_away_ = changes.stay_away;
  return false;
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

bool Session::lulled() {
  return liveness_ && live_ && watch_.lulled(subscriptions_.settled(), context_.clock->steady());
}

void Session::vouch() {
  if (!liveness_) return;
  liveness_->vouched(context_.clock->steady());
  watch_.vouched(context_.clock->steady());
}

// By the exchange's clock.
Timestamp Session::was(Liveness::Time moment) const {
  const auto ago = std::chrono::duration_cast<std::chrono::microseconds>(context_.clock->steady() - moment);
  return context_.time->now() - Duration{ago.count()};
}

void Session::nudge(Timestamp end) {
  if (!liveness_ || was(liveness_->last_frame()) >= end) return;
  nudged_ = true;
  write_timer_->cancel();
}

void Session::watch() {
  if (!liveness_ || !delivery_.idle()) return;
  watch_.watched(instruments_, was(liveness_->last_frame()), context_.time->now(), context_.clock->steady(),
                 delivery_.marks);
  delivery_.push_marks();
}

void Session::clock_moved(Timestamp was, Timestamp is) {
  watch_.clock_moved(instruments_, was, is, delivery_.marks);
  delivery_.push_marks();
}

// Up to the last frame the data are known to be complete, unless they had stopped before.
void Session::lose_all() {
  const Timestamp until = was(mute_ ? liveness_->last_data() : liveness_->last_frame());
  watch_.lose(instruments_, until, mute_, context_.time->now(), delivery_.records);
}

}  // namespace cvdd
