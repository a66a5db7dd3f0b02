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
  std::optional<TokenBucket> hour;
  if (exchange.limits.requests_per_hour > 0) hour.emplace(exchange.limits.requests_per_hour, seconds(3'600));
  bool reserved = false;  // of the hour
  begin_asking();
  while (!stopping_) {
    const auto now = context_.clock->steady();
    if (condemned_) {
      why_ = "trades that the exchange has did not come";
      cause_ = EndCause::mute;
      mute_ = true;
      co_return;
    }
    if (now >= ask_refused_again_) ask_refused_again();
    std::string text;
    bool ping = false;
    if (!replies_.empty()) {
      text = std::move(replies_.front());
      replies_.pop_front();
    } else if (asking() && now >= ask_after_) {
      if (hour && !reserved) {
        const Duration wait = hour->take(undated(*context_.clock));
        reserved = true;
        ask_after_ = now + std::chrono::microseconds(wait.us);
        if (wait.us > 0) continue;
      }
      reserved = false;
      text = next_request();
      if (text.empty()) continue;
    } else if (wants_probe(now)) {
      last_probe_ = now;
      nudged_ = false;
      text = exchange.probe(remember({RequestKind::probe, {}}));
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
  to_subscribe_.assign(instruments_.begin(), instruments_.end());
  to_unsubscribe_.clear();
  apart_.clear();
  refused_.clear();
  replies_.clear();
  accepted_any_ = condemned_ = false;
  refusals_ = 0;
  last_probe_ = last_ping_ = context_.clock->steady();
  ask_after_ = {};
  ask_refused_again_ = Liveness::Time::max();
  if (exchange.hello != nullptr) replies_.push_back(exchange.hello(remember({RequestKind::probe, {}})));
}

bool Session::wants_probe(Liveness::Time now) const {
  const Exchange& exchange = context_.intake->exchange();
  if (exchange.probe == nullptr) return false;
  if (requests_.empty() && (nudged_ || liveness_->wants_probe(now))) return true;
  const auto every = std::chrono::microseconds(exchange.limits.probe_every.us);
  return every.count() > 0 && now >= last_probe_ + every;
}

std::uint64_t Session::remember(Request request) {
  request.id = next_request_++;
  request.sent = context_.clock->steady();
  requests_.push_back(std::move(request));
  update_waiting();
  return requests_.back().id;
}

// Unsubscribes first: that makes room. Empty: nothing has to be said.
std::string Session::next_request() {
  const Exchange& exchange = context_.intake->exchange();
  std::vector<const Instrument*> some;
  const auto take = [&](std::deque<const Instrument*>& queue) {
    const auto count = std::min<std::ptrdiff_t>(exchange.limits.instruments_per_request, std::ssize(queue));
    some.assign(queue.begin(), queue.begin() + count);
    queue.erase(queue.begin(), queue.begin() + count);
  };
  if (!to_unsubscribe_.empty()) {
    take(to_unsubscribe_);
    std::string text = exchange.request(Verb::unsubscribe, exchange.trades(settings_.stream), some, next_request_);
    if (!text.empty()) (void)remember({RequestKind::unsubscribe, std::move(some)});
    return text;
  }
  if (!apart_.empty()) {
    some = std::move(apart_.front());
    apart_.pop_front();
  } else {
    take(to_subscribe_);
  }
  std::string text = exchange.request(Verb::subscribe, exchange.trades(settings_.stream), some, next_request_);
  (void)remember({RequestKind::subscribe, std::move(some)});
  return text;
}

void Session::add(std::span<const Instrument* const> instruments) {
  instruments_.insert(instruments_.end(), instruments.begin(), instruments.end());
  if (!liveness_) return;  // they are subscribed when the connection begins
  to_subscribe_.insert(to_subscribe_.end(), instruments.begin(), instruments.end());
  write_timer_->cancel();
}

void Session::remove(std::span<const Instrument* const> instruments) {
  watch();
  for (const Instrument* instrument : instruments) {
    if (std::erase(instruments_, instrument) == 0) continue;
    context_.intake->end(*instrument, context_.time->now(), marks_);
    if (!liveness_) continue;
    if (std::erase(to_subscribe_, instrument) + std::erase(refused_, instrument) == 0) {
      to_unsubscribe_.push_back(instrument);
    }
  }
  if (!context_.writer->busy()) push_marks();
  write_timer_->cancel();
}

void Session::resubscribe(const Instrument& instrument) {
  if (!liveness_ || std::find(instruments_.begin(), instruments_.end(), &instrument) == instruments_.end()) return;
  // Without an order of ids a hole between out and in would not be seen: it is one.
  if (instrument.ids == Ids::opaque) {
    context_.intake->lose(instrument, context_.time->now() - settings_.in_flight, marks_, settings_.number);
    if (!context_.writer->busy()) push_marks();
  }
  to_unsubscribe_.push_back(&instrument);
  to_subscribe_.push_back(&instrument);
  write_timer_->cancel();
}

void Session::update_waiting() {
  liveness_->waiting_since(requests_.empty() ? std::nullopt : std::optional(requests_.front().sent));
}

}  // namespace cvdd
