// On the way to the bars: of a bar the newest value of each kind, every forced order, and what there was no room for.
#include "catch.hpp"
#include "cvdd/feed/context_intake.hpp"
#include "cvdd/ledger/context.hpp"

using namespace cvdd;
using What = FeedMark::What;

namespace {
constexpr Timestamp start{1'763'676'000'000'000};  // 2025-11-20T22:00:00Z
constexpr Duration minute = seconds(60);

struct Way {
  explicit Way(std::size_t room = 64, DataKinds kinds = {DataKind::book, DataKind::liquidation})
      : ring(std::make_shared<ContextRing>(room)), intake(minute, ring) {
    instrument.id = 3;
    instrument.symbol = "BTCUSDT";
    intake.add(instrument, kinds);
  }
  void book(Duration at, std::int64_t bid, Duration received) {
    Parsed parsed;
    parsed.add<BestPrices>() = {&instrument, start + at, Decimal(bid, 0), Decimal(1, 0), {}, {}};
    intake.take(parsed, start + received);
  }
  void order(Duration at) {
    Parsed parsed;
    parsed.add<Liquidation>() = {&instrument, start + at, Aggressor::buyer, {1, 0}, {1, 0}, {1, 0}};
    intake.take(parsed, start + at);
  }
  // "subscribed book 0", "book 5 @59": what is in the ring, with seconds since the start.
  std::vector<std::string> take() {
    static constexpr const char* words[] = {"subscribed", "lost", "refused", "ended"};
    std::vector<std::string> out;
    const auto second = [](Timestamp t) { return std::to_string((t - start).us / 1'000'000); };
    for (auto some = ring->front(100); !some.empty(); some = ring->front(100)) {
      for (const ContextUpdate& u : some) {
        CHECK(u.instrument == 3);
        if (const auto* m = std::get_if<FeedMark>(&u.value)) {
          out.push_back(std::string(words[static_cast<int>(m->what)]) + " " + std::string(name_of(m->kind)) + " " +
                        second(m->time));
        }
        if (const auto* b = std::get_if<BestPrices>(&u.value)) {
          CHECK(b->instrument == nullptr);
          out.push_back("book " + to_string(*b->bid) + " @" + second(b->time));
        }
        if (const auto* o = std::get_if<Liquidation>(&u.value)) out.push_back("order @" + second(o->time));
      }
      ring->release(some.size());
    }
    return out;
  }
  Instrument instrument;
  std::shared_ptr<ContextRing> ring;
  ContextIntake intake;
};
using Told = std::vector<std::string>;
}  // namespace

TEST_CASE("context intake: a bar's newest value goes on when the next bar's comes, or when the bar is over") {
  Way way;
  way.intake.subscribed(way.instrument, {DataKind::book}, start);
  way.book(seconds(1), 1, seconds(1));
  way.book(seconds(59), 2, seconds(59));
  way.book(seconds(58), 3, seconds(59));  // overtaken
  way.intake.flush(start + seconds(59));
  CHECK(way.take() == Told{"subscribed book 0"});
  way.book(seconds(61), 4, seconds(61));
  CHECK(way.take() == Told{"book 2 @59"});
  way.intake.flush(start + seconds(62));
  CHECK(way.take().empty());
  way.intake.flush(start + seconds(122));
  CHECK(way.take() == Told{"book 4 @61"});
  CHECK(way.intake.counters().values == 4);
}

TEST_CASE("context intake: a value confirms its kind, and one without a time was made when it came") {
  Way way;
  way.book({-start.us}, 1, seconds(5));
  way.intake.flush(start + minute);
  CHECK(way.take() == Told{"subscribed book 5", "book 1 @5"});
}

TEST_CASE("context intake: of kinds and instruments that nobody asked for nothing goes on, nor of times to come") {
  Way way(64, {DataKind::liquidation});
  way.book(seconds(1), 1, seconds(1));
  Instrument other;
  other.id = 9;
  Parsed parsed;
  parsed.add<Liquidation>() = {&other, start, Aggressor::buyer, {1, 0}, {1, 0}, {1, 0}};
  parsed.add<Liquidation>() = {&way.instrument, start + seconds(61), Aggressor::buyer, {1, 0}, {1, 0}, {1, 0}};
  way.intake.take(parsed, start);
  way.intake.flush(start + minute);
  CHECK(way.take().empty());
  CHECK(way.intake.counters().refused == 1);
}

TEST_CASE("context intake: what a connection loses is said once, and that it is back") {
  Way way;
  const DataKinds both{DataKind::book, DataKind::liquidation};
  way.intake.subscribed(way.instrument, both, start);
  way.intake.lost(way.instrument, both, start + seconds(5));
  way.intake.lost(way.instrument, both, start + seconds(6));
  way.intake.subscribed(way.instrument, {DataKind::book}, start + seconds(9));
  way.intake.refused(way.instrument, {DataKind::liquidation}, start + seconds(9));
  CHECK(way.take() == Told{"subscribed book 0", "subscribed liquidations 0", "lost book 5", "lost liquidations 5",
                           "subscribed book 9", "refused liquidations 9"});
  CHECK(way.intake.counters().lost == 2);
  CHECK(way.intake.feeds() == std::pair<std::size_t, std::size_t>(2, 1));
  way.intake.remove(way.instrument, start + seconds(10));
  CHECK(way.take() == Told{"ended book 10"});
}

TEST_CASE("context intake: a full queue is counted, and marks the kind from what was missed on") {
  Way way(4);
  way.intake.subscribed(way.instrument, {DataKind::liquidation}, start);
  for (int i = 1; i <= 6; ++i) way.order(seconds(i));
  CHECK(way.intake.counters().dropped == 3);
  CHECK(way.take() == Told{"subscribed liquidations 0", "order @1", "order @2", "order @3"});
  way.intake.flush(start + seconds(10));
  CHECK(way.take() == Told{"lost liquidations 4", "subscribed liquidations 10"});
  way.order(seconds(11));
  CHECK(way.take() == Told{"order @11"});
}

TEST_CASE("context intake: the end of an instrument is told when there is room") {
  Way way(1);
  way.intake.subscribed(way.instrument, {DataKind::book}, start);
  way.intake.remove(way.instrument, start + seconds(3));
  CHECK(way.take() == Told{"subscribed book 0"});
  way.intake.flush(start + seconds(4));
  CHECK(way.take() == Told{"ended book 3"});
}
