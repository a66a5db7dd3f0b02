// What time it is at a market's exchange: its time page, its trades, the local clock, and what follows when they
// disagree.
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "cvdd/daemon/market_runner.hpp"

namespace cvdd {

namespace {
constexpr Duration clock_step_min = seconds(1);
constexpr Duration jump_min = seconds(2), witness_max = seconds(10);
constexpr Duration trades_ahead_min = seconds(2);
constexpr std::size_t time_samples = 3;
constexpr std::chrono::seconds time_timeout{5};
constexpr std::size_t time_body_max = 64 * 1024;
}  // namespace

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

// Whether trades that came just now were made just before, by a clock that shows `now`.
bool MarketRunner::trades_agree_with(Timestamp now) const {
  const Intake::Witness& w = intake_.witness();
  const Duration ago = time_->now() - w.received;
  if (w.received.us == 0 || ago > witness_max) return false;
  const Duration age = now - ago - w.event;
  return age.us > -jump_min.us && age.us < jump_min.us;
}

// Trades that agree with the local clock, and not with the exchange's page, are two witnesses against one. Where there
// is no page, trades of what is the future here can't be late: the local clock is.
void MarketRunner::weigh_time() {
  const Intake::Witness& w = intake_.witness();
  if (w.received.us == 0 || time_->now() - w.received > witness_max) return;
  if (trades_agree_with(time_->now())) {
    time_->bear_out();
    agreed_at_ = time_->now();
    trades_ahead_.reset();
    return;
  }
  const Timestamp local = context_.clock->wall();
  const Duration apart = local - time_->now(), ahead = w.event - w.received;
  if (trades_agree_with(local) && (apart.us >= 2 * jump_min.us || apart.us <= -2 * jump_min.us)) {
    spdlog::error("the exchange's time page is wrong: its trades agree with the local clock market=\"{}\" off_ms={}",
                  name(), -apart.us / 1'000);
    return set_time((local - undated(*context_.clock)).us);
  }
  if (time_->known() || ahead.us < 2 * jump_min.us) return;
  // One trade may be odd: another has to say the same a while later.
  if (!trades_ahead_ || std::abs(trades_ahead_->second.us - ahead.us) >= jump_min.us)
    trades_ahead_ = {w.received, ahead};
  if (w.received - trades_ahead_->first < trades_ahead_min) return;
  spdlog::error(
      "the local clock is wrong, and the exchange tells no time: bars follow its trades market=\"{}\" off_ms={}",
      name(), -ahead.us / 1'000);
  set_time((time_->now() + ahead - undated(*context_.clock)).us);
}

// What was said by a clock that jumps is taken back, since trades bore it out last.
void MarketRunner::set_time(std::int64_t anchor) {
  const Timestamp was = time_->now();
  time_->measured(anchor);
  const Timestamp is = time_->now();
  const std::int64_t jump = (is - was).us;
  if (jump > -jump_min.us && jump < jump_min.us) return;
  for (const auto& session : sessions_) session->clock_set(was, is, agreed_at_);
  agreed_at_ = {};
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

}  // namespace cvdd
