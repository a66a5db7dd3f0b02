// One market's way from message to records, with the real parser of the first exchange in the registry.
#include <algorithm>

#include "catch.hpp"
#include "cvdd/feed/intake.hpp"

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
           R"(,"p":"100.5","q":"2","f":)" + std::to_string(3 * id + 1) + R"(,"l":)" + std::to_string(3 * id + 3) +
           R"(,"T":)" + std::to_string(ms) + R"(,"m":false,"M":true}})";
  }
  // As a page of history has it.
  Trade past(std::uint64_t id, Timestamp time) const {
    Trade t;
    t.instrument = &instrument;
    t.time = time;
    t.id = id;
    t.aggressor = Aggressor::buyer;
    t.price = t.base = t.quote = {1, 0};
    return t;
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

TEST_CASE("a subscription counts from the moment on by which it had certainly begun") {
  Fixture f;
  f.intake.set_clock_error(milliseconds(500));
  f.intake.confirm(f.instrument, now, f.records);
  REQUIRE(f.records.size() == 1);
  CHECK(f.records[0].kind() == RecordKind::subscribed);
  CHECK(f.records[0].time() == now + milliseconds(500));
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

TEST_CASE("ids without order: what was on its way when an instrument was removed is asked for when it comes back") {
  Intake intake(*find_exchange("bybit", Market::linear), false);
  Instrument instrument;
  instrument.exchange = "bybit";
  instrument.market = Market::linear;
  instrument.symbol = "AAAUSDT";
  instrument.ids = Ids::opaque;
  intake.add(instrument);
  std::vector<Record> records;
  intake.confirm(instrument, now, records);
  intake.end(instrument, now + seconds(60), records);
  CHECK(records.back().kind() == RecordKind::unsubscribed);
  CHECK(intake.known_until(instrument) < now + seconds(60));
  CHECK(intake.known_until(instrument) > now + seconds(30));
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
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade, RecordKind::lost, RecordKind::contradicted,
                           RecordKind::hole, RecordKind::trade});
  Fixture playing(true);
  (void)playing.intake.take(playing.agg(1, now_ms + 3'600'000), now, playing.records);
  CHECK(playing.intake.counters().ahead == 0);
}

TEST_CASE("intake: after a restart the ids since the last row are a hole") {
  Fixture f;
  f.intake.resume_after(f.instrument, Series::aggregate, 7, {});
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::hole, RecordKind::trade});
}

TEST_CASE("ids that begin anew with new times are a new numbering; what it began with is fetched") {
  Fixture f;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> holes;
  f.intake.on_hole = [&](const Instrument&, std::uint64_t first, std::uint64_t n) { holes.emplace_back(first, n); };
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(5'000, now_ms), now, f.records);
  (void)f.intake.take(f.agg(20, now_ms - 9'000), now, f.records);  // old time, old id: history
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade});
  // Nobody knows yet what this is: nothing is counted, and its bar is in doubt.
  (void)f.intake.take(f.agg(1, now_ms + 1), now, f.records);
  (void)f.intake.take(f.agg(2, now_ms + 1), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::lost, RecordKind::lost});
  CHECK(f.intake.counters().renumbered == 0);
  (void)f.intake.take(f.agg(3, now_ms + 2), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::hole, RecordKind::hole, RecordKind::trade});
  CHECK(holes == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 2}});
  CHECK(f.intake.counters().renumbered == 1);
  (void)f.intake.take(f.agg(4, now_ms + 3), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::trade});
}

