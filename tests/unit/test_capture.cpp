// A capture's notes, lines and files; that a run replayed gives the same bytes is shown where there is an exchange
// (tests/sim/captures.cpp).
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "cli/commands.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/storage/capture.hpp"
#include "cvdd/storage/recording.hpp"
#include "storage/capture_writer.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
Instrument an_instrument(std::uint32_t id, const std::string& exchange, Ids ids = Ids::sequence) {
  Instrument i;
  i.id = id;
  i.exchange = exchange;
  i.market = Market::linear;
  i.ids = ids;
  i.contract_size = {1, 3};
  i.symbol = "BTC-SWAP";
  i.base = "BTC";
  i.quote = "USDT";
  return i;
}

Record a_trade(const Instrument& instrument, std::uint64_t id, std::int64_t price, bool named = false) {
  Trade t;
  t.instrument = &instrument;
  t.time = {1'000'000 + price};
  t.id = id;
  if (named) t.id_high = 7;
  t.aggressor = Aggressor::buyer;
  t.price = {price, 1};
  t.base = {5, 2};
  t.quote = {price * 5, 3};
  return Record::from(t).value();
}

// A folder of its own, gone afterwards.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cvdd-capture-" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path());
    std::ranges::sort(names);
    return names;
  }
  fs::path path;
};

std::vector<RecordedMessage> lines_of(const std::string& path) {
  RecordingReader reader(path);
  std::vector<RecordedMessage> lines;
  RecordedMessage line;
  while (reader.next_line(line)) lines.push_back(line);
  CHECK(reader.broken_lines() == 0);
  CHECK_FALSE(reader.torn());
  return lines;
}
}  // namespace

