#include "cvdd/feed/context_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
// Nothing of any kind for so long: the connection is dead. Signs of life are asked for well before.
constexpr std::chrono::seconds silence_max{60}, quiet{15};
// No value for so long, where prices are told: it is mute. As long for few channels as for few instruments with trades.
constexpr std::chrono::seconds mute_after{60}, mute_after_few{300};
constexpr std::size_t few = 10;
constexpr Millis write_timeout{10'000}, write_loop_every{2'000}, room_looked_for_every{5'000};
// What a market's trades need of the exchange's patience they need at the beginning.
constexpr Millis trades_first{20'000};
constexpr std::size_t replies_max = 16;
}  // namespace

ContextSession::ContextSession(ContextSessionContext context)
    : context_(std::move(context)),
      connector_(context_.connection),
      subscriptions_(*context_.connection.exchange),
      timer_(clock().timer()),
      write_timer_(clock().timer()),
      backoff_(seconds(5), seconds(60), context_.seed) {}

void ContextSession::stop() {
  stopping_ = true;
  timer_->cancel();
  write_timer_->cancel();
}

// ---- Who is carried ----

void ContextSession::add(const Instrument& instrument, std::span<const DataChannel* const> channels) {
  symbols_[instrument.symbol] = &instrument;
  for (const DataChannel* channel : channels) {
    wanted_.push_back({&instrument, channel});
    subscriptions_.add(wanted_.back());
  }
  write_timer_->cancel();
}

void ContextSession::remove(const Instrument& instrument) {
  const auto known = symbols_.find(instrument.symbol);
  if (known != symbols_.end() && known->second == &instrument) symbols_.erase(known);
  std::erase_if(wanted_, [&](const Subscription& what) {
    if (what.instrument != &instrument) return false;
    subscriptions_.remove(what);
    return true;
  });
  write_timer_->cancel();
}

bool ContextSession::carries(const Instrument& instrument) const {
  return std::ranges::any_of(wanted_, [&](const Subscription& what) { return what.instrument == &instrument; });
}
bool ContextSession::refers_to(const Instrument& instrument) const {
  return carries(instrument) || (!ended_ && subscriptions_.refers_to(instrument));
}

// ---- A connection's life ----

asio::awaitable<void> ContextSession::pause(Millis time) { co_await timer_->wait_until(clock().steady() + time); }

// The trades go first: while they need the exchange's patience, nothing is asked of it here.
asio::awaitable<void> ContextSession::wait_for_turn() {
  while (!stopping_ && !context_.connection.gate->has_room(undated(clock()))) co_await pause(room_looked_for_every);
  if (stopping_) co_return;
  do {
    const Millis wait = connector_.take_turn();
    if (wait.count() > 0) co_await pause(wait);
  } while (connector_.overslept() && !stopping_);
}

asio::awaitable<void> ContextSession::run() {
  co_await pause(trades_first);
  while (!stopping_) {
    co_await wait_for_turn();
    if (stopping_) break;
    ++connects_;
    Connector::Attempt attempt = co_await connector_.connect(symbols_.size());
    transport_ = std::move(attempt.transport);
    if (transport_) {
      co_await converse();
      co_await transport_->close(clock().steady() + Millis(500));
      transport_.reset();
      subscriptions_.end();
      if (!brought_) connector_.failed();
      if (!stopping_) {
        spdlog::warn("connection ended, reconnecting session=\"{}\" reason=\"{}\"", context_.connection.name, why_);
      }
    } else {
      // What was never subscribed is cut as well: nobody knows it.
      lose_all();
    }
    if (!stopping_) co_await pause(Millis(backoff_.next().us / 1000));
  }
  ended_ = true;
}

asio::awaitable<void> ContextSession::converse() {
  using namespace asio::experimental::awaitable_operators;
  subscriptions_.begin();
  replies_.clear();
  why_.clear();
  brought_ = mute_ = false;
  connected_ = true;
  last_frame_ = last_value_ = last_probe_ = last_ping_ = clock().steady();
  if (exchange().hello != nullptr) replies_.push_back(exchange().hello(subscriptions_.probe(clock().steady())));
  co_await (read_messages() || write_requests());
  connected_ = false;
  if (!stopping_) lose_all();
}

// Up to the last frame all that there was has come, unless the values had stopped before.
void ContextSession::lose_all() {
  const Time last = mute_ ? last_value_ : last_frame_;
  const auto silent = std::chrono::duration_cast<std::chrono::microseconds>(clock().steady() - last);
  const Duration ago{last == Time{} ? 0 : silent.count()};
  const Timestamp since = context_.time->now() - ago;
  for (const Subscription& what : wanted_) context_.intake->lost(*what.instrument, what.channel->kinds, since);
}

// ---- What comes ----

// Forced orders are rare: of their silence nothing follows.
ContextSession::Time ContextSession::deadline() const {
  const Time dead = last_frame_ + silence_max;
  const bool prices = std::ranges::any_of(wanted_, [](const Subscription& what) {
    return what.channel->kinds.has(DataKind::book) || what.channel->kinds.has(DataKind::mark);
  });
  if (!prices) return dead;
  return std::min(dead, last_value_ + (wanted_.size() < few ? mute_after_few : mute_after));
}

asio::awaitable<void> ContextSession::read_messages() {
  while (!stopping_) {
    const auto messages = co_await transport_->read(deadline());
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    last_frame_ = std::max(last_frame_, transport_->last_frame());
    if (!messages.has_value()) {
      const bool timed_out = messages.error() == NetError::timed_out;
      if (timed_out && clock().steady() < deadline()) continue;  // a ping came meanwhile
      mute_ = timed_out && clock().steady() < last_frame_ + silence_max;
      why_ =
          mute_ ? "alive, but it tells nothing" : messages.error().message() + ": " + transport_->last_error_detail();
      co_return;
    }
    last_frame_ = clock().steady();
    const Timestamp received = context_.time->now();
    for (const std::string_view message : *messages) {
      if (!take(message, received)) co_return;
    }
  }
}

// False: the connection is of no use.
bool ContextSession::take(std::string_view message, Timestamp received) {
  exchange().parse(message, symbols_, parsed_);
  if (parsed_.has_beside) last_value_ = last_frame_;
  if (parsed_.has_beside && !brought_) {
    brought_ = true;
    backoff_.reset();
    connector_.good();
  }
  context_.intake->take(parsed_, received);
  if (parsed_.pong) subscriptions_.probe_answered();
  if (!parsed_.reply.empty() && replies_.size() < replies_max) {
    replies_.push_back(parsed_.reply);
    write_timer_->cancel();
  }
  return std::ranges::all_of(parsed_.acks, [&](const Ack& ack) { return acknowledge(ack); });
}

bool ContextSession::acknowledge(const Ack& ack) {
  const Subscriptions::Changes changes = subscriptions_.acknowledge(ack, clock().steady());
  const Timestamp now = context_.time->now();
  for (const Subscription& what : changes.confirmed) {
    context_.intake->subscribed(*what.instrument, what.channel->kinds, now);
  }
  for (const Subscriptions::Refused& refused : changes.refused) {
    context_.intake->refused(*refused.what.instrument, refused.what.channel->kinds, now);
    context_.on_refused(refused.what, refused.why);
  }
  if (changes.more_to_ask) write_timer_->cancel();
  if (changes.useless.empty()) return true;
  why_ = changes.useless;
  return false;
}

// ---- What is said ----

asio::awaitable<void> ContextSession::write_requests() {
  TokenBucket pace(std::max(1U, exchange().limits.messages_per_second), seconds(1));
  while (!stopping_) {
    const Time now = clock().steady();
    subscriptions_.ask_refused_again(now);
    bool ping = false;
    std::string text = next_text(now, ping);
    if (text.empty() && !ping) {
      co_await write_timer_->wait_until(now + write_loop_every);
      continue;
    }
    const Duration wait = pace.take(undated(clock()));
    const Time until = clock().steady() + std::chrono::microseconds(wait.us);
    while (!stopping_ && clock().steady() < until) co_await write_timer_->wait_until(until);
    if (stopping_) co_return;
    if (!ping && exchange().dated != nullptr) text = exchange().dated(std::move(text), context_.time->now());
    const Time deadline = clock().steady() + write_timeout;
    Result<void> written;
    if (ping) {
      written = co_await transport_->ping(deadline);
    } else {
      written = co_await transport_->write(text, deadline);
    }
    if (written.has_value()) continue;
    why_ = written.error().message() + ": " + transport_->last_error_detail();
    co_return;
  }
}

std::string ContextSession::next_text(Time now, bool& ping) {
  if (!replies_.empty()) {
    std::string text = std::move(replies_.front());
    replies_.pop_front();
    return text;
  }
  if (subscriptions_.due(now)) {
    std::string text = subscriptions_.next(now);
    if (!text.empty()) return text;
  }
  const Limits& limits = exchange().limits;
  const auto every = std::chrono::microseconds(limits.probe_every.us);
  const bool probe_due =
      (every.count() > 0 && now >= last_probe_ + every) || (now >= last_frame_ + quiet && now >= last_probe_ + quiet);
  if (exchange().probe != nullptr && probe_due) {
    last_probe_ = now;
    return exchange().probe(subscriptions_.probe(now));
  }
  ping = limits.ping_every.us > 0 && now >= last_ping_ + std::chrono::microseconds(limits.ping_every.us);
  if (ping) last_ping_ = now;
  return {};
}

}  // namespace cvdd
