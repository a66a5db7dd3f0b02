#include "cvdd/feed/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;

ConnectorContext connector_of(const SessionContext& context, const SessionSettings& settings) {
  ConnectorContext out;
  out.make_transport = context.make_transport;
  out.clock = context.clock;
  out.hosts = context.hosts;
  out.gate = context.gate;
  out.avoid_host = context.avoid_host;
  out.exchange = &context.intake->exchange();
  out.stream = settings.stream;
  out.urls = settings.hosts;
  out.timeout = settings.connect_timeout;
  out.name = settings.name;
  return out;
}
}  // namespace

Session::Session(SessionContext context, SessionSettings settings)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      connector_(connector_of(context_, settings_)),
      subscriptions_(context_.intake->exchange()),
      watch_(*context_.intake, settings_.number, settings_.in_flight),
      delivery_(context_.writer, *context_.clock, *context_.wakeup),
      timer_(context_.clock->timer()),
      write_timer_(context_.clock->timer()),
      backoff_(seconds(1), seconds(30), settings_.seed) {}

void Session::stop() {
  stopping_ = true;
  timer_->cancel();
  write_timer_->cancel();
}

asio::awaitable<void> Session::pause(Millis time) { co_await timer_->wait_until(context_.clock->steady() + time); }

asio::awaitable<void> Session::run() {
  co_await connect_again_and_again();
  ended_ = true;
}

asio::awaitable<void> Session::connect_again_and_again() {
  while (!stopping_) {
    do {
      const Millis wait = connector_.take_turn();
      if (wait.count() > 0) co_await pause(wait);
    } while (connector_.overslept() && !stopping_);
    if (stopping_) co_return;
    if (co_await connect()) {
      co_await converse();
      co_await transport_->close(context_.clock->steady() + Millis(500));
      transport_.reset();
      if (stopping_) {  // the open bars are written as partial: no loss to mark
        // What was waiting for room has been counted as seen: no other connection will bring it.
        if (!delivery_.records.empty() || !delivery_.marks.empty()) co_await delivery_.wait();
        for (const Instrument* instrument : instruments_) context_.intake->leave(*instrument, settings_.number);
        co_return;
      }
      lose_all();
      if (!liveness_->any_data()) connector_.failed();
      if (mute_ && !liveness_->any_data()) connector_.silent();
      liveness_.reset();
      subscriptions_.end();
      connected_at_ = {};
      ++counters_.ends[static_cast<std::size_t>(cause_)];
      last_end_ = why_;
      co_await delivery_.wait();
      live_ = false;
      spdlog::warn("connection ended, reconnecting session=\"{}\" reason=\"{}\"", settings_.name, why_);
    }
    if (stopping_) co_return;
    const Duration delay = std::max(backoff_.next(), std::exchange(stay_away_, {}));
    co_await pause(Millis(delay.us / 1000));
  }
}

asio::awaitable<bool> Session::connect() {
  ++counters_.connects;
  Connector::Attempt attempt = co_await connector_.connect(instruments_.size());
  transport_ = std::move(attempt.transport);
  if (transport_) {
    connected_at_ = context_.clock->steady();
    co_return true;
  }
  ++counters_.failures;
  ++counters_.ends[static_cast<std::size_t>(attempt.refused ? EndCause::refused : EndCause::network)];
  last_end_ = std::move(attempt.why);
  co_return false;
}

asio::awaitable<void> Session::converse() {
  using namespace asio::experimental::awaitable_operators;
  liveness_.emplace(settings_.limits, context_.clock->steady());
  watch_.begin(context_.clock->steady());
  nudged_ = false;
  subscriptions_.begin();
  closing_soon_ = false;
  if (settings_.renew_after.count() > 0) renew_at_ = context_.clock->steady() + settings_.renew_after;
  why_.clear();
  cause_ = EndCause::network;
  mute_ = false;
  co_await (read_messages() || write_requests());
}

ConnectionState Session::state() const {
  ConnectionState out;
  out.name = settings_.name;
  out.host = connector_.host_name();
  out.instruments = instruments_.size();
  out.connects = counters_.connects;
  out.failures = counters_.failures;
  out.messages = counters_.messages;
  out.last_reason = last_end_;
  out.state = "connecting";
  if (!liveness_) return out;
  out.since = connected_at_;
  out.last_message = liveness_->any_data() ? liveness_->last_data() : Liveness::Time{};
  out.state = watch_.doubting() ? "mute" : subscriptions_.asking() || !liveness_->any_data() ? "subscribing" : "live";
  return out;
}

FeedState Session::feed_state(const Instrument& instrument) const {
  if (!liveness_) return FeedState::connecting;
  return subscriptions_.is_refused(trades_of(instrument)) ? FeedState::refused : FeedState::subscribing;
}

}  // namespace cvdd