TEST_CASE("notes are read as they were written") {
  const RunNote run{{5}, 2, seconds(60), seconds(2), false, true, true};
  CHECK(std::get<RunNote>(parse_note(to_text(run)).value()) == run);

  const auto instrument =
      std::get<InstrumentNote>(parse_note(to_text(InstrumentNote{an_instrument(9, "okx")})).value());
  CHECK(instrument.instrument.id == 9);
  CHECK(instrument.instrument.exchange == "okx");
  CHECK(instrument.instrument.market == Market::linear);
  CHECK(instrument.instrument.contract_size == Decimal{1, 3});
  CHECK(instrument.instrument.symbol == "BTC-SWAP");
  CHECK(instrument.instrument.settle.empty());

  ConnectionNote connection;
  connection.connection = 4;
  connection.exchange = "okx";
  connection.answers = true;
  connection.url = "https://x:443/a?b=c";
  const auto c = std::get<ConnectionNote>(parse_note(to_text(connection)).value());
  CHECK((c.connection == 4 && c.answers && c.url == connection.url && c.market == Market::spot));

  Row row;
  row.time = {60'000'000};
  row.exchange = "okx";
  row.symbol = "BTC-SWAP";
  const auto added = std::get<AddedNote>(parse_note(to_text(AddedNote{3, true, 17, {row, row}})).value());
  CHECK((added.instrument == 3 && added.held && added.last_id == 17U && added.rows.size() == 2));
  CHECK(added.rows[1].time == row.time);
  CHECK_FALSE(std::get<AddedNote>(parse_note(to_text(AddedNote{3, false, {}, {}})).value()).last_id);

  const auto b = std::get<BucketsNote>(parse_note(to_text(BucketsNote{3, {{1'000, 0}, {25, 1}}, {}})).value());
  CHECK((b.instrument == 3 && b.bounds == std::vector<Decimal>{{1'000, 0}, {25, 1}} && b.rows.empty()));

  Candle candle;
  candle.time = {60'000'000};
  candle.fills = 12;
  candle.base = {15, 1};
  candle.buy_quote = {-3, 0};
  const auto candles = std::get<CandlesNote>(parse_note(to_text(CandlesNote{3, {candle, candle}})).value());
  REQUIRE(candles.candles.size() == 2);
  CHECK((candles.candles[1].fills == 12 && candles.candles[1].base == candle.base &&
         candles.candles[1].buy_quote == candle.buy_quote));

  CHECK(std::get<CloseNote>(parse_note(to_text(CloseNote{{77}})).value()).upto.us == 77);
  CHECK(std::get<FinishNote>(parse_note(to_text(FinishNote{{77}, {78}})).value()).now.us == 78);
  CHECK(std::get<StatusNote>(parse_note(to_text(StatusNote{429})).value()).status == 429);
  for (const char* nonsense : {"", "close", "close\tx", "run\t1", "records\tt5", "records\t5 z", "records\t5 t1.xyz",
                               "records\t5 name:1:2:3", "added\t1\t0\tx", "something\t1", "instrument\t1\tx"}) {
    CHECK_FALSE(parse_note(nonsense));
  }
}

TEST_CASE("a records note has marks as they are, and names trades by id and fingerprint") {
  const Instrument one = an_instrument(1, "x"), two = an_instrument(2, "x", Ids::opaque);
  PendingNames names;
  const IdText uuid = IdText::from("some-uuid").value();
  const Record mark = Record::mark(RecordKind::lost, 2, {123}, 4, 5), trade = a_trade(one, 1'000, 42),
               named = a_trade(two, 3, 43, true);
  std::string text;
  append_records_note(text, std::vector<Record>{trade, mark, Record::name(uuid, 2)}, names);
  REQUIRE(names.size() == 1);  // its trade comes with the next records
  auto items = std::get<RecordsNote>(parse_note(text).value()).items;
  REQUIRE(items.size() == 2);
  const auto first = std::get<TradeReference>(items[0]);  // a copy: items is filled anew
  CHECK((first.kind == RecordKind::trade && first.instrument == 1 && first.id == 1'000));
  CHECK(first.fingerprint == (fingerprint_of(trade, {}) & 0xFFFFU));
  const auto& second = std::get<Record>(items[1]);
  CHECK((second.kind() == RecordKind::lost && second.instrument() == 2 && second.time().us == 123 && second.id() == 4 &&
         second.count() == 5));

  text.clear();
  append_records_note(text, std::vector<Record>{named, trade.as_again()}, names);
  CHECK(names.empty());
  items = std::get<RecordsNote>(parse_note(text).value()).items;
  REQUIRE(items.size() == 2);
  const auto& third = std::get<TradeReference>(items[0]);
  CHECK((third.id == 0 && third.instrument == 2 && third.fingerprint == fingerprint_of(named, uuid)));
  CHECK(third.fingerprint != fingerprint_of(named, {}));
  const auto& fourth = std::get<TradeReference>(items[1]);
  CHECK((fourth.kind == RecordKind::again && fourth.fingerprint == first.fingerprint));
  CHECK(fingerprint_of(trade, {}) != fingerprint_of(a_trade(one, 1'000, 44), {}));
}

TEST_CASE("a line is JSON whatever the message holds") {
  std::string line;
  append_line(line, {1'731'974'400'000'042}, 3, "in", "{\"a\":\"\\\n\x01\xE2\x82\xAC\xFF\xC0\x80\xED\xA0\x80\"}");
  CHECK(line ==
        "{\"ts\": 1731974400.000042, \"conn\": 3, \"dir\": \"in\", \"msg\": \"{\\\"a\\\":\\\"\\\\\\u000a\\u0001"
        "\xE2\x82\xAC\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\\"}\"}\n");
}

TEST_CASE("[capture] in the configuration") {
  KnownMarkets known;
  known.markets = {{"okx", Market::spot}};
  std::vector<ConfigError> errors;
  const Config c = parse_config(
      "[capture]\ndir = \"c\"\nexchanges = [\"okx\"]\nrotate = \"15m\"\nkeep = \"2h\"\nmax_size = \"64MiB\"\n",
      "c.toml", known, errors);
  CHECK(errors.empty());
  CHECK(c.capture == CaptureConfig{"c", {"okx"}, seconds(900), seconds(7'200), std::uint64_t{64} << 20});
  CHECK(changes_that_need_a_restart(c, Config{}) == std::vector<std::string>{"capture"});
  for (const char* wrong : {"exchanges = [\"nowhere\"]", "exchanges = \"okx\"", "rotate = \"7m\"", "keep = \"1m\"",
                            "max_size = \"1MiB\"", "max_size = 5", "max_size = \"5 GB\"", "where = \"x\""}) {
    errors.clear();
    (void)parse_config(std::string("[capture]\n") + wrong + "\n", "c.toml", known, errors);
    CHECK(errors.size() == 1);
  }
  CHECK(parse_size("20GiB") == std::uint64_t{20} << 30);
  CHECK_FALSE(parse_size("20"));
}

#if CVDD_WITH_ZSTD
TEST_CASE("what is told is in the files, in order, and each file can be read by itself") {
  const Folder folder;
  const auto files = make_file_sink();
  Timestamp now{1'731'974'399'000'000};
  std::vector<std::string> problems;
  {
    Capture capture(
        {folder.path, {"okx"}, seconds(3'600), seconds(86'400), std::uint64_t{1} << 30},
        {files.get(), [&] { return now; }, [&](const std::string& line) { problems.push_back(line); }, false});
    CHECK(capture.wants("okx"));
    CHECK_FALSE(capture.wants("binance"));
    capture.begin({{}, 0, seconds(60), seconds(2), false, true, true});
    const Instrument ours = an_instrument(1, "okx"), other = an_instrument(2, "binance");
    capture.instrument(ours);
    capture.instrument(other);
    capture.added({1, false, {}, {}});
    capture.added({2, false, {}, {}});
    ConnectionNote note;
    note.exchange = "okx";
    note.url = "wss://x/ws";
    const std::uint32_t number = capture.connection(note);
    capture.opened(number);
    capture.sent(number, "subscribe");
    const std::vector<std::string_view> messages{"one", "two"};
    capture.received(number, messages);
    capture.records(std::vector<Record>{a_trade(ours, 5, 42), a_trade(other, 6, 42)});
    now = now + seconds(2);  // into the next hour
    capture.received(number, std::vector<std::string_view>{"three"});
    capture.closed_bars({60'000'000});
    CHECK(capture.running());
  }
  CHECK(problems.empty());
  const auto paths = folder.files();
  REQUIRE(paths.size() == 2);
  // Whoever replays them is told what they tell themselves.
  ReplayCommand command;
  command.recordings = paths;
  CHECK(wrong_replay(command).empty());
  command.exchange = "okx";
  CHECK(wrong_replay(command) ==
        paths[0] + " is a capture of cvdd, which tells its exchange itself: leave --exchange out");
  command.exchange.clear();
  command.instruments = {"i.json"};
  CHECK(wrong_replay(command).find("leave --instruments and --interval out") != std::string::npos);
  const auto first = lines_of(paths[0]), second = lines_of(paths[1]);
  std::string told;
  for (const auto& line : first) {
    if (line.connection == 1) told += std::to_string(static_cast<int>(line.kind)) + line.text + " ";
    CHECK(line.text.find("binance") == std::string::npos);
  }
  CHECK(told == "2 1subscribe 0one 0two ");  // open, out, in, in
  CHECK(first.back().text.starts_with("records\t1 t5."));
  CHECK(first.back().text.find("t6.") == std::string::npos);
  REQUIRE(second.size() == 5);
  CHECK(std::get<RunNote>(parse_note(second[0].text).value()).part == 1);
  CHECK(second[1].text.starts_with("instrument\t1\tokx"));
  CHECK(second[2].text.starts_with("connection\t1\tokx"));
  CHECK(second[3].text == "three");
  CHECK(second[4].text == "close\t60000000");
}

TEST_CASE("old files and too much of them go, and nothing else") {
  const Folder folder;
  const auto put = [&](const char* name, std::size_t size) {
    std::ofstream(folder.path / name) << std::string(size, 'x');
  };
  put("capture-2024-11-18T23-00-00.000Z.jsonl.zst", 10);
  put("capture-2024-11-18T23-30-00.000Z.jsonl.zst", std::size_t{4} << 20);
  put("capture-2024-11-18T23-40-00.000Z.jsonl.zst", std::size_t{4} << 20);
  put("notes.txt", 10);
  const auto files = make_file_sink();
  {
    Capture capture({folder.path, {}, seconds(3'600), seconds(3'600), std::uint64_t{8} << 20},
                    {files.get(), [] { return Timestamp{1'731'974'460'000'000}; }, [](const std::string&) {}, false});
    capture.begin({{}, 0, seconds(60), seconds(2), false, true, true});
  }
  const auto left = folder.files();  // 2024-11-19T00:01:00Z
  REQUIRE(left.size() == 3);
  CHECK(left[0].ends_with("/capture-2024-11-18T23-40-00.000Z.jsonl.zst"));
  CHECK(left[1].ends_with("/capture-2024-11-19T00-01-00.000Z.jsonl.zst"));
  CHECK(left[2].ends_with("/notes.txt"));
}
#endif
