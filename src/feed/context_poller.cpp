#include "cvdd/feed/context_poller.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace cvdd {

namespace {
constexpr std::chrono::seconds request_timeout{20}, looked_every{5};
constexpr std::size_t body_max = std::size_t{1} << 20;
}  // namespace

ContextPoller::ContextPoller(ContextPollerContext context, const DataChannel& channel)
    : context_(std::move(context)), channel_(channel), timer_(context_.clock->timer()) {}

void ContextPoller::stop() {
  stopping_ = true;
  timer_->cancel();
}

void ContextPoller::add(const Instrument& instrument) {
  turns_.push_front({&instrument, context_.clock->steady()});
  timer_->cancel();
}

void ContextPoller::remove(const Instrument& instrument) {
  std::erase_if(turns_, [&](const Turn& turn) { return turn.instrument == &instrument; });
}

bool ContextPoller::refers_to(const Instrument& instrument) const {
  return asking_ == &instrument ||
         std::ranges::any_of(turns_, [&](const Turn& turn) { return turn.instrument == &instrument; });
}

asio::awaitable<void> ContextPoller::sleep(std::chrono::microseconds time) {
  co_await timer_->wait_until(context_.clock->steady() + time);
}

asio::awaitable<void> ContextPoller::run() {
  while (!stopping_) {
    const Time now = context_.clock->steady();
    if (turns_.empty() || turns_.front().due > now) {
      co_await timer_->wait_until(turns_.empty() ? now + looked_every
                                                 : std::min(turns_.front().due, now + looked_every));
      continue;
    }
    co_await wait_for_budget();
    if (stopping_) co_return;
    if (turns_.empty()) continue;  // it was taken away meanwhile
    const Instrument& instrument = *turns_.front().instrument;
    turns_.pop_front();
    turns_.push_back({&instrument, context_.clock->steady() + std::chrono::microseconds(channel_.poll->every.us)});
    asking_ = &instrument;
    co_await ask(instrument);
    asking_ = nullptr;
  }
}

asio::awaitable<void> ContextPoller::wait_for_budget() {
  if (context_.budget != nullptr && asked_++ % channel_.poll->per_request == 0) {
    const Duration wait = context_.budget->take(undated(*context_.clock));
    const Time until = context_.clock->steady() + std::chrono::microseconds(wait.us);
    while (!stopping_ && context_.clock->steady() < until) co_await timer_->wait_until(until);
  }
  while (!stopping_) {
    const Duration blocked = context_.gate->blocked(undated(*context_.clock));
    if (blocked.us <= 0) co_return;
    co_await sleep(std::chrono::microseconds(blocked.us));
  }
}

// An answer that does not come, or is none, cuts the kind until one does.
asio::awaitable<void> ContextPoller::ask(const Instrument& instrument) {
  const Url& host = context_.hosts[host_ % context_.hosts.size()];
  const auto http = context_.make_http_get();
  const Time deadline = context_.clock->steady() + request_timeout;
  auto response = co_await http->get(host, channel_.poll->target(instrument), deadline, body_max);
  if (stopping_ || !refers_to(instrument)) co_return;
  std::string error;
  if (!response.has_value()) {
    error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
    ++host_;  // maybe the next one can
  } else if (response->status != 200) {
    error = host.host + ": " + words_of(*response);
    context_.heed(*response, error);
    ++host_;
  } else {
    error = channel_.poll->read(response->body, instrument, parsed_);
  }
  if (error.empty()) {
    context_.intake->take(parsed_, context_.time->now());
    last_failure_.clear();
    co_return;
  }
  context_.intake->lost(instrument, channel_.kinds, context_.time->now());
  if (error == last_failure_) co_return;  // the same again is no news
  last_failure_ = error;
  spdlog::warn("no answer about {} market=\"{}\" symbol={} reason=\"{}\"", channel_.name, context_.name,
               instrument.symbol, error);
}

}  // namespace cvdd
