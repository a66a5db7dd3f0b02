// What a silence is taken for, by what history answers about it.
#include <array>

#include "catch.hpp"
#include "daemon/silence_monitor.hpp"

using namespace cvdd;
using Kind = SilenceMonitor::Remedy::Kind;
using Lull = SilenceMonitor::Lull;

namespace {
SilenceMonitor::Time at(double s) {
  return SilenceMonitor::Time{} + std::chrono::hours(1) + std::chrono::milliseconds(static_cast<int>(s * 1'000));
}
constexpr auto sequence = Ids::sequence, opaque = Ids::opaque;
constexpr auto deaf = Answered::deaf, late = Answered::late, quiet = Answered::quiet;

// Instruments A, B, … of which A trades every second, B every two, …, up to second 100.
struct Trading {
  Trading() {
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      Instrument& instrument = instruments[i];
      instrument.id = static_cast<std::uint32_t>(i);
      instrument.exchange = "binance";
      instrument.symbol = std::string(1, static_cast<char>('A' + i));
      intake.add(instrument);
      std::vector<Record> out;
      intake.confirm(instrument, moment(0), out);
      const auto gap = static_cast<std::int64_t>(i + 1);
      for (std::int64_t t = 0; t <= 100; t += gap) trade(i, t);
      carried[&instrument] = 1;
    }
  }
  static constexpr Timestamp moment(std::int64_t s) { return {1'791'382'992'000'000 + s * 1'000'000}; }
  void trade(std::size_t i, std::int64_t s) {
    std::vector<Record> out;
    Parsed parsed;
    Trade& trade = parsed.add<Trade>();
    trade.instrument = &instruments[i];
    trade.time = moment(s);
    trade.id = next_id[i]++;
    trade.price = trade.base = trade.quote = Decimal{1, 0};
    intake.take(parsed, moment(s), out, 1);
  }
  [[nodiscard]] std::string asked(std::int64_t s, std::uint32_t suspicious = 0) {
    const auto look = SilenceMonitor::look(
        carried, [&](std::uint32_t n) { return n == suspicious; }, intake, moment(s));
    std::string out;
    for (const Instrument* instrument : look.ask) out += instrument->symbol;
    return out;
  }
  std::array<Instrument, 4> instruments{};
  std::array<std::uint64_t, 4> next_id{1'000, 1'000, 1'000, 1'000};
  Intake intake{*find_exchange("binance", Market::spot), false};
  SilenceMonitor::Carried carried;
};
}  // namespace

TEST_CASE("silence: a silent connection is asked about at once, and every two seconds while it is silent") {
  SilenceMonitor monitor;
  CHECK(monitor.lulled(1, at(0)) == Lull::ask);
  CHECK(monitor.lulled(1, at(0.5)) == Lull::wait);
  CHECK(monitor.lulled(2, at(0.5)) == Lull::ask);  // another one
  CHECK(monitor.lulled(1, at(2)) == Lull::ask);
  monitor.speaks(1);
  CHECK(monitor.lulled(1, at(2.5)) == Lull::ask);
  CHECK(monitor.stalls() == 0);
}

TEST_CASE("silence: nothing newer in history: the silent connection is quiet") {
  SilenceMonitor monitor;
  (void)monitor.lulled(1, at(0));
  CHECK(monitor.answered(1, quiet, sequence, true, at(1)).kind == Kind::vouch);
}

TEST_CASE("silence: a trade in history that the silent connection has not brought two seconds later makes it mute") {
  SilenceMonitor monitor;
  (void)monitor.lulled(1, at(0));
  CHECK(monitor.answered(1, late, sequence, true, at(1)).kind == Kind::none);
  CHECK(monitor.answered(1, quiet, sequence, true, at(2)).kind == Kind::none);  // of another instrument of it
  CHECK(monitor.lulled(1, at(2.9)) == Lull::ask);
  CHECK(monitor.stalls() == 0);
  CHECK(monitor.lulled(1, at(3)) == Lull::mute);
  CHECK(monitor.stalls() == 1);
  // What owes us a trade may bring it meanwhile.
  (void)monitor.lulled(2, at(10));
  (void)monitor.answered(2, late, sequence, true, at(10));
  monitor.speaks(2);
  CHECK(monitor.lulled(2, at(12)) == Lull::ask);
}

TEST_CASE("silence: what a silent connection has owed for long makes it mute at once") {
  SilenceMonitor monitor;
  (void)monitor.lulled(1, at(0));
  CHECK(monitor.answered(1, deaf, sequence, true, at(1)).kind == Kind::mute);
  CHECK(monitor.stalls() == 1);
}

TEST_CASE("silence: a deaf instrument is subscribed again, the next time renewed, then elsewhere, for ten minutes") {
  SilenceMonitor monitor;
  CHECK(monitor.answered(1, quiet, sequence, false, at(0)).kind == Kind::vouch);
  CHECK(monitor.answered(1, late, sequence, false, at(0)).kind == Kind::vouch);
  CHECK(monitor.answered(1, deaf, sequence, false, at(0)).kind == Kind::resubscribe);
  CHECK(monitor.answered(2, deaf, sequence, false, at(0)).kind == Kind::resubscribe);  // another connection
  const auto second = monitor.answered(1, deaf, sequence, false, at(10));
  CHECK(second.kind == Kind::renew);
  CHECK_FALSE(second.leave_host);
  const auto third = monitor.answered(1, deaf, sequence, false, at(20));
  CHECK(third.kind == Kind::renew);
  CHECK(third.leave_host);
  CHECK(monitor.stalls() == 4);
  CHECK(monitor.answered(1, deaf, sequence, false, at(621)).kind == Kind::resubscribe);
  (void)monitor.answered(2, deaf, sequence, false, at(1));
  monitor.forget(2);
  CHECK(monitor.answered(2, deaf, sequence, false, at(2)).kind == Kind::resubscribe);
}

TEST_CASE("silence: where ids have no order nobody takes over from a deaf connection, it ends") {
  SilenceMonitor monitor;
  CHECK(monitor.answered(1, deaf, opaque, false, at(0)).kind == Kind::resubscribe);
  CHECK(monitor.answered(1, deaf, opaque, false, at(1)).kind == Kind::condemn);
  const auto third = monitor.answered(1, deaf, opaque, false, at(2));
  CHECK(third.kind == Kind::condemn);
  CHECK(third.leave_host);
}

TEST_CASE("silence: of all instruments the most overdue is asked about, and not again at once") {
  Trading m;
  CHECK(m.asked(101).empty());
  CHECK(m.asked(131) == "A");  // thirty of its seconds
  CHECK(m.asked(131).empty());
  m.trade(0, 132);
  CHECK(m.asked(165) == "B");
  m.trade(0, 190);
  CHECK(m.asked(196) == "C");
}

TEST_CASE(
    "silence: of a connection that would soon count as mute the one that should have traded most is asked about") {
  Trading m;
  CHECK(m.asked(105, 2).empty());
  CHECK(m.asked(105, 1) == "A");
  CHECK(m.asked(131, 1) == "A");  // once, though it is the most overdue as well
  std::vector<Record> out;
  m.intake.lose(m.instruments[0], Trading::moment(132), out);
  CHECK(m.asked(133, 1) == "B");  // who is not confirmed is known to be missed
}

TEST_CASE(
    "silence: trades that the exchange tells of and that have not come for five seconds make an instrument deaf") {
  Trading m;
  Parsed heartbeat;
  heartbeat.newest.push_back({&m.instruments[1], Series::aggregate, 2'000, Trading::moment(101)});
  std::vector<Record> out;
  m.intake.take(heartbeat, Trading::moment(101), out, 1);
  const auto nobody = [](std::uint32_t) { return false; };
  CHECK(SilenceMonitor::look(m.carried, nobody, m.intake, Trading::moment(106)).deaf.empty());
  const auto look = SilenceMonitor::look(m.carried, nobody, m.intake, Trading::moment(107));
  REQUIRE(look.deaf.size() == 1);
  CHECK(look.deaf[0] == &m.instruments[1]);
  CHECK(SilenceMonitor::look(m.carried, nobody, m.intake, Trading::moment(108)).deaf.empty());  // told once
}

TEST_CASE("silence: the busiest of some is the one that should have traded most since it was heard") {
  Trading m;
  const std::array<const Instrument*, 2> slow = {&m.instruments[3], &m.instruments[2]};
  CHECK(SilenceMonitor::busiest(slow, m.intake, Trading::moment(150)) == &m.instruments[2]);
  CHECK(SilenceMonitor::busiest({}, m.intake, Trading::moment(150)) == nullptr);
}
