// A session on a transport that only says what the test wants: what happens to records when it ends.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "catch.hpp"
#include "cvdd/feed/session.hpp"
#include "sim/virtual_clock.hpp"

using namespace cvdd;

namespace {
std::string trade(std::uint64_t id, std::int64_t ms) {
  return R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":)" + std::to_string(id) +
         R"(,"p":"100.5","q":"2","f":1,"l":3,"T":)" + std::to_string(ms) + R"(,"m":false,"M":true}})";
}

// One batch of messages, then silence.
class OneBatch final : public Transport {
 public:
  OneBatch(Clock& clock, std::vector<std::string> messages)
      : clock_(clock), messages_(std::move(messages)), timer_(clock.timer()) {}
  asio::awaitable<Result<void>> connect(const Url&, std::string_view, SteadyTime) override { co_return Result<void>(); }
  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    if (!views_.empty()) co_await timer_->wait_until(deadline);
    if (!views_.empty()) co_return make_error_code(NetError::timed_out);
    views_.assign(messages_.begin(), messages_.end());
    co_return std::span<const std::string_view>(views_);
  }
  asio::awaitable<Result<void>> write(std::string_view, SteadyTime) override { co_return Result<void>(); }
  asio::awaitable<Result<void>> ping(SteadyTime) override { co_return Result<void>(); }
  asio::awaitable<void> close(SteadyTime) override { co_return; }
  [[nodiscard]] SteadyTime last_frame() const override { return clock_.steady(); }
  [[nodiscard]] const std::string& last_error_detail() const override { return nothing_; }

 private:
  Clock& clock_;
  std::vector<std::string> messages_;
  std::vector<std::string_view> views_;
  std::unique_ptr<Timer> timer_;
  std::string nothing_;
};
// Acknowledges whatever it is asked, and has `trade` to say, or nothing.
class Acknowledges final : public Transport {
 public:
  Acknowledges(Clock& clock, std::string trade, std::vector<std::string>& targets)
      : clock_(clock), trade_(std::move(trade)), targets_(targets), timer_(clock.timer()) {}
  asio::awaitable<Result<void>> connect(const Url&, std::string_view target, SteadyTime) override {
    targets_.emplace_back(target);
    co_return Result<void>();
  }
  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    while (answers_.empty() && clock_.steady() < deadline) {
      co_await timer_->wait_until(std::min(deadline, clock_.steady() + std::chrono::seconds(1)));
    }
    if (answers_.empty()) co_return make_error_code(NetError::timed_out);
    said_ = std::exchange(answers_, {});
    views_.assign(said_.begin(), said_.end());
    co_return std::span<const std::string_view>(views_);
  }
  asio::awaitable<Result<void>> ping(SteadyTime) override { co_return Result<void>(); }
  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime) override {
    answers_.push_back("{\"result\":null,\"id\":" + std::string(text.substr(text.rfind(':') + 1)));
    if (!trade_.empty()) answers_.push_back(std::exchange(trade_, {}));
    co_return Result<void>();
  }
  asio::awaitable<void> close(SteadyTime) override { co_return; }
  [[nodiscard]] SteadyTime last_frame() const override { return clock_.steady(); }
  [[nodiscard]] const std::string& last_error_detail() const override { return nothing_; }

 private:
  Clock& clock_;
  std::string trade_, nothing_;
  std::vector<std::string>& targets_;
  std::vector<std::string> answers_, said_;
  std::vector<std::string_view> views_;
  std::unique_ptr<Timer> timer_;
};
}  // namespace

