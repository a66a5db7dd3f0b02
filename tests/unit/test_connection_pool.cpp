// Who carries what: connections are numbers here, and every step is written down.
#include <array>

#include "catch.hpp"
#include "daemon/connection_pool.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

namespace {
// Instruments A, B, C, …; steps read "open 1: A B", "open 2 (as 1): A B", "add 1: C", "remove 1: A", "stop 1".
struct World {
  World(std::size_t per_connection, std::uint32_t redundancy) : pool(per_connection, redundancy) {
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      instruments[i].symbol = std::string(1, static_cast<char>('A' + i));
    }
  }
  [[nodiscard]] std::vector<const Instrument*> some(std::string_view symbols) const {
    std::vector<const Instrument*> out;
    for (const char c : symbols) out.push_back(&instruments[static_cast<std::size_t>(c - 'A')]);
    return out;
  }
  std::string begin(std::string_view symbols) { return text(pool.begin(some(symbols))); }
  std::string end(std::string_view symbols) { return text(pool.end(some(symbols))); }
  // What happens when these connections deliver, `later` after the last time.
  std::string take_over(std::vector<std::uint32_t> delivering, std::chrono::milliseconds later) {
    now += later;
    return text(pool.take_over([&](std::uint32_t n) { return std::ranges::count(delivering, n) > 0; }, now));
  }
  [[nodiscard]] std::uint32_t carrier(char symbol) const {
    const auto found = pool.carried().find(&instruments[static_cast<std::size_t>(symbol - 'A')]);
    return found == pool.carried().end() ? 0 : found->second;
  }
  static std::string text(const ConnectionPool::Steps& steps) {
    static constexpr std::array names = {"open ", "add ", "remove ", "stop "};
    std::string out;
    for (const auto& step : steps) {
      out += (out.empty() ? "" : ", ") + std::string(names[static_cast<std::size_t>(step.kind)]);
      out += std::to_string(step.connection);
      if (step.queue_of != 0) out += (step.takes_over ? " (after " : " (as ") + std::to_string(step.queue_of) + ")";
      if (!step.instruments.empty()) out += ":";
      for (const Instrument* instrument : step.instruments) out += " " + instrument->symbol;
    }
    return out;
  }
  std::array<Instrument, 12> instruments{};
  ConnectionPool pool;
  ConnectionPool::Time now = ConnectionPool::Time{} + std::chrono::hours(1);
};
}  // namespace

TEST_CASE("pool: instruments are spread over as few connections as the limit allows, evenly") {
  using Sizes = std::vector<std::size_t>;
  CHECK(ConnectionPool::spread(0, 500).empty());
  CHECK(ConnectionPool::spread(1, 500) == Sizes{1});
  CHECK(ConnectionPool::spread(500, 500) == Sizes{500});
  CHECK(ConnectionPool::spread(501, 500) == Sizes{251, 250});
  CHECK(ConnectionPool::spread(1500, 500) == Sizes{500, 500, 500});
  CHECK(ConnectionPool::spread(2, 0) == Sizes{1, 1});
}

TEST_CASE("pool: those that come later fill what has room, and only the rest makes a new connection") {
  World w(3, 1);
  CHECK(w.begin("ABCD") == "open 1: A B, open 2: C D");
  CHECK(w.begin("EFG") == "add 1: E, add 2: F, open 3: G");
  CHECK(w.carrier('E') == 1);
  CHECK(w.carrier('G') == 3);
  CHECK(w.begin("").empty());
}

TEST_CASE("pool: who leaves is taken from its connection alone, which ends when nobody is left on it") {
  World w(3, 1);
  (void)w.begin("ABCD");
  CHECK(w.end("AC") == "remove 1: A, remove 2: C");
  CHECK(w.end("D") == "remove 2: D, stop 2");
  CHECK(w.carrier('D') == 0);
  CHECK(w.end("D").empty());
  // It is ending: nobody is given to it any more.
  CHECK(w.begin("DEF") == "add 1: D E, open 3: F");
}

