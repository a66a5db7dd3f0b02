// Nothing is allocated for a message on its way from the socket's bytes to the ledger, once everything has its size.
// Counted where the address sanitizer does not count itself.
#include <atomic>
#include <cstdlib>
#include <new>

#include "catch.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/tape.hpp"
#include "net/frames.hpp"
#include "sim/binance_protocol.hpp"

using namespace cvdd;

namespace {
thread_local std::uint64_t allocations = 0;

#ifndef __SANITIZE_ADDRESS__  // which has operators of its own, and wants those
void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const p = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, rounded) : std::malloc(rounded);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
#endif
}  // namespace

#ifndef __SANITIZE_ADDRESS__
void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif

TEST_CASE("no message costs an allocation between the bytes and the ledger") {
  constexpr Timestamp start{1'763'675'700'000'000};
  sim::Tape tape(1, start, sim::make_instruments(60, 600));
  tape.advance(start + seconds(50));
  std::vector<Instrument> instruments;
  for (const auto& what : tape.instruments()) {
    if (what.instrument.market == Market::linear) instruments.push_back(what.instrument);
  }
  for (std::uint32_t i = 0; i < instruments.size(); ++i) instruments[i].id = i;
  Intake intake(*find_exchange("binance", Market::linear), true);
  Ledger ledger({seconds(60), true});
  for (const Instrument& instrument : instruments) {
    intake.add(instrument);
    ledger.add_instrument(instrument);
  }
  std::string bytes;
  std::size_t sent = 0;
  for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
    const auto& what = tape.instruments()[i];
    if (what.instrument.market != Market::linear) continue;
    for (const sim::TapeTrade& trade : tape.trades(i)) {
      const std::string text = sim::binance::wrapped(sim::binance::stream_name(what.instrument, "aggTrade"),
                                                     sim::binance::aggregate_frame(what, trade, trade.time));
      bytes.append({'\x81', '\x7e', static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)});
      bytes += text;
      ++sent;
    }
  }
  REQUIRE(sent > 1'000);
  FrameWalk walk(1 << 20);
  FrameWalk::Batch batch;
  Channel channel;
  std::vector<Record> records, popped(4'096);
  std::uint64_t before = 0;
  const std::size_t piece = bytes.size() / 20;
  // The first pieces give everything its size, and every instrument its first trade.
  for (std::size_t round = 0, at = 0; at < bytes.size(); ++round) {
    const std::size_t end = std::min(bytes.size(), at + piece + 600);
    if (round == 1) {
      for (const Instrument& instrument : instruments) {  // whoever comes later in the bytes begins here
        records.clear();
        intake.confirm(instrument, start, records);
        for (const Record& record : records) ledger.apply(record);
      }
    }
    if (round == 2) before = allocations;
    walk.walk({bytes.data() + at, end - at}, batch);
    records.clear();
    for (const std::string_view message : batch.messages) (void)intake.take(message, start, records);
    if (round < 2) records.reserve(4'096);
    REQUIRE(channel.push(records) == records.size());
    const std::size_t n = channel.pop(popped);
    for (std::size_t i = 0; i < n; ++i) ledger.apply(popped[i]);
    at += batch.consumed;
    if (batch.consumed == 0) break;
  }
  const std::uint64_t made = allocations - before;
  CHECK(intake.counters().trades == sent);
  // A bar's first trade makes its place in the instrument's row of bars: once an instrument, not once a message.
  INFO(made << " allocations for " << sent << " messages of " << instruments.size() << " instruments");
  CHECK(made <= 4 * instruments.size());
}

TEST_CASE("no message of any exchange costs an allocation on its way to a record") {
  constexpr Timestamp start{1'763'675'700'000'000};
  for (const Exchange* exchange : all_exchanges()) {
    const sim::Protocol& protocol = *sim::find_protocol(exchange->name);
    auto made = sim::make_instruments_of(protocol, 40, 600);
    std::erase_if(made, [&](const auto& what) { return what.instrument.market != exchange->market; });
    sim::Tape tape(1, start, made);
    std::vector<Instrument> instruments;
    for (const auto& what : tape.instruments()) instruments.push_back(what.instrument);
    Intake intake(*exchange, true);
    for (std::uint32_t i = 0; i < instruments.size(); ++i) {
      instruments[i].id = i;
      intake.add(instruments[i]);
    }
    std::vector<Record> records;
    records.reserve(100'000);
    std::uint64_t allocated = 0;
    std::vector<std::size_t> told(tape.instruments().size());
    std::size_t trades = 0;
    // The first half gives everything its size.
    for (const std::int64_t half : {1, 2}) {
      tape.advance(start + seconds(60 * half));
      for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
        const auto& what = tape.instruments()[i];
        const auto all = tape.trades(i).subspan(told[i]);
        told[i] += all.size();
        std::vector<std::string> texts;
        for (const sim::TapeTrade& trade : all) {
          protocol.frames(what, 0, std::span(&trade, 1), trade.time, texts);
        }
        for (std::string& text : texts) text = protocol.wrapped(protocol.topics(what)[0], text);
        const std::uint64_t before = allocations, taken = intake.counters().trades;
        for (const std::string& text : texts) (void)intake.take(text, start + seconds(60 * half), records);
        if (half == 2) {
          allocated += allocations - before;
          trades += intake.counters().trades - taken;
        }
      }
    }
    INFO(exchange->name << " " << name_of(exchange->market) << ": " << allocated << " allocations for " << trades
                        << " trades");
    CHECK(trades > 500);
    // Memory of ids without an order grows by doubling; nothing else does.
    CHECK(allocated <= (instruments.empty() || instruments[0].ids == Ids::sequence ? 0 : trades / 20));
  }
}
