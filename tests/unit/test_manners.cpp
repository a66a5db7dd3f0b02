// HostSelector, gates, refusals and the exchanges' time: what keeps us welcome and on time.
#include "catch.hpp"
#include "cvdd/base/rate_limit.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/host_selector.hpp"
#include "cvdd/feed/liveness.hpp"
#include "cvdd/net/transport.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

TEST_CASE("hosts are tried in order, with a breaker each, and back to the first") {
  const HostSelector::Time t0{1000h};
  HostSelector hosts(2);
  CHECK(hosts.pick(t0) == 0);
  hosts.failed(0, t0);
  hosts.failed(0, t0);
  CHECK(hosts.pick(t0) == 0);
  hosts.failed(0, t0);
  CHECK(hosts.pick(t0) == 1);
  CHECK(hosts.pick(t0 + 29s) == 1);
  CHECK(hosts.pick(t0 + 30s) == 0);
  hosts.failed(0, t0 + 30s);  // one more failure opens it again, for longer
  CHECK(hosts.pick(t0 + 89s) == 1);
  CHECK(hosts.pick(t0 + 90s) == 0);
  hosts.good(0);
  hosts.failed(0, t0 + 100s);
  CHECK(hosts.pick(t0 + 100s) == 0);
  SECTION("all open: the one that may be tried soonest") {
    for (int i = 0; i < 3; ++i) hosts.failed(0, t0 + 100s);
    for (int i = 0; i < 3; ++i) hosts.failed(1, t0 + 90s);
    CHECK(hosts.pick(t0 + 101s) == 1);
  }
  SECTION("one that refuses us is left alone for as long") {
    hosts.refused(0, t0 + 700s);
    CHECK(hosts.pick(t0 + 699s) == 1);
    CHECK(hosts.pick(t0 + 700s) == 0);
  }
}

TEST_CASE("one host alone is tried again and again, never given up") {
  const HostSelector::Time t0{1000h};
  HostSelector hosts(1);
  for (int i = 0; i < 100; ++i) hosts.failed(0, t0);
  CHECK(hosts.pick(t0) == 0);
}

TEST_CASE("a path that carries nothing is left for the other, a good one only when it stays silent") {
  HostSelector hosts(1);
  CHECK_FALSE(hosts.other_path());
  CHECK(hosts.silent(false));
  CHECK(hosts.other_path());
  CHECK_FALSE(hosts.silent(false));  // one that had begun before
  CHECK(hosts.other_path());
  hosts.good(0);
  CHECK_FALSE(hosts.silent(true));
  CHECK_FALSE(hosts.silent(true));
  hosts.good(0);
  for (unsigned i = 1; i < HostSelector::silent_max; ++i) CHECK_FALSE(hosts.silent(true));
  CHECK(hosts.silent(true));
  CHECK_FALSE(hosts.other_path());
  CHECK(hosts.silent(false));  // nothing has come on it since
}

