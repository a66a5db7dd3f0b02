// What a connection vouches for: its data do, a sign of life does only where data are seldom.
#include "catch.hpp"
#include "cvdd/feed/connection_watch.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

namespace {
constexpr Timestamp begin{1'791'382'992'000'000};
constexpr Duration in_flight = seconds(2);

struct Link {
  Link() : watch(intake, 1, in_flight) {
    instrument.exchange = "binance";
    instrument.symbol = "BTCUSDT";
    intake.add(instrument);
    watch.begin(steady);
    intake.confirm(instrument, now, records);
  }
  void pass(std::chrono::milliseconds some) {
    steady += some;
    now = now + milliseconds(some.count());
  }
  // Made so long before it is received, which is now.
  void trade(Duration age = {}) {
    const std::string id = std::to_string(++last_id), ms = std::to_string((now - age).us / 1'000);
    const std::string message = R"({"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":)" + id +
                                R"(,"p":"100.5","q":"2","f":)" + id + R"(,"l":)" + id + R"(,"T":)" + ms +
                                R"(,"m":false,"M":true}})";
    records.clear();
    watch.before_reading(instruments, now, steady);
    watch.heard(intake.take(message, now, records).trades, now);
    watch.after_reading(instruments, 0, now, steady, records);
  }
  void busy_for(std::chrono::seconds time) {
    for (auto passed = 0ms; passed < time; passed += 100ms) {
      pass(100ms);
      trade();
    }
  }
  // As of now, when a frame of some kind has just come.
  [[nodiscard]] Timestamp vouched() {
    (void)watch.lulled(true, steady);
    std::vector<Record> marks;
    watch.watched(instruments, now, now, steady, marks);
    return marks.empty() ? Timestamp{} : marks.back().time();
  }
  Instrument instrument;
  std::vector<const Instrument*> instruments{&instrument};
  Intake intake{*find_exchange("binance", Market::spot), false};
  ConnectionWatch watch;
  ConnectionWatch::Time steady{1'000h};
  Timestamp now = begin;
  std::uint64_t last_id = 0;
  std::vector<Record> records;
};
}  // namespace

TEST_CASE("a pong does not vouch for a busy connection that has fallen silent") {
  Link link;
  link.busy_for(60s);
  const Timestamp last = link.now;
  CHECK(link.vouched() == last);
  link.pass(500ms);
  CHECK(link.vouched() == link.now);  // that may be chance
  const Timestamp chance = link.now;
  for (int i = 0; i < 20; ++i) {
    link.pass(1s);
    if (i > 2) CHECK(link.vouched() <= chance + seconds(2));
  }
  // It speaks, and vouches again.
  link.busy_for(5s);
  CHECK(link.vouched() == link.now);
}

TEST_CASE("what being alive vouched for is taken back with the doubt while its bars are open") {
  Link link;
  const auto taken_back = [&] {
    (void)link.watch.lulled(true, link.steady);
    std::vector<Record> marks;
    link.watch.watched(link.instruments, link.now, link.now, link.steady, marks);
    const auto back =
        std::ranges::find_if(marks, [](const Record& r) { return r.kind() == RecordKind::watched && r.count() == 1; });
    return back == marks.end() ? Timestamp{} : back->time();
  };
  link.busy_for(60s);
  const Timestamp last = link.now;
  link.pass(900ms);
  CHECK(link.vouched() == link.now);
  link.pass(900ms);
  CHECK(taken_back() == last);  // its bar's end was vouched for by a pong alone
  CHECK(taken_back() == Timestamp{});
  // A new connection that brings nothing, where ten messages a second are usual.
  link.busy_for(60s);
  link.pass(1s);
  link.watch.begin(link.steady);
  link.pass(300ms);
  const Timestamp alive = link.now;
  CHECK(link.vouched() == alive);
  link.pass(300ms);
  const Timestamp doubted = taken_back();
  CHECK((doubted.us != 0 && doubted == alive - in_flight));
  // What is closed has been said: nothing is taken back of it.
  link.busy_for(60s);
  const Timestamp said = link.vouched();
  link.pass(20s);
  CHECK(taken_back() == Timestamp{});
  CHECK(link.vouched() == said);
}

TEST_CASE("where trades are seldom a sign of life vouches") {
  Link link;
  for (int i = 0; i < 6; ++i) {
    link.pass(20s);
    link.trade();
  }
  link.pass(19s);
  CHECK(link.vouched() == link.now);
}

TEST_CASE("who turns out to lag vouches for no more than what came, and what was said of later is taken back") {
  Link link;
  link.busy_for(10s);
  const Timestamp last = link.now;
  link.pass(4s);
  link.trade(seconds(3));
  const auto back = std::find_if(link.records.begin(), link.records.end(),
                                 [](const Record& r) { return r.kind() == RecordKind::watched; });
  CHECK(back == link.records.end());  // nobody had said so
  CHECK(link.vouched() == last + seconds(1));
  link.busy_for(10s);
  link.pass(1s);
  const Timestamp said = link.vouched();
  CHECK(said == link.now);
  link.pass(2s);
  link.trade(milliseconds(2'500));  // it was made before that
  CHECK(std::any_of(link.records.begin(), link.records.end(), [&](const Record& r) {
    return r.kind() == RecordKind::watched && r.count() == 1 && r.time() < said;
  }));
}

TEST_CASE("by a clock that turns out to have been ahead nothing is vouched for any more") {
  Link link;
  link.busy_for(10s);
  CHECK(link.vouched() == link.now);
  const Timestamp was = link.now;
  link.now = link.now - seconds(300);
  std::vector<Record> marks;
  link.watch.clock_moved(link.instruments, was, link.now, marks);
  REQUIRE(marks.size() == 2);
  CHECK((marks[0].kind() == RecordKind::watched && marks[0].count() == 1 && marks[0].time() == link.now));
  CHECK((marks[1].kind() == RecordKind::subscribed && marks[1].time() == link.now));
  CHECK(link.vouched() <= link.now);
  link.busy_for(1s);
  CHECK(link.vouched() == link.now);
}
