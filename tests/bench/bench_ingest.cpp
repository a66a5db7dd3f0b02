// What one trade costs on its way from the message to the row, part by part and as a whole. Read as ratios.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/tape.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/file_sink.hpp"
#include "net/frames.hpp"
#include "sim/binance_protocol.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp start{1'763'675'700'000'000};

// Ten minutes of a tape of 120 USD-M instruments, as frames in the order in which they were printed.
struct Frames {
  Frames() : tape(1, start, sim::make_instruments(360, 60)) {
    tape.advance(start + seconds(600));
    std::vector<std::pair<sim::TapeTrade, std::size_t>> trades;
    for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
      if (tape.instruments()[i].instrument.market != Market::linear) continue;
      instruments.push_back(tape.instruments()[i].instrument);
      for (const sim::TapeTrade& t : tape.trades(i)) trades.emplace_back(t, i);
    }
    for (std::uint32_t i = 0; i < instruments.size(); ++i) instruments[i].id = i;
    std::stable_sort(trades.begin(), trades.end(),
                     [](const auto& a, const auto& b) { return a.first.time < b.first.time; });
    for (const auto& [trade, i] : trades) {
      const auto& what = tape.instruments()[i];
      texts.push_back(sim::binance::wrapped(sim::binance::stream_name(what.instrument, "aggTrade"),
                                            sim::binance::aggregate_frame(what, trade, trade.time)));
    }
  }
  sim::Tape tape;
  std::vector<Instrument> instruments;
  std::vector<std::string> texts;
};
const Frames& frames() {
  static const Frames made;
  return made;
}
const Exchange& linear() { return *find_exchange("binance", Market::linear); }

void fill(Intake& intake) {
  for (const Instrument& instrument : frames().instruments) intake.add(instrument);
}

std::vector<Record> records() {
  Intake intake(linear(), true);
  fill(intake);
  std::vector<Record> out;
  for (const std::string& text : frames().texts) intake.take(text, start, out);
  return out;
}
}  // namespace

static void decimal_parse(benchmark::State& state) {
  Decimal d;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_decimal("83024.10000000"));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decimal_parse);

