// What a market asks its exchange by REST: its instruments, and what time it is there.
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
constexpr Duration jump_min = seconds(2), apart_min = seconds(3), witness_max = seconds(10);
constexpr std::size_t time_samples = 3;
constexpr std::chrono::seconds time_timeout{5};
constexpr std::size_t time_body_max = 64 * 1024;
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

asio::awaitable<void> MarketRunner::measure_time() {
  if (context_.event_time) co_return;
  if (context_.gate->blocked(undated(*context_.clock)).us > 0) co_return;
  std::vector<TimeSample> samples;
  for (std::size_t i = 0; i < time_samples && !stopping_; ++i) {
    const Url& host = rest_hosts_[i % rest_hosts_.size()];
    const auto http = context_.make_http_get();
    TimeSample sample;
    sample.asked = context_.clock->steady();
    const auto response = co_await http->get(host, exchange_.time_target, sample.asked + time_timeout, time_body_max);
    sample.answered = context_.clock->steady();
    std::string refused;
    if (response.has_value() && response->status != 200) {
      heed(*response, refused);
      if (context_.gate->blocked(undated(*context_.clock)).us > 0) co_return;
    }
    if (!response.has_value() || response->status != 200) continue;
    if (const auto server = exchange_.parse_time(response->body)) {
      sample.server = *server;
      samples.push_back(sample);
    }
  }
  const auto anchor = judge_time(samples);
  if (!anchor) co_return;  // the last one holds
  const Timestamp told{*anchor + undated(*context_.clock).us}, held = time_->now();
  const std::int64_t off = (told - held).us;
  // A clock that was right does not jump: the trades decide, or the next answer.
  const bool jumps = time_->known() && (off > jump_min.us || off < -jump_min.us);
  const bool again = time_doubted_ && std::abs(*time_doubted_ - *anchor) < jump_min.us;
  if (jumps && (trades_agree_with(held) || !(again || trades_agree_with(told)))) {
    if (!time_doubted_) {
      spdlog::error(
          "the exchange's time page is not believed: trades, or what it said before, disagree market=\"{}\" off_ms={}",
          name(), off / 1'000);
    }
    time_doubted_ = *anchor;
    co_return;
  }
  time_doubted_.reset();
  set_time(*anchor);
  report_time();
}

// Where it was thought to be another time, what was said since it was known last may be of another time.
void MarketRunner::set_time(std::int64_t anchor) {
  const Timestamp before = time_->now();
  time_->measured(anchor);
  const Timestamp after = time_->now();
  const Duration moved = after - before;
  const Timestamp since = std::exchange(time_right_at_, after);
  if (!prover_ || (moved.us < jump_min.us && moved.us > -jump_min.us)) return;
  for (const Instrument& instrument : instruments_) {
    if (!intake_.confirmed(instrument)) continue;
    prover_->doubt_time(instrument, std::min(since, since + moved), std::max(before, after));
  }
}

// Whether trades that came just now were made just before, by a clock that shows `now`.
bool MarketRunner::trades_agree_with(Timestamp now) const {
  const Intake::Witness& w = intake_.witness();
  const Duration ago = time_->now() - w.received;
  if (w.received.us == 0 || ago > witness_max) return false;
  const Duration age = now - ago - w.event;
  return age.us > -jump_min.us && age.us < jump_min.us;
}

// Trades that agree with the local clock, and not with the exchange's page, are two witnesses against one.
void MarketRunner::weigh_time() {
  if (intake_.witness().received.us == 0) return;
  if (trades_agree_with(time_->now())) {
    time_right_at_ = time_->now();
    return;
  }
  const Timestamp local = context_.clock->wall();
  const Duration apart = local - time_->now();
  if (!trades_agree_with(local) || (apart.us < apart_min.us && apart.us > -apart_min.us)) return;
  spdlog::error("the exchange's time page is wrong: its trades agree with the local clock market=\"{}\" off_ms={}",
                name(), -apart.us / 1'000);
  set_time((local - undated(*context_.clock)).us);
}

// One line when the local clock is found wrong, one when it is right again.
void MarketRunner::report_time() {
  const Duration ahead = time_->local_clock_ahead();
  const bool wrong = ahead.us > clock_step_min.us || ahead.us < -clock_step_min.us;
  if (wrong == clock_reported_) return;
  clock_reported_ = wrong;
  if (wrong) {
    spdlog::error("the local clock is wrong, bars follow the exchange's: set the clock (NTP) market=\"{}\" ahead_ms={}",
                  name(), ahead.us / 1000);
  } else {
    spdlog::info("the local clock agrees with the exchange again market=\"{}\" ahead_ms={}", name(), ahead.us / 1000);
  }
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
