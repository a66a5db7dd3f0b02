#include "cvdd/feed/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis oversleeping_max{500};
}  // namespace

Session::Session(SessionContext context, SessionSettings settings)
    : context_(std::move(context)),
      settings_(std::move(settings)),
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
    // Who overslept its turn (the machine was frozen) takes another: all who did would come at once.
    for (bool overslept = true; overslept && !stopping_;) {
      const Duration wait = context_.gate->take_attempt(undated(*context_.clock));
      const auto turn = context_.clock->steady() + std::chrono::microseconds(wait.us);
      if (wait.us > 0) co_await pause(Millis(wait.us / 1000 + 1));
      overslept = context_.clock->steady() > turn + oversleeping_max;
    }
    if (stopping_) co_return;
    if (co_await connect()) {
      co_await converse();
      co_await transport_->close(context_.clock->steady() + Millis(500));
      transport_.reset();
      if (stopping_) {  // the open bars are written as partial: no loss to mark
        // What was waiting for room has been counted as seen: no other connection will bring it.
        if (!records_.empty() || !marks_.empty()) co_await deliver();
        for (const Instrument* instrument : instruments_) context_.intake->leave(*instrument, settings_.number);
        co_return;
      }
      lose_all();
      if (!liveness_->any_data()) context_.hosts->failed(host_, context_.clock->steady());
      note_silence();
      liveness_.reset();
      connected_at_ = {};
      ++counters_.ends[static_cast<std::size_t>(cause_)];
      last_end_ = why_;
      co_await deliver();
      live_ = false;
      spdlog::warn("connection ended, reconnecting session=\"{}\" reason=\"{}\"", settings_.name, why_);
    }
    if (stopping_) co_return;
    Duration delay = backoff_.next();
    if (std::exchange(refused_all_, false)) delay = std::max(delay, refused_pause);
    co_await pause(Millis(delay.us / 1000));
  }
}

asio::awaitable<bool> Session::connect() {
  transport_ = context_.make_transport();
  host_ = context_.hosts->pick(context_.clock->steady(), context_.avoid_host ? context_.avoid_host() : std::nullopt);
  const Url& host = settings_.hosts[host_];
  ++counters_.connects;
  const Exchange& exchange = context_.intake->exchange();
  other_path_ = exchange.other_ws_target != nullptr && context_.hosts->other_path();
  const std::string target = (other_path_ ? exchange.other_ws_target : exchange.ws_target)(settings_.stream);
  const auto deadline = context_.clock->steady() + settings_.connect_timeout;
  const auto connected = co_await transport_->connect(host, target, deadline);
  if (connected.has_value()) {
    last_failure_.clear();
    connected_at_ = context_.clock->steady();
    spdlog::info("connected session=\"{}\" host={}:{} instruments={}", settings_.name, host.host, host.port,
                 instruments_.size());
    co_return true;
  }
  ++counters_.failures;
  context_.hosts->failed(host_, context_.clock->steady());
  const bool refused = transport_->last_refusal().has_value();
  ++counters_.ends[static_cast<std::size_t>(refused ? EndCause::refused : EndCause::network)];
  const std::string failure = connected.error().message() + ": " + transport_->last_error_detail() + heed_refusal();
  last_end_ = failure;
  // One line per change of state: the same failure again is not news.
  if (failure != last_failure_) {
    spdlog::warn("can't connect, trying again session=\"{}\" host={}:{} reason=\"{}\"", settings_.name, host.host,
                 host.port, failure);
    last_failure_ = failure;
  }
  transport_.reset();
  co_return false;
}

// Acknowledged, and not a word: where another path may carry the same, the next connection takes that.
void Session::note_silence() {
  const Exchange& exchange = context_.intake->exchange();
  if (!mute_ || liveness_->any_data() || exchange.other_ws_target == nullptr) return;
  if (!context_.hosts->silent(other_path_)) return;
  spdlog::error("acknowledged, but silent: trying another path session=\"{}\" path={} next={}", settings_.name,
                (other_path_ ? exchange.other_ws_target : exchange.ws_target)(settings_.stream),
                (other_path_ ? exchange.ws_target : exchange.other_ws_target)(settings_.stream));
}

// What the answer to the upgrade asks of us, done, and said in a few words.
std::string Session::heed_refusal() {
  const auto refusal = transport_->last_refusal();
  if (!refusal) return "";
  const auto wait = refusal->retry_after ? std::optional(seconds(refusal->retry_after->count())) : std::nullopt;
  const Manners manners = manners_of(refusal->status, wait);
  if (manners.reason.empty()) return "";
  std::string said = " (" + std::string(manners.reason);
  if (manners.stay_away.us > 0) {
    context_.gate->stay_away(undated(*context_.clock) + manners.stay_away);
    said += "; staying away for " + std::to_string(manners.stay_away.us / 1'000'000) + " s";
  }
  if (manners.leave_host.us > 0) {
    context_.hosts->refused(host_, context_.clock->steady() + std::chrono::microseconds(manners.leave_host.us));
    said += "; " + std::string(context_.intake->exchange().region_note);
  }
  return said + ")";
}

asio::awaitable<void> Session::converse() {
  using namespace asio::experimental::awaitable_operators;
  liveness_.emplace(settings_.limits, context_.clock->steady());
  silence_.resume(context_.clock->steady());
  doubting_ = nudged_ = false;
  heard_ = {};
  vouched_ = {};
  requests_.clear();
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
  if (host_ < settings_.hosts.size()) out.host = settings_.hosts[host_].host;
  out.instruments = instruments_.size();
  out.connects = counters_.connects;
  out.failures = counters_.failures;
  out.messages = counters_.messages;
  out.last_reason = last_end_;
  out.state = "connecting";
  if (!liveness_) return out;
  out.since = connected_at_;
  out.last_message = liveness_->any_data() ? liveness_->last_data() : Liveness::Time{};
  out.state = doubting_ ? "mute" : asking() || !liveness_->any_data() ? "subscribing" : "live";
  return out;
}

FeedState Session::feed_state(const Instrument& instrument) const {
  if (!liveness_) return FeedState::connecting;
  const bool refused = std::find(refused_.begin(), refused_.end(), &instrument) != refused_.end();
  return refused ? FeedState::refused : FeedState::subscribing;
}

}  // namespace cvdd
