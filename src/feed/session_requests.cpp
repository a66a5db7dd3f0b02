// What a session asks of the exchange: subscriptions, batch by batch at the exchange's pace, and signs of life.
#include <algorithm>

#include "cvdd/feed/session.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::milliseconds write_timeout{10'000}, write_loop_every{2'000};
}  // namespace

// Subscribes batch by batch at the exchange's pace, answers what it asks, and asks for a sign of life: whenever the
// line is quiet, or as often as the exchange wants to be asked.
asio::awaitable<void> Session::write_requests() {
  const Exchange& exchange = context_.intake->exchange();
  TokenBucket pace(std::max(1U, exchange.limits.messages_per_second), seconds(1));
  begin_asking();
  while (!stopping_) {
    const auto now = context_.clock->steady();
    if (condemned_) {
      why_ = "trades that the exchange has did not come";
      cause_ = EndCause::mute;
      mute_ = true;
      co_return;
    }
    subscriptions_.ask_refused_again(now);
    std::string text;
    bool ping = false;
    if (!replies_.empty()) {
      text = std::move(replies_.front());
      replies_.pop_front();
    } else if (subscriptions_.due(now)) {
      text = subscriptions_.next(now);
      update_waiting();
      if (text.empty()) continue;
    } else if (wants_probe(now)) {
      last_probe_ = now;
      nudged_ = false;
      text = exchange.probe(remember_probe());
    } else if (exchange.limits.ping_every.us > 0 &&
               now >= last_ping_ + std::chrono::microseconds(exchange.limits.ping_every.us)) {
      last_ping_ = now;
      ping = true;
    } else {
      co_await write_timer_->wait_until(now + write_loop_every);
      continue;
    }
    const Duration wait = pace.take(undated(*context_.clock));
    if (wait.us > 0) {
      const auto until = context_.clock->steady() + std::chrono::microseconds(wait.us);
      while (!stopping_ && context_.clock->steady() < until) co_await write_timer_->wait_until(until);
      if (stopping_) co_return;
    }
    if (!ping && exchange.dated != nullptr) text = exchange.dated(std::move(text), context_.time->now());
    const auto deadline = context_.clock->steady() + write_timeout;
    Result<void> written;
    if (ping) {
      written = co_await transport_->ping(deadline);
    } else {
      written = co_await transport_->write(text, deadline);
    }
    if (!written.has_value()) {
      why_ = written.error().message() + ": " + transport_->last_error_detail();
      co_return;
    }
  }
}

void Session::begin_asking() {
  const Exchange& exchange = context_.intake->exchange();
  replies_.clear();
  condemned_ = false;
  last_probe_ = last_ping_ = context_.clock->steady();
  if (exchange.hello != nullptr) replies_.push_back(exchange.hello(remember_probe()));
}

bool Session::wants_probe(Liveness::Time now) const {
  const Exchange& exchange = context_.intake->exchange();
  if (exchange.probe == nullptr) return false;
  if (!subscriptions_.waiting() && (nudged_ || liveness_->wants_probe(now))) return true;
  const auto every = std::chrono::microseconds(exchange.limits.probe_every.us);
  return every.count() > 0 && now >= last_probe_ + every;
}

std::uint64_t Session::remember_probe() {
  const std::uint64_t id = subscriptions_.probe(context_.clock->steady());
  update_waiting();
  return id;
}

Subscription Session::trades_of(const Instrument& instrument) const {
  return {&instrument, &context_.intake->exchange().trades(settings_.stream)};
}

void Session::add(std::span<const Instrument* const> instruments) {
  instruments_.insert(instruments_.end(), instruments.begin(), instruments.end());
  for (const Instrument* instrument : instruments) subscriptions_.add(trades_of(*instrument));
  write_timer_->cancel();
}

void Session::remove(std::span<const Instrument* const> instruments) {
  watch();
  for (const Instrument* instrument : instruments) {
    if (std::erase(instruments_, instrument) == 0) continue;
    context_.intake->end(*instrument, context_.time->now(), delivery_.marks);
    subscriptions_.remove(trades_of(*instrument));
  }
  delivery_.push_marks();
  write_timer_->cancel();
}

void Session::resubscribe(const Instrument& instrument) {
  if (!liveness_ || std::find(instruments_.begin(), instruments_.end(), &instrument) == instruments_.end()) return;
  // Without an order of ids a hole between out and in would not be seen: it is one.
  if (instrument.ids == Ids::opaque) {
    context_.intake->lose(instrument, context_.time->now() - settings_.in_flight, delivery_.marks, settings_.number);
    delivery_.push_marks();
  }
  subscriptions_.renew(trades_of(instrument));
  write_timer_->cancel();
}

void Session::update_waiting() { liveness_->waiting_since(subscriptions_.waiting_since()); }

}  // namespace cvdd
