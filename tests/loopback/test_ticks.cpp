// The moments at which connections look at their sockets, on a real io_context.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>

#include "catch.hpp"
#include "cvdd/pipeline/coalesced_wakeup.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

namespace {
struct Reader final : TickReader {
  Reader(std::string& log, char name) : log_(log), name_(name) {}
  void fetch() override { log_ += name_; }

 private:
  std::string& log_;
  char name_;
};
}  // namespace

TEST_CASE("a tick empties all sockets, then lets all go on, and rings once after them") {
  asio::io_context io(1);
  std::string log;
  Ticks& ticks = Ticks::of(io.get_executor());
  const auto connection = [&](char name) -> asio::awaitable<void> {
    Reader reader(log, name);
    for (int i = 0; i < 2; ++i) {
      co_await ticks.next(reader, 20ms);
      log += '+';
      if (name == 'a') CHECK(ticks.at_end([&] { log += '!'; }));
    }
  };
  CHECK_FALSE(ticks.at_end([] {}));
  // All are waiting before the first tick, unless it comes right now: then they begin again.
  for (int tries = 0; tries < 20 && log != "abc+++!abc+++!"; ++tries) {
    log.clear();
    for (const char name : {'a', 'b', 'c'}) asio::co_spawn(io, connection(name), asio::detached);
    io.run();
    io.restart();
  }
  CHECK(log == "abc+++!abc+++!");
  CHECK_FALSE(ticks.at_end([] {}));
}

TEST_CASE("pulling the rope wakes who sleeps, from within a tick and from outside") {
  asio::io_context io(1);
  Wakeup wakeup;
  CoalescedWakeup rope(io.get_executor(), wakeup, false);
  Ticks& ticks = Ticks::of(io.get_executor());
  std::string log;
  Reader reader(log, '.');
  for (const bool within : {false, true}) {
    std::atomic<bool> awake{false};
    const auto begin = std::chrono::steady_clock::now();
    std::thread sleeper([&] {
      wakeup.wait_until(begin + 60s, [] { return false; });
      awake = true;
    });
    // It may not be asleep yet: pulled again and again.
    const auto pull = [&]() -> asio::awaitable<void> {
      if (within) co_await ticks.next(reader, 1ms);
      rope.pull();
      rope.pull();
    };
    while (!awake && std::chrono::steady_clock::now() < begin + 60s) {
      asio::co_spawn(io, pull(), asio::detached);
      io.restart();
      io.run();
    }
    sleeper.join();
    CHECK(std::chrono::steady_clock::now() < begin + 30s);
  }
  CHECK_FALSE(log.empty());
}
