// What ship decides, without a broker: what goes when, what is remembered, what a message looks like.
#include <random>
#include <set>

#include "catch.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "engine/backlog.hpp"
#include "engine/checkpoint.hpp"
#include "engine/engine_config.hpp"
#include "engine/folder.hpp"
#include "engine/message.hpp"
#include "engine/outbox.hpp"
#include "source_dir.hpp"

using namespace cvdd;
using namespace cvdd::engine;
using namespace std::chrono_literals;
using Time = Outbox::Time;

TEST_CASE("one row of each instrument is on its way at a time, not more than the window in all") {
  Outbox outbox({.window = 2});
  outbox.fill({"a", "a", "b", "c", "a"});
  Time now{};
  CHECK(outbox.due(now) == std::vector<std::size_t>{0, 2});
  CHECK(outbox.due(now).empty());
  outbox.stored(0);
  CHECK(outbox.due(now) == std::vector<std::size_t>{3});
  outbox.stored(2);
  CHECK(outbox.due(now) == std::vector<std::size_t>{1});
  outbox.stored(3);
  outbox.stored(1);
  outbox.stored(1);  // answered twice
  CHECK(outbox.due(now) == std::vector<std::size_t>{4});
  outbox.stored(4);
  CHECK(outbox.empty());
}

TEST_CASE("what is not answered is sent again after a while, and a late answer counts") {
  Outbox outbox({});
  outbox.fill({"a", "a"});
  Time now{};
  CHECK(outbox.due(now).size() == 1);
  now += 2'999ms;
  CHECK(outbox.due(now).empty());
  now += 2ms;
  CHECK(outbox.due(now).empty());  // taken back; nothing is sent for a moment
  CHECK(outbox.timeouts() == 1);
  outbox.stored(0);  // late
  now += 250ms;
  CHECK(outbox.due(now) == std::vector<std::size_t>{1});
  outbox.stored(0);
  outbox.stored(1);
  CHECK(outbox.empty());
}

TEST_CASE("a broker in trouble is not flooded") {
  Outbox outbox({});
  outbox.fill(std::vector<std::string>(1, "a"));
  Time now{};
  std::size_t sent = 0;
  for (int ms = 0; ms < 60'000; ++ms, now += 1ms) {
    for (const std::size_t row : outbox.due(now)) {
      ++sent;
      outbox.failed(row, now);
    }
  }
  CHECK(sent > 10);
  CHECK(sent < 40);  // 250 ms … 5 s
}

TEST_CASE("whatever fails, rows of an instrument are stored in order and all of them") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Outbox outbox({.window = 1 + random() % 20});
    std::vector<std::string> instruments;
    for (int i = 0; i < 300; ++i) instruments.push_back(std::to_string(random() % 12));
    outbox.fill(instruments);
    std::map<std::string, std::size_t> last;  // first stored of each instrument, in order
    std::set<std::size_t> stored;
    std::vector<std::size_t> answers;
    Time now{};
    for (int step = 0; step < 200'000 && !outbox.empty(); ++step, now += 10ms) {
      for (const std::size_t row : outbox.due(now)) {
        const auto fate = random() % 10;
        if (fate == 0) {
          outbox.failed(row, now);
        } else if (fate > 1) {
          if (stored.insert(row).second) {
            REQUIRE((!last.contains(instruments[row]) || last[instruments[row]] < row));
            last[instruments[row]] = row;
          }
          if (fate > 2) answers.push_back(row);  // else it is stored, and the answer is lost
        }
      }
      while (!answers.empty() && random() % 3 != 0) {
        outbox.stored(answers.back());
        answers.pop_back();
      }
    }
    REQUIRE(outbox.empty());
    REQUIRE(stored.size() == instruments.size());
  }
}