TEST_CASE("what waited for room when a session is stopped still reaches the queue: no other connection brings it") {
  constexpr Timestamp start{1'791'382'992'000'000};
  constexpr std::size_t trades = 40;
  asio::io_context io;
  simtest::VirtualClock clock(start);
  clock.use(io.get_executor());
  const ExchangeTime time(clock);
  HostSelector hosts(1);
  Intake intake(*find_exchange("binance", Market::spot), false);
  ExchangeGate gate(10, seconds(60));
  Wakeup aggregators;
  CoalescedWakeup wakeup(io.get_executor(), aggregators, false);
  Instrument instrument;
  instrument.exchange = "binance";
  instrument.symbol = "BTCUSDT";
  intake.add(instrument);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < trades; ++i) messages.push_back(trade(100 + i, start.us / 1'000));

  SessionContext context;
  context.make_transport = [&] { return std::make_unique<OneBatch>(clock, messages); };
  context.clock = &clock;
  context.time = &time;
  context.hosts = &hosts;
  context.intake = &intake;
  context.gate = &gate;
  context.writer = std::make_shared<ChannelWriter>(std::make_shared<Channel>(8));
  context.wakeup = &wakeup;
  SessionSettings settings;
  settings.hosts.resize(1);
  Session session(std::move(context), settings);
  const Instrument* const mine[] = {&instrument};
  session.add(mine);
  asio::co_spawn(io, session.run(), asio::detached);
  const auto run_for = [&](std::chrono::milliseconds span) {
    const auto until = clock.steady() + span;
    do {
      io.restart();
      io.poll();
    } while (clock.advance(until));
    io.restart();
    io.poll();
  };
  run_for(std::chrono::milliseconds(50));
  REQUIRE(session.delivery().waits() > 0);  // the queue is full, and most are still in the session's hands
  session.stop();
  run_for(std::chrono::milliseconds(50));
  CHECK_FALSE(session.ended());

  std::vector<std::uint64_t> ids;
  std::vector<Record> popped(8);
  for (int rounds = 0; rounds < 100; ++rounds) {
    const std::size_t n = session.writer()->channel()->pop(popped);
    for (std::size_t i = 0; i < n; ++i) {
      if (popped[i].kind() == RecordKind::trade) ids.push_back(popped[i].id());
    }
    run_for(std::chrono::milliseconds(5));
  }
  CHECK(session.ended());
  REQUIRE(ids.size() == trades);
  for (std::size_t i = 0; i < trades; ++i) CHECK(ids[i] == 100 + i);
}

TEST_CASE(
    "where two paths may carry the same, a connection that was acknowledged and silent is followed by the other") {
  asio::io_context io;
  simtest::VirtualClock clock({1'791'382'992'000'000});
  clock.use(io.get_executor());
  const ExchangeTime time(clock);
  Wakeup aggregators;
  CoalescedWakeup wakeup(io.get_executor(), aggregators, false);
  const auto paths = [&](Market market, const std::string& message) {
    HostSelector hosts(1);
    Intake intake(*find_exchange("binance", market), false);
    ExchangeGate gate(100, seconds(60));
    Instrument instrument;
    instrument.exchange = "binance";
    instrument.market = market;
    instrument.symbol = "BTCUSD_PERP";
    intake.add(instrument);
    std::vector<std::string> targets;
    SessionContext context;
    context.make_transport = [&] { return std::make_unique<Acknowledges>(clock, message, targets); };
    context.clock = &clock;
    context.time = &time;
    context.hosts = &hosts;
    context.intake = &intake;
    context.gate = &gate;
    context.writer = std::make_shared<ChannelWriter>(std::make_shared<Channel>(64));
    context.wakeup = &wakeup;
    SessionSettings settings;
    settings.hosts.resize(1);
    settings.limits.silence = settings.limits.first_frame = std::chrono::seconds(60);
    Session session(std::move(context), settings);
    const Instrument* const mine[] = {&instrument};
    session.add(mine);
    asio::co_spawn(io, session.run(), asio::detached);
    const auto run_until = [&](auto&& done) {
      const auto until = clock.steady() + std::chrono::minutes(30);
      do {
        io.restart();
        io.poll();
      } while (!done() && clock.advance(until));
    };
    // Its market finds by REST that there were trades, as it does of one that answers and says nothing.
    for (std::size_t n = 1; n < 4; ++n) {
      const auto settled = clock.steady() + std::chrono::seconds(20);
      run_until([&] { return clock.steady() >= settled; });
      REQUIRE(targets.size() == n);
      session.condemn();
      run_until([&] { return targets.size() > n; });
    }
    session.stop();
    run_until([&] { return session.ended(); });
    CHECK(session.ended());
    return targets;
  };
  const std::string trade = R"({"stream":"btcusd_perp@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSD_PERP","a":7,)"
                            R"("p":"1","q":"2","f":1,"l":3,"T":1791382992000,"m":false}})";
  using Paths = std::vector<std::string>;
  CHECK(paths(Market::inverse, "") == Paths{"/stream", "/market/stream", "/stream", "/market/stream"});
  CHECK(paths(Market::inverse, trade) == Paths{"/stream", "/stream", "/stream", "/stream"});
  CHECK(paths(Market::linear, "") == Paths(4, "/market/stream"));
}

TEST_CASE("a flood of messages that bring nothing ends the connection, with the reason; a flood of trades does not") {
  constexpr Timestamp start{1'791'382'992'000'000};
  for (const bool useless : {true, false}) {
    asio::io_context io;
    simtest::VirtualClock clock(start);
    clock.use(io.get_executor());
    const ExchangeTime time(clock);
    HostSelector hosts(1);
    Intake intake(*find_exchange("binance", Market::spot), false);
    ExchangeGate gate(10, seconds(60));
    Wakeup aggregators;
    CoalescedWakeup wakeup(io.get_executor(), aggregators, false);
    Instrument instrument;
    instrument.exchange = "binance";
    instrument.symbol = "BTCUSDT";
    intake.add(instrument);
    std::vector<std::string> messages;
    for (std::size_t i = 0; i <= Session::useless_messages_max; ++i) {
      messages.push_back(useless ? R"({"nothing":"at all"})" : trade(100 + i, start.us / 1'000));
    }
    SessionContext context;
    context.make_transport = [&] { return std::make_unique<OneBatch>(clock, messages); };
    context.clock = &clock;
    context.time = &time;
    context.hosts = &hosts;
    context.intake = &intake;
    context.gate = &gate;
    context.writer = std::make_shared<ChannelWriter>(std::make_shared<Channel>(1U << 16U));
    context.wakeup = &wakeup;
    SessionSettings settings;
    settings.hosts.resize(1);
    Session session(std::move(context), settings);
    const Instrument* const mine[] = {&instrument};
    session.add(mine);
    asio::co_spawn(io, session.run(), asio::detached);
    const auto run_for = [&](std::chrono::milliseconds span) {
      const auto until = clock.steady() + span;
      do {
        io.restart();
        io.poll();
      } while (clock.advance(until));
      io.restart();
      io.poll();
    };
    run_for(std::chrono::milliseconds(50));
    CHECK(session.state().last_reason == (useless ? "more than 16384 messages in a second that bring nothing" : ""));
    session.stop();
    run_for(std::chrono::milliseconds(50));
    REQUIRE(session.ended());
  }
}