TEST_CASE("a trade whose time can't be read was made before it came: its bars are in doubt since the newest trade") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms - 70), now, f.records);
  f.records.clear();
  std::string text = f.agg(11, now_ms - 20);
  const std::string time = std::to_string(now_ms - 20);
  text.replace(text.find(time), time.size(), R"("soon")");
  (void)f.intake.take(text, now, f.records);
  REQUIRE(f.records.size() == 1);
  CHECK(f.records[0].kind() == RecordKind::lost);
  CHECK(f.records[0].time() == Timestamp{(now_ms - 70) * 1'000 - 1});
  // Who was quiet longer than trades are on their way: no more is in doubt than that.
  f.records.clear();
  (void)f.intake.take(text, now + seconds(60), f.records);
  REQUIRE(f.records.size() == 1);
  CHECK(f.records[0].time() == now + seconds(55));
}

TEST_CASE("another trade under an id that was counted is a contradiction, a copy is none") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records, 2);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade});
  std::string other = f.agg(10, now_ms);
  other.replace(other.find("\"q\":\"2\""), 7, "\"q\":\"3\"");
  (void)f.intake.take(other, now, f.records, 2);
  CHECK(f.kinds() == Kinds{RecordKind::contradicted});
  (void)f.intake.take(f.agg(10, now_ms + 60'000), now, f.records, 2);
  CHECK(f.intake.counters().contradictions >= 2);
}

TEST_CASE("an aggregate of fills that an earlier one has is not counted, and its bar is in doubt") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  for (std::uint64_t id = 10; id < 14; ++id) (void)f.intake.take(f.agg(id, now_ms), now, f.records);
  f.records.clear();
  std::string again = f.agg(14, now_ms);
  again.replace(again.find("\"f\":43"), 6, "\"f\":42");
  (void)f.intake.take(again, now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::contradicted});
  (void)f.intake.take(f.agg(15, now_ms), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::trade});
  // Before anybody knew that these numbers go on: its bar is in doubt when that is known.
  Fixture early;
  early.intake.confirm(early.instrument, now, early.records);
  (void)early.intake.take(early.agg(10, now_ms - 60'000), now, early.records);
  std::string overlapping = early.agg(11, now_ms - 60'000);
  overlapping.replace(overlapping.find("\"f\":34"), 6, "\"f\":33");
  (void)early.intake.take(overlapping, now, early.records);
  CHECK(early.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade, RecordKind::trade});
  for (std::uint64_t id = 12; id < 16; ++id) (void)early.intake.take(early.agg(id, now_ms), now, early.records);
  REQUIRE(early.records.size() == 5);
  CHECK(early.records[2].time() == now - seconds(60));
  CHECK(early.kinds() ==
        Kinds{RecordKind::trade, RecordKind::trade, RecordKind::contradicted, RecordKind::trade, RecordKind::trade});
  // Where these numbers never go on they tell nothing.
  Fixture odd;
  odd.intake.confirm(odd.instrument, now, odd.records);
  odd.records.clear();
  for (std::uint64_t id = 10; id < 30; ++id) {
    std::string text = odd.agg(id, now_ms);
    const auto at = text.find("\"f\":");
    text.replace(at, text.find(",\"T\"") - at, "\"f\":7,\"l\":7");
    (void)odd.intake.take(text, now, odd.records);
  }
  CHECK(odd.intake.counters().contradictions == 0);
  CHECK(odd.kinds().size() == 20);
}

TEST_CASE("a row of a wanted instrument that is refused leaves a mark on the time it is of") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  f.records.clear();
  std::string broken = f.agg(11, now_ms);
  broken.replace(broken.find("\"p\":\"100.5\""), 11, "\"p\":true");
  (void)f.intake.take(broken, now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::lost});
  (void)f.intake.take("{broken", now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::lost});
  // A flood of nonsense: a mark a second, that holds for the second.
  for (std::int64_t ms = 0; ms < 3'000; ++ms) (void)f.intake.take("{broken", now + milliseconds(ms), f.records);
  REQUIRE(f.records.size() == 2);
  CHECK(f.records.front().count() >= 1'000'000);
  (void)f.kinds();
}

