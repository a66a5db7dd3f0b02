#include "time_keeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace cvdd {

namespace {
constexpr Duration clock_step_min = seconds(1);
constexpr Duration jump_min = seconds(2), apart_min = seconds(3), witness_max = seconds(10);
constexpr Duration trades_ahead_min = seconds(1);  // one trade may be odd: another has to say the same so much later
constexpr std::size_t time_samples = 3;
constexpr std::chrono::seconds time_timeout{5};
constexpr std::size_t time_body_max = 64 * 1024;
}  // namespace

asio::awaitable<void> TimeKeeper::measure() {
  const Exchange& exchange = context_.intake->exchange();
  if (unwelcome()) co_return;
  std::vector<TimeSample> samples;
  for (std::size_t i = 0; i < time_samples && !stopping_; ++i) {
    const auto http = context_.make_http_get();
    TimeSample sample;
    sample.asked = context_.clock->steady();
    const auto response = co_await http->get(context_.hosts[i % context_.hosts.size()], exchange.time_target,
                                             sample.asked + time_timeout, time_body_max);
    sample.answered = context_.clock->steady();
    if (!response.has_value()) continue;
    if (response->status != 200) {
      std::string refused;
      context_.heed(*response, refused);
      if (unwelcome()) co_return;
      continue;
    }
    if (const auto server = exchange.parse_time(response->body)) {
      sample.server = *server;
      samples.push_back(sample);
    }
  }
  const auto ahead = judge_time(samples);
  if (!ahead || !believed(ahead->ahead_us)) co_return;  // the last one holds
  set(ahead->ahead_us, ahead->error);
  report();
}

// Where it was thought to be another time, what was said since it was known last may be of another time.
void TimeKeeper::set(std::int64_t ahead_of_steady_us, Duration error) {
  const Timestamp before = context_.time->now();
  context_.time->measured(ahead_of_steady_us);
  context_.intake->set_clock_error(error);
  const Timestamp after = context_.time->now();
  const Duration moved = after - before;
  const Timestamp since = std::exchange(right_at_, after);
  if (!context_.on_moved || (moved.us < jump_min.us && moved.us > -jump_min.us)) return;
  context_.on_moved({before, after, std::min(since, since + moved)});
}

// A clock that was right does not jump: the trades decide, or the next answer.
bool TimeKeeper::believed(std::int64_t ahead_of_steady_us) {
  const Timestamp told{ahead_of_steady_us + undated(*context_.clock).us}, held = context_.time->now();
  const std::int64_t off = (told - held).us;
  const bool jumps = context_.time->known() && (off > jump_min.us || off < -jump_min.us);
  const bool again = doubted_ && std::abs(*doubted_ - ahead_of_steady_us) < jump_min.us;
  if (!jumps || (!trades_agree_with(held) && (again || trades_agree_with(told)))) {
    doubted_.reset();
    return true;
  }
  if (!doubted_) {
    spdlog::error(
        "the exchange's time page is not believed: trades, or what it said before, disagree market=\"{}\" off_ms={}",
        context_.name, off / 1'000);
  }
  doubted_ = ahead_of_steady_us;
  return false;
}

// Whether trades that came just now were made just before, by a clock that shows `now`.
bool TimeKeeper::trades_agree_with(Timestamp now) const {
  const Intake::Witness& w = context_.intake->witness();
  const Duration ago = context_.time->now() - w.received;
  if (w.received.us == 0 || ago > witness_max) return false;
  const Duration age = now - ago - w.event;
  return age.us > -jump_min.us && age.us < jump_min.us;
}

void TimeKeeper::weigh() {
  const Intake::Witness& w = context_.intake->witness();
  const Duration ago = context_.time->now() - w.received;
  if (w.received.us == 0 || ago > witness_max || ago < Duration{-jump_min.us}) return;
  if (trades_agree_with(context_.time->now())) {
    context_.time->bear_out();
    right_at_ = context_.time->now();
    trades_ahead_.reset();
    return;
  }
  const Timestamp local = context_.clock->wall();
  const Duration apart = local - context_.time->now();
  if (trades_agree_with(local) && (apart.us >= apart_min.us || apart.us <= -apart_min.us)) {
    spdlog::error("the exchange's time page is wrong: its trades agree with the local clock market=\"{}\" off_ms={}",
                  context_.name, -apart.us / 1'000);
    return set((local - undated(*context_.clock)).us, jump_min);
  }
  const Duration ahead = w.event - w.received;
  if (context_.time->known() || ahead.us < apart_min.us) return;
  if (!trades_ahead_ || std::abs(trades_ahead_->second.us - ahead.us) >= jump_min.us) {
    trades_ahead_ = {w.received, ahead};
  }
  if (w.received - trades_ahead_->first < trades_ahead_min) return;
  spdlog::error(
      "the local clock is wrong, and the exchange tells no time: bars follow its trades market=\"{}\" off_ms={}",
      context_.name, -ahead.us / 1'000);
  set((context_.time->now() + ahead - undated(*context_.clock)).us, jump_min);
}

// One line when the local clock is found wrong, one when it is right again.
void TimeKeeper::report() {
  const Duration ahead = context_.time->local_clock_ahead();
  const bool wrong = ahead.us > clock_step_min.us || ahead.us < -clock_step_min.us;
  if (wrong == reported_) return;
  reported_ = wrong;
  if (wrong) {
    spdlog::error("the local clock is wrong, bars follow the exchange's: set the clock (NTP) market=\"{}\" ahead_ms={}",
                  context_.name, ahead.us / 1000);
  } else {
    spdlog::info("the local clock agrees with the exchange again market=\"{}\" ahead_ms={}", context_.name,
                 ahead.us / 1000);
  }
}

}  // namespace cvdd