TEST_CASE("a gate holds attempts at the limit, and everything while we are unwelcome") {
  ExchangeGate gate(3, seconds(300));
  const Timestamp t0{1'763'675'700'000'000};
  for (int i = 0; i < 3; ++i) CHECK(gate.take_attempt(t0).us == 0);
  CHECK(gate.take_attempt(t0) == seconds(305));
  ExchangeGate other(100, seconds(300));
  other.stay_away(t0 + seconds(60));
  other.stay_away(t0 + seconds(10));  // never shortened
  CHECK(other.blocked(t0) == seconds(60));
  CHECK(other.take_attempt(t0) == seconds(60));
  CHECK(other.take_attempt(t0 + seconds(61)).us == 0);
}

TEST_CASE("what a refusal asks of us") {
  CHECK(manners_of(429, seconds(7)).stay_away == seconds(7));
  CHECK(manners_of(429, {}).stay_away == seconds(60));
  CHECK(manners_of(418, {}).stay_away == seconds(300));
  CHECK(manners_of(418, seconds(86'400)).stay_away == seconds(86'400));
  CHECK(manners_of(451, {}).leave_host == seconds(600));
  CHECK(manners_of(451, {}).stay_away.us == 0);
  CHECK(manners_of(403, {}).reason == "this address is refused");
  CHECK(manners_of(500, {}).reason.empty());
}

TEST_CASE("Retry-After comes as seconds or as a date") {
  CHECK(parse_retry_after("120", "") == 120s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == 60s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == 0s);
  CHECK(parse_retry_after("999999999", "") == 24h);
  for (const char* bad : {"", "-5", "soon", "1.5", "Sun, 06 Nov 1994 08:50:37 GMT"}) {
    CHECK_FALSE(parse_retry_after(bad, "").has_value());
  }
}

TEST_CASE("a connection's silence is judged by its own rate, within bounds") {
  const Liveness::Time t0{1000h};
  LivenessLimits limits;
  limits.silence = 60s;
  const auto after = [&](std::chrono::milliseconds gap) {
    Liveness w(limits, t0);
    for (int i = 1; i <= 300; ++i) w.data(t0 + i * gap);
    return w.silence();
  };
  CHECK(after(1ms) == 15s);  // never less than a quarter
  CHECK(after(100ms) == 20s);
  CHECK(after(1s) == 60s);  // never more than the limit
  Liveness fresh(limits, t0);
  fresh.data(t0);
  CHECK(fresh.silence() == 60s);
}

namespace {
TimeSample sample(std::int64_t asked_ms, std::int64_t answered_ms, std::int64_t server_ms) {
  const std::chrono::steady_clock::time_point zero{};
  return {
      zero + std::chrono::milliseconds(asked_ms), zero + std::chrono::milliseconds(answered_ms), {server_ms * 1'000}};
}

class FixedClock final : public Clock {
 public:
  Timestamp wall() const override { return wall_now; }
  std::chrono::steady_clock::time_point steady() const override { return steady_now; }
  std::unique_ptr<Timer> timer() override { return nullptr; }
  Timestamp wall_now{1'000'000'000};
  std::chrono::steady_clock::time_point steady_now{};
};
}  // namespace

TEST_CASE("server time is taken from the quickest answer that most agree with") {
  // Steady 0 is 1,000,000 ms at the server; answers take 100, 40 and 300 ms.
  const std::vector<TimeSample> good{sample(0, 100, 1'000'050), sample(200, 240, 1'000'221),
                                     sample(300, 600, 1'000'350)};
  const auto right = judge_time(good);
  REQUIRE(right.has_value());
  // The second answer leaves 981,000 to 1,021,999 µs less than its own; the others allow all of that.
  CHECK(right->ahead_us == 1'000'001'499);
  CHECK(right->error.us == 20'499);
  const std::vector<TimeSample> one_lies{good[0], sample(200, 210, 9'000'000), good[2]};
  CHECK_FALSE(judge_time(one_lies).has_value());
  CHECK_FALSE(judge_time(std::vector<TimeSample>{}).has_value());
  CHECK_FALSE(judge_time(std::vector<TimeSample>{sample(0, 9'000, 1'000'000)}).has_value());  // too slow to tell
}

TEST_CASE("a page that tells whole seconds tells that its second is not over yet") {
  // Steady 0 is 1,000,300 ms at the server, whose page says 1,000,000 for another 0.7 s.
  const std::vector<TimeSample> one{sample(0, 10, 1'000'000), sample(20, 30, 1'000'000), sample(40, 50, 1'000'000)};
  const auto early = judge_time(one);
  REQUIRE(early.has_value());
  CHECK(early->ahead_us - early->error.us <= 1'000'300'000);
  CHECK(early->ahead_us + early->error.us >= 1'000'300'000);
  CHECK(early->error.us > 450'000);
  CHECK(early->error.us < 520'000);
  // Where the second ends between two questions it is known when.
  const std::vector<TimeSample> two{sample(0, 10, 1'000'000), sample(690, 710, 1'001'000)};
  const auto sharp = judge_time(two);
  REQUIRE(sharp.has_value());
  CHECK(sharp->ahead_us - sharp->error.us <= 1'000'300'000);
  CHECK(sharp->ahead_us + sharp->error.us >= 1'000'300'000);
  CHECK(sharp->error.us < 400'000);
}

TEST_CASE("once known, an exchange's time does not follow steps of the local clock") {
  FixedClock clock;
  ExchangeTime time(clock);
  CHECK(time.now() == clock.wall_now);
  clock.wall_now = clock.wall_now + seconds(3'600);
  CHECK(time.now().us == 1'000'000'000);  // not even before it is measured
  time.measured(1'002'000'000);
  clock.steady_now += 5s;
  CHECK(time.now().us == 1'007'000'000);
  CHECK(time.local_clock_ahead().us == 1'000'000'000 + 3'600'000'000 - 1'007'000'000);
}

TEST_CASE("bars close by the slowest exchange clock, but not by one that is far off") {
  FixedClock clock;
  ClosingTime closing(clock);
  CHECK(closing.now() == clock.wall_now);
  for (const std::int64_t off : std::vector<std::int64_t>{0, -300'000, 200'000, -3'600'000'000}) {
    const auto time = std::make_shared<ExchangeTime>(clock);
    time->measured(clock.wall_now.us + off);
    closing.add(time);
  }
  CHECK(closing.now().us == clock.wall_now.us - 300'000);
  // Ahead of the local clock, and no trade has borne it out: it may be wrong, and no bar is closed by it.
  ClosingTime alone(clock);
  const auto page = std::make_shared<ExchangeTime>(clock);
  page->measured(clock.wall_now.us + 300'000'000);
  alone.add(page);
  CHECK(alone.now() == clock.wall_now);
  page->bear_out();
  CHECK(alone.now() == clock.wall_now + seconds(300));
}
