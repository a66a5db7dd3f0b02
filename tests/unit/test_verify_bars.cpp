// `cvdd verify`: what candles say of bars, and why some can't be asked about.
#include "catch.hpp"
#include "cli/verify_bars.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp noon{1'763'640'000'000'000};  // 2025-11-20T12:00:00Z

ProofRules rules_of(Duration interval) {
  ProofRules rules;
  rules.interval = interval;
  rules.candle = seconds(60);
  return rules;
}
Claim claim(Timestamp time, int bought, BarStatus status = BarStatus::live) {
  Claim c;
  c.time = time;
  c.status = status;
  c.buys = 1;
  c.buy_base = c.buy_quote = Decimal(bought, 0);
  return c;
}
// Of a minute's twelve bars each bought `bought`.
void add_minute(Claims& claims, Timestamp begin, int bought) {
  for (int i = 0; i < 12; ++i) claims[begin + seconds(5 * i)] = claim(begin + seconds(5 * i), bought);
}
Candle candle(Timestamp time, int volume) {
  Candle c;
  c.time = time;
  c.base = c.quote = Decimal(volume, 0);
  return c;
}
}  // namespace

TEST_CASE("verify: each bar is counted once, and by what kept it from being compared") {
  Claims claims;
  for (int minute = 0; minute < 4; ++minute) add_minute(claims, noon + seconds(60 * minute), 2);
  claims[noon + seconds(5)].status = BarStatus::partial;
  claims[noon + seconds(10)].status = BarStatus::gap;
  claims[noon + seconds(15)].status = BarStatus::history;
  claims[noon + seconds(60)].status = BarStatus::repaired;  // as whole as any
  claims.erase(noon + seconds(180));                        // the last minute lacks a bar
  CandleFacts facts;
  facts.quiet_left_out = false;
  std::vector<std::string> lines;
  // Of the second minute they agree, of the third there is none.
  const Candle candles[] = {candle(noon, 24), candle(noon + seconds(60), 24)};
  Tally tally = compare_bars(claims, candles, rules_of(seconds(5)), facts, lines);
  CHECK(lines.empty());
  CHECK(tally.bars == 47);
  CHECK(tally.proven == 12);
  CHECK(tally.contradicted == 0);
  CHECK((tally[NotAskable::cut] == 1 && tally[NotAskable::gap] == 1 && tally[NotAskable::candles] == 1));
  CHECK(tally[NotAskable::company] == 9 + 11);
  CHECK(tally[NotAskable::no_candle] == 12);
  CHECK(text_of(tally) ==
        "47 bars: 12 proven, 0 contradicted, 35 not askable (1 gap, 1 cut, 1 from candles, 20 in a candle's time that "
        "is not whole, 12 without a candle)");
  Tally all = tally;
  all.add(tally);
  CHECK((all.bars == 94 && all.proven == 24 && all[NotAskable::company] == 40));
}

TEST_CASE("verify: what a candle contradicts is told with both figures, of many some") {
  Claims claims;
  std::vector<Candle> candles;
  for (int minute = 0; minute < 30; ++minute) {
    claims[noon + seconds(60 * minute)] = claim(noon + seconds(60 * minute), 2);
    candles.push_back(candle(noon + seconds(60 * minute), minute == 0 ? 2 : 3));
  }
  std::vector<std::string> lines;
  const Tally tally = compare_bars(claims, candles, rules_of(seconds(60)), {}, lines);
  CHECK((tally.proven == 1 && tally.contradicted == 29));
  REQUIRE(lines.size() == 21);
  CHECK(lines[0].starts_with("2025-11-20T12:01:00Z "));
  CHECK(lines[0].find("2, exchange 3") != std::string::npos);
  CHECK(lines[20] == "…");
  CHECK(text_of({1, 1, 0, {}}) == "1 bar: 1 proven, 0 contradicted, 0 not askable");
}