static void parse_message(benchmark::State& state) {
  SymbolTable symbols;
  for (const Instrument& instrument : frames().instruments) symbols.emplace(instrument.symbol, &instrument);
  Parsed parsed;
  std::size_t i = 0;
  for (auto _ : state) {
    linear().parse(frames().texts[i], symbols, parsed);
    benchmark::DoNotOptimize(parsed.trades.data());
    if (++i == frames().texts.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_message);

// Parse, checks, sequence, record; each round is the tape once.
static void message_to_record(benchmark::State& state) {
  std::vector<Record> out;
  for (auto _ : state) {
    Intake intake(linear(), true);
    fill(intake);
    for (const std::string& text : frames().texts) {
      out.clear();
      intake.take(text, start, out);
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames().texts.size()));
}
BENCHMARK(message_to_record)->Unit(benchmark::kMillisecond);

static void queue_by_64(benchmark::State& state) {
  const auto all = records();
  Channel channel;
  std::vector<Record> popped(64);
  for (auto _ : state) {
    channel.push(std::span(all).first(64));
    benchmark::DoNotOptimize(channel.pop(popped));
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(queue_by_64);

// Records to rows of one-minute bars.
static void record_to_row(benchmark::State& state) {
  const auto all = records();
  std::vector<Row> rows;
  for (auto _ : state) {
    Ledger ledger({seconds(60), true});
    for (const Instrument& instrument : frames().instruments) ledger.add_instrument(instrument);
    rows.clear();
    for (const Record& record : all) {
      ledger.apply(record);
      if (ledger.event_due(seconds(2))) ledger.close_by_event(seconds(2), rows);
    }
    benchmark::DoNotOptimize(rows.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
}
BENCHMARK(record_to_row)->Unit(benchmark::kMillisecond);

static void row_to_text(benchmark::State& state) {
  Ledger ledger({seconds(60), true});
  for (const Instrument& instrument : frames().instruments) ledger.add_instrument(instrument);
  for (const Record& record : records()) ledger.apply(record);
  std::vector<Row> rows;
  ledger.close_by_event(seconds(2), rows);
  std::string text;
  for (auto _ : state) {
    text.clear();
    for (const Row& row : rows) append_row(text, row);
    benchmark::DoNotOptimize(text.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.size()));
}
BENCHMARK(row_to_text);

// Every exchange's trade messages, one trade in each.
static void parse_of(benchmark::State& state, const Exchange& exchange) {
  const sim::Protocol& protocol = *sim::find_protocol(exchange.name);
  auto made = sim::make_instruments_of(protocol, 40, 60);
  std::erase_if(made, [&](const auto& what) { return what.instrument.market != exchange.market; });
  sim::Tape tape(1, start, made);
  tape.advance(start + seconds(60));
  SymbolTable symbols;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
    const auto& what = tape.instruments()[i];
    symbols.emplace(what.instrument.symbol, &what.instrument);
    for (const sim::TapeTrade& trade : tape.trades(i)) {
      protocol.frames(what, 0, std::span(&trade, 1), trade.time, texts);
    }
  }
  for (std::string& text : texts) text = protocol.wrapped(protocol.topics(tape.instruments()[0])[0], text);
  Parsed parsed;
  std::size_t i = 0, trades = 0;
  for (auto _ : state) {
    exchange.parse(texts[i], symbols, parsed);
    trades += parsed.trades.size();
    if (++i == texts.size()) i = 0;
  }
  if (trades == 0) state.SkipWithError("no message was understood");
  state.SetItemsProcessed(state.iterations());
}
[[maybe_unused]] static const bool parses = [] {
  for (const Exchange* e : all_exchanges()) {
    const std::string name = "parse/" + std::string(e->name) + "/" + std::string(name_of(e->market));
    benchmark::RegisterBenchmark(name.c_str(), [e](benchmark::State& state) { parse_of(state, *e); });
  }
  return true;
}();

static void frame_walk(benchmark::State& state) {
  std::string bytes;
  for (std::size_t i = 0; i < 1'000; ++i) {
    const std::string& text = frames().texts[i];
    bytes.append({'\x81', '\x7e', static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)});
    bytes += text;
  }
  FrameWalk walk(1 << 20);
  FrameWalk::Batch batch;
  for (auto _ : state) {
    walk.walk(bytes, batch);
    benchmark::DoNotOptimize(batch.messages.data());
  }
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(frame_walk);

static void sequence(benchmark::State& state) {
  Sequencer sequencer;
  std::uint64_t id = 1;
  for (auto _ : state) benchmark::DoNotOptimize(sequencer.decide(Series::aggregate, id, id)), ++id;
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sequence);

// The end of a minute in which every instrument has traded: rows made and put into text.
static void close_a_minute(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  std::vector<Instrument> instruments(count);
  Ledger ledger({seconds(60), false, true});
  for (std::uint32_t i = 0; i < count; ++i) {
    instruments[i].exchange = "abc";
    instruments[i].symbol = "S" + std::to_string(i) + "USDT";
    instruments[i].id = i;
    ledger.add_instrument(instruments[i]);
    ledger.apply(Record::mark(RecordKind::subscribed, i, start));
  }
  Timestamp now = start;
  std::uint64_t id = 0;
  std::vector<Row> rows;
  std::string text;
  for (auto _ : state) {
    state.PauseTiming();
    ++id;
    for (const Instrument& instrument : instruments) {
      Trade trade;
      trade.instrument = &instrument;
      trade.time = now + seconds(1);
      trade.id = id;
      trade.aggressor = Aggressor::buyer;
      trade.price = Decimal(830'911, 1);
      trade.base = Decimal(22, 3);
      trade.quote = Decimal(18'280'042, 4);
      ledger.apply(*Record::from(trade));
    }
    now = now + seconds(60);
    rows.clear();
    text.clear();
    state.ResumeTiming();
    ledger.close(now, rows);
    for (const Row& row : rows) append_row(text, row);
  }
  if (rows.size() != count) state.SkipWithError("not every instrument has a row");
}
BENCHMARK(close_a_minute)->Arg(1'000)->Arg(5'000)->Arg(20'000)->Unit(benchmark::kMillisecond);

// What a start has to read: a day's file of so many instruments and bars (in the system's cache, as after a crash).
static void start_up(benchmark::State& state) {
  const auto instruments = state.range(0), bars = state.range(1);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("cvdd-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    Row row;
    row.exchange = "binance";
    row.market = Market::linear;
    row.open = row.high = row.low = row.close = Decimal(8'309'117, 2);
    row.buy_base = row.sell_base = row.cvd_base = Decimal(123'456'789, 3);
    row.buy_quote = row.sell_quote = row.cvd_quote = Decimal(1'028'191'234'567, 5);
    row.first_id = row.last_id = "3211234567";
    std::ofstream out(folder / "cvd-2026-11-20.csv", std::ios::binary);
    std::string text = std::string(csv_header()) + "\n";
    for (std::int64_t bar = 0; bar < bars; ++bar) {
      row.time = parse_time("2026-11-20T00:00:00Z").value() + seconds(60 * bar);
      for (std::int64_t i = 0; i < instruments; ++i) {
        row.symbol = "S" + std::to_string(i) + "USDT";
        append_row(text, row);
      }
      out << text;
      text.clear();
    }
  }
  std::size_t known = 0;
  for (auto _ : state) {
    const auto files = make_file_sink();
    CsvStore store(*files, folder.string(), {false, false});
    const auto found = store.open();
    known = found.size();
  }
  state.counters["MB"] = static_cast<double>(std::filesystem::file_size(folder / "cvd-2026-11-20.csv") / 1'000'000);
  if (known != static_cast<std::size_t>(instruments)) state.SkipWithError("not every instrument was found");
  std::filesystem::remove_all(folder);
}
BENCHMARK(start_up)
    ->Args({1'000, 1'440})
    ->Args({20'000, 60})
    ->Args({20'000, 240})
    ->Args({20'000, 1'440})
    ->Unit(benchmark::kMillisecond);