TEST_CASE("a row waits since its bar ended, a revision of an old bar since it was read") {
  const Duration minute = seconds(60);
  const Timestamp read_at{1'800'000'000'000'000}, now = read_at + seconds(5);
  Row row;
  row.time = read_at - seconds(3'660);
  CHECK(waiting_for(row, minute, read_at, now) == seconds(3'605));
  row.rev = 1;
  CHECK(waiting_for(row, minute, read_at, now) == seconds(5));
  row.rev = 0;
  row.time = now;  // a clock that runs behind the exchange's
  CHECK(waiting_for(row, minute, read_at, now) == Duration{});
}

TEST_CASE("the backlog comes oldest day first, and its positions move when a piece is acknowledged") {
  engine_test::Folder folder;
  EngineConfig config;
  config.data_dir = folder.path();
  Metrics metrics("");
  Positions acknowledged;
  Backlog backlog(config, "east", acknowledged, metrics);
  std::vector<std::string> told;
  backlog.complain = [&](const std::string& what) { told.push_back(what); };
  CHECK_FALSE(backlog.next());
  const std::string second = engine_test::line({.time = "2026-11-21T00:00:00Z"});
  folder.write("cvd-2026-11-21.csv", engine_test::header() + second);
  folder.write("cvd-2026-11-20.csv", engine_test::header() + engine_test::line({}) + "no row\n");
  folder.write("cvd-2026-11-19.csv", "what is this\n");
  REQUIRE(backlog.next());
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("cvd-2026-11-19.csv") != std::string::npos);
  REQUIRE(backlog.rows().size() == 1);
  CHECK(format_time(backlog.rows()[0].row.time) == "2026-11-20T00:00:00Z");
  CHECK(backlog.bytes_waiting() == engine_test::header().size() * 2 + engine_test::line({}).size() + second.size() + 7);
  CHECK_FALSE(backlog.moved());
  CHECK(acknowledged["cvd-2026-11-20.csv"] == Position{});
  backlog.done();
  CHECK(backlog.moved());
  CHECK_FALSE(backlog.moved());
  CHECK(acknowledged["cvd-2026-11-20.csv"].offset == engine_test::header().size() + engine_test::line({}).size() + 7);
  REQUIRE(backlog.next());
  CHECK(format_time(backlog.rows()[0].row.time) == "2026-11-21T00:00:00Z");
  backlog.done();
  CHECK_FALSE(backlog.next());
  CHECK(backlog.bytes_waiting() == 0);
  CHECK(told.size() == 1);
}

TEST_CASE("answers of JetStream") {
  const PubAnswer good = parse_pub_answer(R"({"stream":"CVD","seq":42})", false);
  CHECK((good.stored && good.sequence == 42 && !good.duplicate));
  CHECK(parse_pub_answer(R"({"stream":"CVD","seq":42,"duplicate":true})", false).duplicate);
  const PubAnswer full =
      parse_pub_answer(R"({"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}})", false);
  CHECK((!full.stored && full.error == "maximum messages exceeded"));
  CHECK_FALSE(parse_pub_answer("", true).stored);
  for (const char* broken : {"", "{", "[]", "null", R"({"seq":"x"})", R"({"error":1})"}) {
    const PubAnswer answer = parse_pub_answer(broken, false);
    CHECK_FALSE(answer.stored);
    CHECK_FALSE(answer.error.empty());
  }
}

TEST_CASE("subjects and ids") {
  std::string text = engine_test::line({.symbol = "BTC.USD*>%é"}), reason;
  text.pop_back();
  const auto row = store_row_from("east", text, reason);
  REQUIRE(row);
  CHECK(subject_of(*row) == "cvd.v1.binance.spot.BTC%2EUSD%2A%3E%25%C3%A9");
  CHECK(message_id(*row) == "east/binance/spot/BTC.USD*>%é/2026-11-20T00:00:00Z/0");
  CHECK(fields_of(text)[3] == "BTC.USD*>%é");
  CHECK_FALSE(store_row_from("east", "time,exchange", reason));
  text.replace(text.find("BTC"), 3, "B\x01C");
  CHECK_FALSE(store_row_from("east", text, reason));
}

TEST_CASE("a checkpoint is believed whole or not at all") {
  const Checkpoint one{
      1'700'000'000'000'000'000, 99, {{"cvd-2026-11-20.csv", {123, 456}}, {"cvd-2026-11-20.1.csv", {7, 0}}}};
  const std::string text = encode(one);
  CHECK(decode_checkpoint(text) == one);
  for (std::size_t cut = 0; cut < text.size(); ++cut) CHECK_FALSE(decode_checkpoint(text.substr(0, cut)));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = static_cast<char>(other[at] ^ 1);
    CHECK_FALSE(decode_checkpoint(other) == one);
  }
}

