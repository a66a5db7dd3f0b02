#include "catch.hpp"
#include "cvdd/ledger/candle_audit.hpp"
#include "cvdd/recovery/prover.hpp"

using namespace cvdd;

namespace {
Row row_of(std::int64_t bought, std::int64_t sold) {
  Row row;
  row.buys = 2;
  row.sells = 1;
  row.buy_base = {bought, 1};
  row.sell_base = {sold, 1};
  row.buy_quote = {bought * 3, 0};
  row.sell_quote = {sold * 3, 0};
  return row;
}
Candle candle_of(std::int64_t bought, std::int64_t sold) {
  Candle candle;
  candle.fills = 3;
  candle.base = {bought + sold, 1};
  candle.quote = {(bought + sold) * 3, 0};
  candle.buy_base = {bought, 1};
  candle.buy_quote = {bought * 3, 0};
  return candle;
}
constexpr CandleFacts all{true, true, true};
}  // namespace

TEST_CASE("audit: equal figures agree, others are told") {
  CHECK(audit(row_of(7, 5), candle_of(7, 5), all).empty());
  CHECK(audit(row_of(7, 5), candle_of(5, 7), all) == "bought base 0.7, exchange 0.5; bought quote 21, exchange 15");
  CHECK(audit(row_of(7, 5), candle_of(7, 5), {false, true, true}).empty());
  CHECK(audit(row_of(5, 7), candle_of(7, 5), {false, true, true}).empty());  // who took it is not told
  CHECK(audit(row_of(7, 5), candle_of(7, 6), {false, true, false}) == "base 1.2, exchange 1.3");
  CHECK(audit(row_of(7, 5), candle_of(7, 6), {false, false, true}) == "quote 36, exchange 39");
  Candle more = candle_of(7, 5);
  more.fills = 4;
  CHECK(audit(row_of(7, 5), more, all) == "fills 3, exchange 4");
}

TEST_CASE("audit: quote volume may be cut at the 8th decimal, fill by fill; base volume may not") {
  Candle candle = candle_of(7, 5);
  candle.quote = *subtract(candle.quote, {4, 8});
  CHECK(audit(row_of(7, 5), candle, all).empty());
  candle.quote = *subtract(candle.quote, {1, 8});
  CHECK_FALSE(audit(row_of(7, 5), candle, all).empty());
  candle = candle_of(7, 5);
  candle.base = *subtract(candle.base, {1, 8});
  CHECK_FALSE(audit(row_of(7, 5), candle, all).empty());
}

TEST_CASE("audit: what is beside the CVD may be in a candle or not") {
  Row row = row_of(7, 5);
  row.other_base = {3, 1};
  row.other_quote = {9, 0};
  CHECK(audit(row, candle_of(7, 5), all).empty());
  CHECK(audit(row, candle_of(10, 5), all).empty());
  CHECK_FALSE(audit(row, candle_of(9, 5), all).empty());
}

TEST_CASE("candles that are nearly never the sums of the exchange's own trades are no evidence against bars") {
  Prover::Counters c;
  c.bars = 9;
  c.contradictory = 9;
  CHECK_FALSE(Prover::beyond_belief(c));
  c.bars = 20;
  c.contradictory = 10;
  CHECK_FALSE(Prover::beyond_belief(c));
  c.contradictory = 11;
  CHECK(Prover::beyond_belief(c));
  c = {};
  c.bars = 20;
  c.mismatches = 20;  // ours were wrong: that is what it is for
  CHECK_FALSE(Prover::beyond_belief(c));
}

TEST_CASE("proof mail: rows of markets that nobody asked for are not kept, and there is a bound") {
  ProofMail mail;
  const ProofMail::Place place{"abc", Market::spot};
  Row row;
  row.exchange = "abc";
  row.symbol = "X";
  mail.put(std::span(&row, 1));
  CHECK(mail.take(place).empty());
  mail.open(place);
  mail.put(std::span(&row, 1));
  CHECK(mail.take(place).size() == 1);
  CHECK(mail.take(place).empty());
  const std::vector<Row> many(ProofMail::waiting_max + 5, row);
  mail.put(many);
  CHECK(mail.refused() == 5);
  CHECK(mail.take(place).size() == ProofMail::waiting_max);
}