TEST_CASE("a row that can't be read comes from history, also where ids have no order") {
  Fixture f;
  f.instrument.ids = Ids::opaque;
  f.intake.confirm(f.instrument, now - seconds(60), f.records);
  (void)f.intake.take(f.agg(10, now_ms - 1'000), now, f.records);
  std::string broken = f.agg(11, now_ms);
  broken.replace(broken.find("\"p\":\"100.5\""), 11, "\"p\":true");
  (void)f.intake.take(broken, now, f.records);
  f.records.clear();
  Trade trade;
  trade.instrument = &f.instrument;
  trade.time = now;
  trade.id = 11;
  trade.aggressor = Aggressor::buyer;
  trade.price = trade.base = trade.quote = {1, 0};
  f.intake.take_history({&trade, 1}, f.records, f.intake.known_until(f.instrument));
  CHECK(f.kinds() == Kinds{RecordKind::trade});
}

TEST_CASE("a page has a trade of when we listened that never came: it counts, though later ones had come") {
  Fixture f;
  f.instrument.ids = Ids::opaque;
  f.intake.confirm(f.instrument, now - seconds(60), f.records);
  (void)f.intake.take(f.agg(10, now_ms - 9'000), now - seconds(9), f.records);
  (void)f.intake.take(f.agg(12, now_ms - 1'000), now - seconds(1), f.records);
  f.records.clear();
  const std::vector<Trade> page{f.past(9, now - seconds(61)), f.past(10, now - seconds(9)),
                                f.past(11, now - seconds(5)), f.past(12, now - seconds(1))};
  f.intake.take_history(page, f.records, now - seconds(2));
  REQUIRE(f.kinds() == Kinds{RecordKind::trade});  // 9 is of before we listened: the files may have it
  f.intake.take_history(page, f.records, now - seconds(2));
  CHECK(f.kinds().empty());
}

TEST_CASE("a page that reaches back beyond the ids that are remembered counts nothing twice") {
  Fixture f;
  f.instrument.ids = Ids::opaque;
  f.intake.confirm(f.instrument, now - seconds(2'000), f.records);
  (void)f.intake.take(f.agg(10, now_ms - 1'900'000), now - seconds(1'900), f.records);
  f.records.clear();
  // Half an hour was slept through; its trades fill the memory of ids, and the oldest of them leave it again.
  std::vector<Trade> page;
  for (int i = 0; i < 1'200; ++i) page.push_back(f.past(static_cast<std::uint64_t>(100 + i), now - seconds(1'800 - i)));
  f.intake.take_history(page, f.records, now - seconds(1'900));
  CHECK(f.records.size() == page.size());
  f.records.clear();
  f.intake.take_history(page, f.records, now - seconds(1'900));
  const auto of = [&](RecordKind kind) {
    return std::ranges::count_if(f.records, [&](const Record& r) { return r.kind() == kind; });
  };
  CHECK(of(RecordKind::trade) == 0);
  CHECK(of(RecordKind::contradicted) > 0);
  f.records.clear();
  f.intake.take_history(page, f.records, now - seconds(1'900), true);
  CHECK(f.kinds().empty());
}

TEST_CASE("a trade of when we listened is missing though no id was known before the first that came") {
  Fixture f;
  f.intake.confirm(f.instrument, now - seconds(60), f.records);
  (void)f.intake.take(f.agg(12, now_ms - 1'000), now, f.records);
  f.records.clear();
  const std::vector<Trade> page{f.past(9, now - seconds(61)), f.past(10, now - seconds(2)),
                                f.past(11, now - seconds(2))};
  f.intake.take_history(page, f.records);
  REQUIRE(f.records.size() == 3);
  CHECK(f.records[0].kind() == RecordKind::hole);
  CHECK((f.records[0].id() == 10 && f.records[0].count() == 2));
  CHECK((f.records[1].id() == 10 && f.records[2].id() == 11));  // 9 was made before anybody listened
  f.records.clear();
  f.intake.take_history(page, f.records);
  CHECK(f.kinds().empty());
}

TEST_CASE("a feed vouches for what it carries, and a busy instrument that is silent for none but itself") {
  Fixture f;
  f.intake.watched(f.instrument, now, now, f.records, 1);
  CHECK(f.kinds().empty());  // not confirmed
  f.intake.confirm(f.instrument, now, f.records, 1);
  f.records.clear();
  f.intake.watched(f.instrument, now, now, f.records, 2);
  CHECK(f.kinds().empty());  // not carried by this one
  for (std::int64_t i = 0; i < 30; ++i) {
    (void)f.intake.take(f.agg(static_cast<std::uint64_t>(10 + i), now_ms + i * 100), now + milliseconds(i * 100),
                        f.records);
  }
  f.records.clear();
  const Timestamp heard = now + milliseconds(2'900);
  f.intake.watched(f.instrument, heard + seconds(14), heard + seconds(14), f.records, 1);
  REQUIRE(f.records.size() == 1);
  CHECK(f.records.front().time() == heard + seconds(14));
  f.intake.watched(f.instrument, heard + seconds(16), heard + seconds(16), f.records, 1);
  CHECK(f.records.back().time() == heard);
}

TEST_CASE("sizes of before a contract changed mean nothing: the id counts, the volume does not") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records, 1);
  f.intake.unit_from(f.instrument, now + seconds(5));
  f.records.clear();
  (void)f.intake.take(f.agg(10, now_ms + 4'000), now + seconds(5), f.records);
  CHECK(f.kinds() == Kinds{RecordKind::placeholder, RecordKind::contradicted});
  (void)f.intake.take(f.agg(11, now_ms + 5'000), now + seconds(5), f.records);
  CHECK(f.kinds() == Kinds{RecordKind::trade});
}

TEST_CASE("who speaks again after a silence that is no chance is asked about, where ids have no order") {
  for (const Ids ids : {Ids::opaque, Ids::sequence}) {
    Fixture f;
    f.instrument.ids = ids;
    std::vector<double> asked;
    f.intake.on_silence = [&](const Instrument&, Timestamp from, Timestamp to, double expected) {
      CHECK((to - from) == seconds(4));
      asked.push_back(expected);
    };
    f.intake.confirm(f.instrument, now, f.records, 1);
    std::int64_t ms = 0;
    for (std::uint64_t id = 10; id < 40; ++id, ms += 200) {
      (void)f.intake.take(f.agg(id, now_ms + ms), now + milliseconds(ms), f.records);
    }
    CHECK(asked.empty());
    ms += 4'000 - 200;
    (void)f.intake.take(f.agg(40, now_ms + ms), now + milliseconds(ms), f.records);
    REQUIRE(asked.size() == (ids == Ids::opaque ? 1 : 0));
    if (!asked.empty()) CHECK((asked[0] > 15 && asked[0] < 25));
  }
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

TEST_CASE("fills that history tells of under another id count once, and their bar is made again") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  for (std::uint64_t id = 10; id < 15; ++id) (void)f.intake.take(f.agg(id, now_ms), now, f.records);
  (void)f.intake.take(f.agg(17, now_ms), now, f.records);
  f.records.clear();
  std::vector<Trade> page(2);
  for (std::size_t i = 0; i < page.size(); ++i) {
    Trade& t = page[i];
    t.instrument = &f.instrument;
    t.time = now;
    t.id = 15 + i;
    t.fills = 3;
    t.first_fill = i == 0 ? 3 * 12 + 1 : 3 * 16 + 1;  // 15 is made of those of 12
    t.aggressor = Aggressor::buyer;
    t.price = t.base = t.quote = {1, 0};
  }
  f.intake.take_history(page, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::placeholder, RecordKind::contradicted, RecordKind::trade});
  CHECK_FALSE(f.intake.waits_for(f.instrument, 15, 16));
}

TEST_CASE("the newest of a snapshot says where ids begin, in whatever order its trades come; later it closes holes") {
  for (const bool backward : {false, true}) {
    const Exchange& kraken = *find_exchange("kraken", Market::spot);
    Instrument instrument;
    instrument.exchange = "kraken";
    instrument.symbol = "BTC/USD";
    Intake intake(kraken, false);
    intake.add(instrument);
    const auto message = [&](const char* type, std::vector<std::uint64_t> ids) {
      if (backward) std::ranges::reverse(ids);
      std::string rows;
      for (const std::uint64_t id : ids) {
        rows += std::string(rows.empty() ? "" : ",") +
                R"({"symbol":"BTC/USD","side":"buy","price":1,"qty":1,"trade_id":)" + std::to_string(id) +
                R"(,"timestamp":"2026-10-07T14:23:11Z"})";
      }
      return R"({"channel":"trade","type":")" + std::string(type) + R"(","data":[)" + rows + "]}";
    };
    std::vector<Record> records;
    intake.confirm(instrument, now, records);
    (void)intake.take(message("snapshot", {8, 9, 10}), now, records);
    CHECK((intake.last_id(instrument) == 10 && intake.counters().trades == 0));
    (void)intake.take(message("update", {11}), now + seconds(1), records);
    CHECK((intake.counters().trades == 1 && intake.counters().holes == 0));
    intake.lose(instrument, now + seconds(2), records);
    (void)intake.take(message("snapshot", {10, 11, 12, 13}), now + seconds(3), records);
    CHECK((intake.last_id(instrument) == 13 && intake.counters().trades == 3));
    CHECK(intake.known_by_ids(instrument).has_value());
  }
}

TEST_CASE("after a reconnect the first trade counts like any other") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  f.intake.lose(f.instrument, now, f.records);
  f.records.clear();
  f.intake.confirm(f.instrument, now + seconds(1), f.records);
  (void)f.intake.take(f.agg(11, now_ms + 1'000), now + seconds(1), f.records);
  (void)f.intake.take(f.agg(12, now_ms + 1'000), now + seconds(1), f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::trade, RecordKind::trade});
}

TEST_CASE("history of ids that lie ten millions back: it is handed on, and the newest id stays") {
  Fixture f;
  constexpr std::uint64_t newest = 3'020'000'000, old = 3'005'000'000;
  f.intake.resume_after(f.instrument, Series::aggregate, newest, now - seconds(60));
  f.intake.confirm(f.instrument, now, f.records);
  (void)f.intake.take(f.agg(newest + 1, now_ms), now, f.records);
  f.intake.expect(f.instrument, old, old + 4);
  f.records.clear();
  std::vector<Trade> page(5);
  for (std::size_t i = 0; i < page.size(); ++i) {
    page[i].instrument = &f.instrument;
    page[i].time = now - seconds(6 * 86'400);
    page[i].id = old + i;
    page[i].aggressor = Aggressor::buyer;
    page[i].price = page[i].base = page[i].quote = {1, 0};
  }
  f.intake.take_history(page, f.records);
  for (const Record& r : f.records) CHECK(r.aggressor() == Aggressor::buyer);
  CHECK(f.kinds() == Kinds(5, RecordKind::trade));
  CHECK(f.intake.last_id(f.instrument) == newest + 1);
  (void)f.intake.take(f.agg(newest + 2, now_ms + 1), now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::trade});
}

TEST_CASE("another stream's ids on old files, a few millions below: not one of its trades is taken for a copy") {
  Fixture f;
  f.intake.resume_after(f.instrument, Series::aggregate, 8'000'000, now - seconds(600));
  f.intake.confirm(f.instrument, now, f.records);
  f.records.clear();
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    const auto ms = static_cast<std::int64_t>(i) * 100;
    (void)f.intake.take(f.agg(4'500'000 + i, now_ms + ms), now + milliseconds(ms), f.records);
  }
  CHECK(f.intake.counters().renumbered == 1);
  // Two before it was sure: their bar is in doubt, and they are fetched.
  CHECK(f.intake.counters().trades == 2'998);
  CHECK(f.intake.waits_for(f.instrument, 4'500'000, 4'500'001));
  const Kinds kinds = f.kinds();
  CHECK(kinds.front() == RecordKind::lost);
}

TEST_CASE("an instrument that leaves while it is cut off ends all the same, once; one that never began does not") {
  Fixture f;
  f.intake.confirm(f.instrument, now, f.records);
  f.intake.lose(f.instrument, now, f.records);
  (void)f.kinds();
  f.intake.end(f.instrument, now, f.records);
  f.intake.end(f.instrument, now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::unsubscribed});
  f.intake.wanted_again(f.instrument);
  f.intake.confirm(f.instrument, now, f.records);
  f.intake.end(f.instrument, now, f.records);
  CHECK(f.kinds() == Kinds{RecordKind::subscribed, RecordKind::unsubscribed});
  Fixture never;
  never.intake.end(never.instrument, now, never.records);
  CHECK(never.kinds().empty());
}

TEST_CASE("a forgotten instrument's number is as new, and its name is nobody's") {
  Fixture f;
  (void)f.intake.take(f.agg(10, now_ms), now, f.records);
  f.intake.end(f.instrument, now, f.records);
  f.intake.forget(f.instrument);
  Instrument next = f.instrument;
  next.symbol = "ETHUSDT";
  f.intake.add(next);
  CHECK((!f.intake.last_id(next) && !f.intake.begun(next) && f.intake.newest(next).us == 0));
  (void)f.kinds();
  (void)f.intake.take(f.agg(11, now_ms), now, f.records);
  CHECK(f.kinds().empty());
  CHECK(f.intake.counters().refused[static_cast<std::size_t>(Refusal::unknown_symbol)] == 1);
}