TEST_CASE("a checkpoint's file is one ship's alone") {
  engine_test::Folder folder;
  bool damaged = false;
  {
    const CheckpointFile file(folder / "ship.checkpoint");
    CHECK_FALSE(file.read(damaged));
    file.write({1, 2, {{"cvd-2026-11-20.csv", {3, 4}}}});
    CHECK_THROWS_WITH(CheckpointFile(folder / "ship.checkpoint"), Catch::Contains("another cvdd-engine ship"));
  }
  const CheckpointFile file(folder / "ship.checkpoint");
  CHECK(file.read(damaged)->last_sequence == 2);
  folder.write("ship.checkpoint", "something else");
  CHECK_FALSE(file.read(damaged));
  CHECK(damaged);
  CHECK_THROWS_WITH(CheckpointFile(folder / "none/ship.checkpoint"), Catch::Contains("folder must be there"));
}

TEST_CASE("the engine's configuration: what is wrong, where") {
  const auto errors_of = [](const std::string& text) {
    std::vector<ConfigError> errors;
    (void)parse_engine_config(text, "e.toml", errors);
    std::string all;
    for (const ConfigError& error : errors) all += to_string(error) + "\n";
    return all;
  };
  CHECK(errors_of("").empty());
  CHECK(errors_of("[nats]\nserver = [\"nats://a:4222\"]")
            .find("e.toml:2: nats.server: unknown key, did you mean 'servers'?") == 0);
  CHECK(errors_of("[nats]\nservers = [\"nats://u:p@a:4222\"]").find("e.toml:2: nats.servers: expected a list") == 0);
  CHECK(errors_of("[nats]\nservers = [\"nats://a:4222\", \"tls://b:4222\"]").find("either all of them are tls://") !=
        std::string::npos);
  CHECK(errors_of("[sink]\nworkers = 0").find("e.toml:2: sink.workers: expected a number from 1 to 64") == 0);
  CHECK(errors_of("[sink]\nto = \"mysql:x\"").find("e.toml:2: sink.to: not a database") == 0);
  CHECK(errors_of("[ship]\nlisten = \"9481\"").find("e.toml:2: ship.listen: expected \"address:port\"") == 0);
  CHECK(errors_of("collector = \"a b\"").find("e.toml:1: collector: expected") == 0);
  CHECK(errors_of("interval = 60").find("e.toml:1: interval: expected a duration") == 0);

  std::vector<ConfigError> errors;
  std::ifstream in(source_dir() + "/config/engine.toml");
  const std::string shipped((std::istreambuf_iterator<char>(in)), {});
  const EngineConfig config = parse_engine_config(shipped, "engine.toml", errors);
  CHECK(errors.empty());
  CHECK(config.nats.max_age == seconds(7 * 86'400));
  EngineConfig relative = config;
  relative.sink_to = "sqlite:x.db";
  relative.checkpoint = "c";
  relative.data_dir = "~/rows";
  resolve_engine_paths(relative, "/etc/cvdd/engine.toml", "/home/a");
  CHECK(relative.sink_to == "sqlite:/etc/cvdd/x.db");
  CHECK(relative.checkpoint == "/etc/cvdd/c");
  CHECK(relative.data_dir == "/home/a/rows");
}
