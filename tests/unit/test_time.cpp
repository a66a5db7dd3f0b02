// What time it is at an exchange: its page, its trades and the local clock as witnesses of each other.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>

#include "catch.hpp"
#include "daemon/time_keeper.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

namespace {
constexpr Timestamp start{1'791'382'992'000'000};

class HandClock final : public Clock {
 public:
  Timestamp wall() const override { return wall_now; }
  std::chrono::steady_clock::time_point steady() const override { return steady_now; }
  std::unique_ptr<Timer> timer() override { return nullptr; }
  Timestamp wall_now = start;
  std::chrono::steady_clock::time_point steady_now{1'000h};
};

// Answers at once with the exchange's time, by its page.
class TimePage final : public HttpGet {
 public:
  explicit TimePage(const std::optional<Timestamp>& told) : told_(told) {}
  asio::awaitable<Result<HttpResponse>> get(const Url&, std::string_view, SteadyTime, std::size_t) override {
    HttpResponse response;
    response.status = told_ ? 200 : 404;
    if (told_) response.body = R"({"serverTime":)" + std::to_string(told_->us / 1'000) + "}";
    co_return response;
  }
  const std::string& last_error_detail() const override { return detail_; }

 private:
  const std::optional<Timestamp>& told_;
  std::string detail_;
};

struct Venue {
  explicit Venue(Duration local_ahead = {}) {
    clock.wall_now = start + local_ahead;
    time = std::make_shared<ExchangeTime>(clock);
    instrument.exchange = "binance";
    instrument.symbol = "BTCUSDT";
    intake.add(instrument);
    TimeKeeperContext c;
    c.clock = &clock;
    c.time = time;
    c.intake = &intake;
    c.gate = &gate;
    c.hosts.resize(1);
    c.make_http_get = [this] { return std::make_unique<TimePage>(page); };
    c.heed = [](const HttpResponse&, std::string&) {};
    c.name = "binance spot";
    c.on_moved = [this](const TimeMoved& m) { moved.push_back(m); };
    keeper = std::make_unique<TimeKeeper>(std::move(c));
  }
  void pass(std::chrono::milliseconds some) {
    clock.steady_now += some;
    clock.wall_now = clock.wall_now + milliseconds(some.count());
    really = really + milliseconds(some.count());
  }
  // The page is `off` beside the truth.
  void ask(std::optional<Duration> off) {
    page = off ? std::optional(really + *off) : std::nullopt;
    asio::io_context io;
    asio::co_spawn(io, keeper->measure(), asio::detached);
    io.run();
  }
  // Made and received just now.
  void trade() {
    const std::string ms = std::to_string(really.us / 1'000), id = std::to_string(++last_id);
    (void)intake.take(R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":)" + id +
                          R"(,"p":"100.5","q":"2","f":)" + id + R"(,"l":)" + id + R"(,"T":)" + ms +
                          R"(,"m":false,"M":true}})",
                      time->now(), records);
    keeper->weigh();
  }
  // How far its time is beside the truth. A page tells milliseconds.
  [[nodiscard]] std::int64_t off_s() const { return seconds_between(really, time->now()); }
  static std::int64_t seconds_between(Timestamp from, Timestamp to) {
    return std::llround(static_cast<double>((to - from).us) / 1e6);
  }

  HandClock clock;
  Timestamp really = start;
  std::optional<Timestamp> page;
  std::shared_ptr<ExchangeTime> time;
  Instrument instrument;
  Intake intake{*find_exchange("binance", Market::spot), false};
  ExchangeGate gate{100, seconds(60)};
  std::uint64_t last_id = 0;
  std::vector<Record> records;
  std::vector<TimeMoved> moved;
  std::unique_ptr<TimeKeeper> keeper;
};
}  // namespace

TEST_CASE("a time page that is five minutes off at the start is found out by the first trade, ahead or behind") {
  for (const std::int64_t off : {300, -300}) {
    CAPTURE(off);
    Venue m;
    m.ask(seconds(off));
    CHECK(m.off_s() == off);
    CHECK_FALSE(m.time->borne_out());
    m.pass(2s);
    m.trade();
    CHECK(m.off_s() == 0);
    CHECK_FALSE(m.time->borne_out());  // by the next, which comes when that is known
    m.pass(500ms);
    m.trade();
    CHECK(m.time->borne_out());
    // Twice beside: what was said since the beginning is in doubt, by whichever clock it was said.
    REQUIRE(m.moved.size() == 2);
    CHECK(Venue::seconds_between(start, m.moved[1].is) == 2);
    CHECK(Venue::seconds_between(start, m.moved[1].was) == 2 + off);
    CHECK(Venue::seconds_between(start, m.moved[1].since) == std::min<std::int64_t>(off, 0));
    // The page says the same again, and is not believed.
    m.pass(600s);
    m.trade();
    m.ask(seconds(off));
    CHECK(m.off_s() == 0);
    CHECK(m.moved.size() == 2);
  }
}

TEST_CASE("a page that goes wrong later is not believed while trades say otherwise; without trades twice the same is") {
  Venue m;
  m.ask(seconds(0));
  m.trade();
  m.pass(600s);
  m.trade();
  m.ask(seconds(-300));
  m.ask(seconds(-300));
  CHECK(m.off_s() == 0);
  CHECK(m.moved.empty());
  m.pass(60s);  // no trade any more
  m.ask(seconds(300));
  CHECK(m.off_s() == 0);
  CHECK(m.time->borne_out());
  m.ask(seconds(300));
  CHECK(m.off_s() == 300);
  CHECK_FALSE(m.time->borne_out());  // no bar is closed by it
}

TEST_CASE("the local clock is wrong and no page tells the time: bars follow trades that are ahead, not those behind") {
  Venue slow(seconds(-90));
  slow.ask(std::nullopt);
  slow.trade();
  CHECK(slow.off_s() == -90);  // one may be odd
  slow.pass(1s);
  slow.trade();
  CHECK(slow.off_s() == 0);
  REQUIRE(slow.moved.size() == 1);
  // Late trades are the feed's fault, for all that is known.
  Venue fast(seconds(90));
  fast.ask(std::nullopt);
  for (int i = 0; i < 10; ++i) {
    fast.trade();
    fast.pass(1s);
  }
  CHECK(fast.off_s() == 90);
  CHECK(fast.moved.empty());
}

TEST_CASE("a slow local clock and a page that is right: its trades bear it out") {
  Venue m(seconds(-300));
  m.ask(seconds(0));
  CHECK(m.off_s() == 0);
  m.pass(1s);
  m.trade();
  CHECK(m.off_s() == 0);
  CHECK(m.time->borne_out());
}

TEST_CASE("a clock that turns out to have been ahead: who is collected is watched anew from now on") {
  Venue m;
  m.intake.confirm(m.instrument, start + seconds(300), m.records);
  m.records.clear();
  m.intake.clock_moved(m.instrument, start + seconds(301), start + seconds(1));
  m.intake.watched_anew(m.instrument, start + seconds(1), m.records);
  REQUIRE(m.records.size() == 2);
  CHECK(m.records[0].kind() == RecordKind::watched);
  CHECK(m.records[0].count() == 1);  // taken back
  CHECK(m.records[1].kind() == RecordKind::subscribed);
  for (const Record& r : m.records) CHECK(r.time() == start + seconds(1));
  CHECK(m.intake.heard_from(m.instrument) == start + seconds(1));
}
