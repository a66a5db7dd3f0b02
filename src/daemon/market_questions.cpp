// What a market asks its exchange by REST: its instruments, and what that asks of it.
#include <spdlog/spdlog.h>

#include <cstring>

#include "cvdd/daemon/market_runner.hpp"
#include "cvdd/feed/instrument_list.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::seconds rest_timeout{60};
constexpr std::chrono::seconds try_again_every{30};  // what could not be had at the start
constexpr std::chrono::seconds clock_looked_at_every{10};
constexpr Duration clock_step_min = seconds(1);
constexpr std::size_t instruments_body_max = std::size_t{64} << 20;
}  // namespace

// Wildcards follow what the exchange lists; what it takes off the list ends.
asio::awaitable<void> MarketRunner::follow_listings() {
  while (!stopping_) {
    const bool settled = listed_fresh_ && time_->known();
    const std::chrono::microseconds pause = !settled            ? try_again_every
                                            : unlisted_.empty() ? relist_every
                                                                : std::chrono::microseconds(unlisted_pause_.next().us);
    const auto next = context_.clock->steady() + pause;
    const Duration ahead = time_->local_clock_ahead();
    while (!stopping_ && !relist_ && context_.clock->steady() < next) {
      co_await timer_->wait_until(std::min(next, context_.clock->steady() + clock_looked_at_every));
      const Duration moved{time_->local_clock_ahead().us - ahead.us};
      if (moved.us > clock_step_min.us || moved.us < -clock_step_min.us) break;  // it was set, or we were asleep
    }
    if (stopping_) co_return;
    co_await measure_time();
    if (stopping_) co_return;
    if (!std::exchange(relist_, false) && context_.clock->steady() < next) continue;
    if (wanted_.empty()) continue;
    std::vector<Instrument> listed;
    std::string error;
    if (co_await fetch_instruments(listed, error)) {
      apply(listed);
    } else if (!stopping_) {
      spdlog::warn("can't read the instruments, going on with those known market=\"{}\" reason=\"{}\"", name(), error);
      apply(listed_);
    }
  }
}

// A refusal that asks something of us.
void MarketRunner::heed(const HttpResponse& response, std::string& error) {
  const auto header = [&](const char* name) {
    const auto found = response.headers.find(name);
    return found == response.headers.end() ? std::string() : found->second;
  };
  const auto wait = parse_retry_after(header("retry-after"), header("date"));
  const Manners manners = manners_of(response.status, wait ? std::optional(seconds(wait->count())) : std::nullopt);
  if (manners.reason.empty()) return;
  ++rest_refusals_[response.status];
  if (manners.stay_away.us > 0) context_.gate->stay_away(undated(*context_.clock) + manners.stay_away);
  error += " (" + std::string(manners.reason) + "; " +
           (manners.stay_away.us > 0 ? "staying away for " + std::to_string(manners.stay_away.us / 1'000'000) + " s"
                                     : std::string(exchange_.region_note)) +
           ")";
}

// The exchange's answer, or the last good one from disk while it can't be had.
asio::awaitable<std::vector<Instrument>> MarketRunner::load_instruments() {
  std::vector<Instrument> listed;
  (void)cached_instruments(listed_before_);
  load_units();
  Backoff backoff(seconds(1), seconds(60), std::hash<std::string>{}(name()));
  std::string last_error;
  while (!stopping_) {
    std::string error;
    if (co_await fetch_instruments(listed, error)) {
      spdlog::info("instruments read market=\"{}\" listed={}", name(), listed.size());
      co_return listed;
    }
    if (stopping_) break;
    if (cached_instruments(listed)) {
      spdlog::warn("can't read the instruments, using the last good list market=\"{}\" file={} reason=\"{}\"", name(),
                   cache_file(), error);
      co_return listed;
    }
    if (error != last_error) {
      spdlog::warn("can't read the instruments, trying again market=\"{}\" reason=\"{}\"", name(), error);
      last_error = error;
    }
    co_await timer_->wait_until(context_.clock->steady() + std::chrono::microseconds(backoff.next().us));
  }
  co_return listed;
}

// Parts that can't be had for the moment are as they were, at the start as they were on disk: no instrument ends
// because of them.
asio::awaitable<bool> MarketRunner::fetch_instruments(std::vector<Instrument>& listed, std::string& error) {
  ListRequest request;
  request.exchange = &exchange_;
  request.hosts = rest_hosts_;
  request.wanted = wanted_;
  request.make_http_get = context_.make_http_get;
  request.beside = context_.beside;
  request.deadline = [this] { return context_.clock->steady() + rest_timeout; };
  request.heed = [this](const HttpResponse& response, std::string& reason) { heed(response, reason); };
  request.may_ask = [this](std::string& reason) {
    const Duration wait = context_.gate->blocked(undated(*context_.clock));
    reason = stopping_ ? "stopping" : "asked to stay away for " + std::to_string(wait.us / 1'000'000) + " s more";
    return !stopping_ && wait.us <= 0;
  };
  const InstrumentList list = co_await fetch_instrument_list(request);
  if (stopping_) co_return false;
  error = list.error();
  std::vector<Instrument> all = list.instruments();
  if (all.empty()) co_return false;
  bool doubtful = false;
  std::vector<Instrument> before = listed_;
  if (before.empty() && !list.complete()) (void)cached_instruments(before);
  all = list_memory_.complete(list, before, doubtful);
  const std::string reason = error.empty() ? "far fewer instruments than before" : error;
  if (doubtful && reason != list_error_) {
    spdlog::warn("a part of the instruments can't be read, it is taken as it was market=\"{}\" reason=\"{}\"", name(),
                 reason);
  }
  list_error_ = doubtful ? reason : std::string();
  listed_fresh_ = !doubtful;
  listed = std::move(all);
  error.clear();
  if (doubtful) co_return true;
  if (const int failed = context_.files->replace(cache_file(), pack_bodies(list)); failed != 0) {
    spdlog::warn("can't keep the instrument list for later file={} reason=\"{}\"", cache_file(), std::strerror(failed));
  }
  co_return true;
}

bool MarketRunner::cached_instruments(std::vector<Instrument>& listed) {
  std::string packed;
  if (context_.files->read(cache_file(), 0, instruments_body_max, packed) != 0) return false;
  return unpack_instruments(exchange_, packed, listed);
}

std::string MarketRunner::cache_file() const {
  return context_.cache_dir + "/instruments-" + std::string(exchange_.name) + "-" +
         std::string(name_of(exchange_.market)) + ".json";
}

}  // namespace cvdd