TEST_CASE("pool: twins share a queue, and carry and lose the same") {
  World w(3, 2);
  CHECK(w.begin("AB") == "open 1: A B, open 2 (as 1): A B");
  CHECK(w.pool.twin_of(1) == 2);
  CHECK(w.pool.twin_of(2) == 0);
  CHECK(w.pool.primary_of(2) == 1);
  CHECK(w.pool.primary_of(1) == 0);
  CHECK(w.begin("C") == "add 1: C, add 2: C");
  CHECK(w.begin("D") == "open 3: D, open 4 (as 3): D");
  CHECK(w.end("ABC") == "remove 1: A B C, stop 1, remove 2: A B C, stop 2");
}

TEST_CASE("pool: the next connection delivers for two seconds, then the old one ends") {
  World w(3, 1);
  (void)w.begin("AB");
  CHECK(World::text(w.pool.renew(1)) == "open 2 (after 1): A B");
  CHECK(w.pool.renewing(1));
  CHECK(w.pool.renewing(2));
  CHECK(w.pool.renew(1).empty());  // one is on its way
  CHECK(w.take_over({1}, 60s).empty());
  CHECK(w.take_over({1, 2}, 1s).empty());
  CHECK(w.take_over({1}, 1s).empty());  // it stopped: the two seconds begin anew
  CHECK(w.take_over({1, 2}, 1s).empty());
  CHECK(w.carrier('A') == 1);
  CHECK(w.take_over({1, 2}, 2s) == "stop 1");
  CHECK(w.carrier('A') == 2);
  CHECK(w.pool.renewed() == 1);
  CHECK_FALSE(w.pool.renewing(2));
  CHECK(w.pool.renew(1).empty());  // it is over
  w.pool.forget(1);
  CHECK(World::text(w.pool.renew(2)) == "open 3 (after 2): A B");
}

TEST_CASE("pool: while one takes over nobody is added to either, and who leaves leaves both") {
  World w(3, 1);
  (void)w.begin("AB");
  (void)w.pool.renew(1);
  CHECK(w.begin("C") == "open 3: C");
  CHECK(w.end("A") == "remove 2: A, remove 1: A");
  CHECK(w.end("B") == "remove 2: B, stop 2, remove 1: B, stop 1");
  CHECK(w.take_over({2}, 60s).empty());
  CHECK(w.pool.renewed() == 0);
  CHECK_FALSE(w.pool.renewing(1));
}

TEST_CASE("pool: either of two twins may be renewed, and its next is the other's twin") {
  World w(3, 2);
  (void)w.begin("AB");
  CHECK(World::text(w.pool.renew(2)) == "open 3 (after 2): A B");
  CHECK(w.begin("C") == "open 4: C, open 5 (as 4): C");
  (void)w.take_over({3}, 1s);
  CHECK(w.take_over({3}, 2s) == "stop 2");
  CHECK(w.pool.twin_of(1) == 3);
  w.pool.forget(2);
  CHECK(World::text(w.pool.renew(1)) == "open 6 (after 1): A B");
  (void)w.take_over({6}, 1s);
  CHECK(w.take_over({6}, 2s) == "stop 1");
  CHECK(w.pool.twin_of(6) == 3);
  CHECK(w.carrier('B') == 6);
  CHECK(w.end("AB") == "remove 6: A B, stop 6, remove 3: A B, stop 3");
}

TEST_CASE("pool: a connection that ended by itself while another was to take over is forgotten with it") {
  World w(3, 1);
  (void)w.begin("AB");
  (void)w.pool.renew(1);
  w.pool.forget(2);
  CHECK_FALSE(w.pool.renewing(1));
  CHECK(w.take_over({2}, 60s).empty());
  CHECK(World::text(w.pool.renew(1)) == "open 3 (after 1): A B");
}
