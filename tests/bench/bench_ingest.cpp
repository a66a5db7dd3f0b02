// What one trade costs on its way from the message to the row, part by part and as a whole. Read as ratios.
#include <benchmark/benchmark.h>

#include <vector>

#include "cvdd/app/channel.hpp"
#include "cvdd/app/intake.hpp"
#include "cvdd/core/csv.hpp"
#include "cvdd/core/ledger.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/binance_protocol.hpp"
#include "cvdd/sim/tape.hpp"

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
