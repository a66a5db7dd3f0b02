// One market's way from message to records, with the real parser of the first exchange in the registry.
#include "catch.hpp"
#include "cvdd/app/intake.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp now{1'791'382'992'000'000};

struct Fixture {
  explicit Fixture(bool event_time = false) : intake(*find_exchange("binance", Market::spot), event_time) {
    instrument.exchange = "binance";
    instrument.symbol = "BTCUSDT";
    intake.add(instrument);
  }
  std::string agg(std::uint64_t id, std::int64_t ms) {
    return R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":)" + std::to_string(id) +
           R"(,"p":"100.5","q":"2","f":1,"l":3,"T":)" + std::to_string(ms) + R"(,"m":false,"M":true}})";
  }
  std::vector<RecordKind> kinds() {
    std::vector<RecordKind> out;
    for (const Record& r : records) out.push_back(r.kind());
    records.clear();
    return out;
  }
  Instrument instrument;
  Intake intake;
  std::vector<Record> records;
};
using Kinds = std::vector<RecordKind>;
constexpr std::int64_t now_ms = now.us / 1000;
}  // namespace

TEST_CASE("a trade before the acknowledgement confirms the subscription, in order") {
  Fixture f;
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  REQUIRE(f.records.size() == 2);
  CHECK(f.records[1].fills() == 3);
  CHECK(f.records[1].quote() == Decimal(201, 0));
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade});
  f.intake.confirm(f.instrument, now, f.records);
  CHECK(f.kinds().empty());
}

TEST_CASE("holes are told before the trade that shows them, duplicates not at all") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  (void)f.intake.take(f.agg(13, now_ms), now, f.records);
  REQUIRE(f.records.size() == 4);
  CHECK(f.records[2].id() == 11);
  CHECK(f.records[2].count() == 2);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade, RecordKind::hole, RecordKind::trade});
  CHECK(f.intake.counters().duplicates == 1);
  CHECK(f.intake.counters().missing == 2);
}

TEST_CASE("a loss is told once and ends with the next confirmation") {
  Fixture f;
  f.intake.lose(f.instrument, now, f.records);
  CHECK(f.kinds().empty());
  f.intake.confirm(f.instrument, now, f.records);
  f.intake.lose(f.instrument, now, f.records);
  f.intake.lose(f.instrument, now, f.records);
  f.intake.confirm(f.instrument, now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::lost, RecordKind::subscribed});
}

TEST_CASE("a live trade more than a minute ahead of the clock is refused, and shows as a hole") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  (void)f.intake.take(f.agg(11, now_ms + 60'001), now, f.records);
  CHECK(f.intake.counters().ahead == 1);
  (void)f.intake.take(f.agg(12, now_ms), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade, RecordKind::hole, RecordKind::trade});
  Fixture playing(true);
  (void)playing.intake.take(playing.agg(1, now_ms + 3'600'000), now, playing.records);
  CHECK(playing.intake.counters().ahead == 0);
}

TEST_CASE("intake: after a restart the ids since the last row are a hole") {
  Fixture f;
  f.intake.resume_after(f.instrument, Series::aggregate, 7);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::hole, RecordKind::trade});
}

TEST_CASE("what is not understood is counted by kind and hands on nothing") {
  Fixture f;
  for (const char* text : {"", "{", "null", "[]", "{\"e\":\"aggTrade\"}", "{\"hello\":1}", "\xff\xfe"}) {
    (void)f.intake.take(text, now, f.records);
  }
  CHECK(f.records.empty());
  CHECK(f.intake.counters().refused_total() == 7);
}

TEST_CASE("messages that came together are taken as if they had come one by one") {
  Fixture one, together;
  const std::vector<std::string> texts{
      one.agg(10, now_ms),          "not json",
      one.agg(11, now_ms),          one.agg(11, now_ms),
      R"({"result":null,"id":7})",  one.agg(15, now_ms),
      one.agg(12, now_ms),          R"({"stream":"x@aggTrade","data":{"e":"aggTrade"}})",
      one.agg(16, now_ms + 61'000), one.agg(16, now_ms),
      one.agg(14, now_ms)};
  std::size_t acks = 0, acks_together = 0;
  for (const std::string& text : texts) acks += one.intake.take(text, now, one.records).acks.size();
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (std::span<const std::string_view> left = views; !left.empty();) {
    const auto some = together.intake.read(left);
    REQUIRE(some.size() == std::min(left.size(), Intake::ahead));
    left = left.subspan(some.size());
    for (const Parsed& parsed : some) {
      together.intake.take(parsed, now, together.records, 1);
      acks_together += parsed.acks.size();
    }
  }
  CHECK(acks == 1);
  CHECK(acks_together == acks);
  REQUIRE(together.records.size() == one.records.size());
  for (std::size_t i = 0; i < one.records.size(); ++i) {
    CHECK(together.records[i].kind() == one.records[i].kind());
    CHECK(together.records[i].id() == one.records[i].id());
  }
  const IntakeCounters &a = one.intake.counters(), &b = together.intake.counters();
  CHECK(b.messages == texts.size());
  CHECK(b.trades == a.trades);
  CHECK(b.duplicates == a.duplicates);
  CHECK(b.ahead == a.ahead);
  CHECK(b.missing == a.missing);
  CHECK(b.refused_total() == a.refused_total());
}
