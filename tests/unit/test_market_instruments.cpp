// A market's instruments come and go for years: numbers are used again, and when none is left that is said once.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "daemon/market_instruments.hpp"
#include "sim/virtual_clock.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp start{1'791'382'992'000'000};

Instrument listed(const std::string& symbol) {
  Instrument out;
  out.exchange = "binance";
  out.symbol = symbol;
  return out;
}

struct Bench {
  explicit Bench(std::uint32_t numbers) : ids(numbers) {
    clock.use(io.get_executor());
    AggregatorOptions options;
    options.now = [this] { return clock.wall(); };
    options.on_problem = options.on_note = [](const std::string& line) { FAIL(line); };
    aggregator = std::make_unique<Aggregator>(options, store, syncer, restored);
    aggregator->begin();
    aggregator->add_channel(channel);
    market.clock = &clock;
    market.files = &files;
    market.aggregator = aggregator.get();
    market.restored = &restored;
    market.ids = &ids;
    MarketInstrumentsContext context;
    context.market = &market;
    context.exchange = &exchange;
    context.intake = &intake;
    context.time = std::make_shared<ExchangeTime>(clock);
    context.name = "binance spot";
    instruments = std::make_unique<MarketInstruments>(std::move(context));
    logger->set_level(spdlog::level::err);
    spdlog::set_default_logger(logger);
  }
  ~Bench() { spdlog::set_default_logger(before); }
  const Instrument* adopt(const std::string& symbol) {
    why.clear();
    return instruments->adopt(listed(symbol), {}, why);
  }
  // It is confirmed, trades once, and ends; all of that is written.
  void live_and_end(const Instrument& instrument, std::uint64_t id) {
    std::vector<Record> records;
    intake.confirm(instrument, clock.wall(), records);
    Trade t;
    t.instrument = &instrument;
    t.time = clock.wall();
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = t.base = t.quote = Decimal{1, 0};
    intake.take_history({&t, 1}, records);
    pass(std::chrono::minutes(2));
    intake.end(instrument, clock.wall(), records);
    REQUIRE(channel->push(records) == records.size());
    instruments->ended(instrument);
    pass(std::chrono::minutes(2));
  }
  void pass(std::chrono::minutes time) {
    for (; time.count() > 0; --time) {
      clock.advance(clock.steady() + std::chrono::minutes(1));
      (void)aggregator->turn();
      instruments->forget_ended([this](const Instrument& i) { return referred.contains(i.symbol); });
    }
  }
  asio::io_context io;
  simtest::VirtualClock clock{start};
  const Exchange& exchange = *find_exchange("binance", Market::spot);
  Intake intake{exchange, false};
  MemoryFiles files;
  CsvStore store{files, "/memory"};
  Remembered restored;
  FileSyncer syncer{files, false};
  std::shared_ptr<Channel> channel = std::make_shared<Channel>();
  std::unique_ptr<Aggregator> aggregator;
  InstrumentIds ids;
  MarketContext market;
  std::unique_ptr<MarketInstruments> instruments;
  std::set<std::string> referred;  // that somebody outside still has to do with
  std::string why;
  std::ostringstream log;
  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  std::shared_ptr<spdlog::logger> logger =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log));
  [[nodiscard]] std::size_t errors() const {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = log.str().find("no number is left", at)) != std::string::npos; ++at) ++n;
    return n;
  }
};
constexpr std::chrono::minutes an_hour{60}, a_day{24 * 60};
}  // namespace

TEST_CASE("when all numbers are out, who comes is left out, and that is said once until there was room again") {
  Bench b(2);
  const Instrument* const a = b.adopt("A");
  REQUIRE((a != nullptr && b.adopt("B") != nullptr));
  CHECK(b.adopt("A") == a);
  CHECK(b.adopt("C") == nullptr);
  CHECK(b.why == "no number is left for it: too many instruments");
  CHECK(b.adopt("D") == nullptr);
  CHECK(b.errors() == 1);
  b.live_and_end(*a, 1);
  CHECK(b.adopt("C") == nullptr);
  b.pass(a_day);
  CHECK(b.adopt("C") != nullptr);
  CHECK(b.adopt("D") == nullptr);
  CHECK(b.errors() == 2);
}

TEST_CASE("a number is used again a day after its instrument's end, and not while anybody has to do with it") {
  Bench b(2);
  const Instrument* const a = b.adopt("A");
  REQUIRE(a->id == 0);
  b.live_and_end(*a, 1);
  b.pass(a_day - an_hour);
  CHECK(b.instruments->find("A") == a);
  b.referred.insert("A");
  b.pass(2 * a_day);
  CHECK((b.instruments->find("A") == a && b.ids.out() == 1));
  b.referred.clear();
  b.pass(std::chrono::minutes(3));
  CHECK((b.instruments->find("A") == nullptr && b.ids.out() == 0));
  const Instrument* const next = b.adopt("B");
  REQUIRE(next->id == 0);
  CHECK((!b.intake.confirmed(*next) && !b.intake.last_id(*next) && !b.intake.begun(*next)));
}

TEST_CASE("who is wanted again before it is forgotten is the same; after that it goes on with what was known of it") {
  Bench b(2);
  const Instrument* const a = b.adopt("A");
  b.live_and_end(*a, 41);
  b.pass(a_day - an_hour);
  CHECK(b.adopt("A") == a);
  b.pass(3 * a_day);
  CHECK(b.instruments->find("A") == a);
  b.instruments->ended(*a);
  b.pass(a_day + an_hour);
  CHECK(b.instruments->find("A") == nullptr);
  const Instrument* const again = b.adopt("A");
  REQUIRE(again != nullptr);
  CHECK(b.intake.last_id(*again) == 41U);
}

TEST_CASE("while the aggregator puts an instrument away it can't begin again; a moment later it can") {
  Bench b(2);
  const Instrument* const a = b.adopt("A");
  b.live_and_end(*a, 1);
  b.clock.advance(b.clock.steady() + a_day + an_hour);
  b.instruments->forget_ended([](const Instrument&) { return false; });
  CHECK(b.adopt("A") == nullptr);
  CHECK(b.why == "what was known of it is being put away; it begins again in a moment");
  CHECK(b.errors() == 0);
  b.pass(std::chrono::minutes(2));
  CHECK(b.adopt("A") != nullptr);
}

TEST_CASE("thousands that come at once begin a thousand at a time, and a market has an end of its own") {
  Bench b(100'000);
  std::size_t turns = 0, adopted = 0;
  constexpr std::size_t wanted = MarketInstruments::instruments_max + 5;
  do {
    std::size_t now = 0;
    for (std::size_t i = 0; i < wanted; ++i) {
      const bool before = b.instruments->find("S" + std::to_string(i)) != nullptr;
      if (!before && b.adopt("S" + std::to_string(i)) != nullptr) ++now;
    }
    CHECK(now <= MarketInstruments::begun_at_once);
    adopted += now;
    ++turns;
  } while (b.instruments->next_turn() && turns < 100);
  CHECK(adopted == MarketInstruments::instruments_max);
  CHECK(turns == 17);
  CHECK(b.why == "no number is left for it: too many instruments");
  CHECK(b.errors() == 1);
}
