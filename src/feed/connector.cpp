#include "cvdd/feed/connector.hpp"

#include <spdlog/spdlog.h>

namespace cvdd {

namespace {
constexpr std::chrono::milliseconds oversleeping_max{500};
}  // namespace

std::chrono::milliseconds Connector::take_turn() {
  const Duration wait = context_.gate->take_attempt(undated(*context_.clock));
  turn_ = context_.clock->steady() + std::chrono::microseconds(wait.us);
  return std::chrono::milliseconds(wait.us > 0 ? wait.us / 1000 + 1 : 0);
}

bool Connector::overslept() const { return context_.clock->steady() > turn_ + oversleeping_max; }

asio::awaitable<Connector::Attempt> Connector::connect(std::size_t instruments) {
  Attempt attempt;
  auto transport = context_.make_transport();
  host_ = context_.hosts->pick(context_.clock->steady(), context_.avoid_host ? context_.avoid_host() : std::nullopt);
  const Url& url = context_.urls[host_];
  other_path_ = context_.exchange->other_ws_target != nullptr && context_.hosts->other_path();
  const std::string path = target(other_path_);
  const auto connected = co_await transport->connect(url, path, context_.clock->steady() + context_.timeout);
  if (connected.has_value()) {
    last_failure_.clear();
    spdlog::info("connected session=\"{}\" host={}:{} instruments={}", context_.name, url.host, url.port, instruments);
    attempt.transport = std::move(transport);
    co_return attempt;
  }
  failed();
  attempt.refused = transport->last_refusal().has_value();
  attempt.why = connected.error().message() + ": " + transport->last_error_detail() + heed(*transport);
  // One line per change of state: the same failure again is not news.
  if (attempt.why != last_failure_) {
    spdlog::warn("can't connect, trying again session=\"{}\" host={}:{} reason=\"{}\"", context_.name, url.host,
                 url.port, attempt.why);
    last_failure_ = attempt.why;
  }
  co_return attempt;
}

void Connector::silent() {
  if (context_.exchange->other_ws_target == nullptr || !context_.hosts->silent(other_path_)) return;
  spdlog::error("acknowledged, but silent: trying another path session=\"{}\" path={} next={}", context_.name,
                target(other_path_), target(!other_path_));
}

// What the answer to the upgrade asks of us, done, and said in a few words.
std::string Connector::heed(const Transport& transport) {
  const auto refusal = transport.last_refusal();
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
    said += "; " + std::string(context_.exchange->region_note);
  }
  return said + ")";
}

}  // namespace cvdd
