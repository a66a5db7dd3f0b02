// What an instrument with size buckets has beside its bars: where its buckets' CVDs begin, and the rows of the flow
// file.
#include "catch.hpp"
#include "cvdd/ledger/bar_series.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * 60'000'000 + us}; }
std::shared_ptr<const SizeBuckets> bounds() {
  return std::make_shared<const SizeBuckets>(std::vector<Decimal>{{100, 0}});
}
FlowRow told(std::int64_t minutes, const char* bucket, std::int64_t bought, std::int64_t cvd) {
  FlowRow row;
  row.time = at(minutes);
  row.bucket = bucket;
  row.sums.buys = 1;
  row.sums.buy_base = row.sums.buy_quote = row.delta_base = row.delta_quote = {bought, 0};
  row.cvd_base = row.cvd_quote = {cvd, 0};
  return row;
}

// The bars 100 to 102, counted by size: below 100, and from 100 on.
struct Counted {
  explicit Counted(std::span<const FlowRow> known = {}) {
    bars.begin(at(100));
    (void)bars.extend(at(102));
    count(known);
  }
  void count(std::span<const FlowRow> known) { bars.count_flow(FlowAccount(bounds(), true), known); }
  void bought(std::int64_t minutes, std::int64_t size) {
    Trade t;
    t.instrument = &instrument;
    t.time = at(minutes, 1);
    t.id = ++id;
    t.aggressor = Aggressor::buyer;
    t.price = {1, 0};
    t.base = t.quote = {size, 0};
    CHECK(add_record(*bars.at(at(minutes)), Record::from(t).value(), {}, bars.flow_rules()));
  }
  // "bucket bought cvd" of the flow rows that belong to the bar's row.
  std::string tell(const Bar& bar, std::uint32_t rev = 0) {
    Row row;
    row.rev = rev;
    row.status = bar.history ? BarStatus::history : BarStatus::live;
    row.buy_base = bar.buy_base;
    row.cvd_base = {-1, 0};
    std::vector<FlowRow> rows;
    bars.tell_flow(bar, row, rows);
    std::string out;
    for (const FlowRow& r : rows) {
      out += r.bucket + " " + to_string(r.sums.buy_base) + " " + to_string(r.cvd_base) + "; ";
    }
    return out;
  }
  std::string tell(std::int64_t minutes) { return tell(*bars.at(at(minutes))); }
  Instrument instrument;
  std::uint64_t id = 0;
  BarSeries bars{seconds(60)};
};
}  // namespace

TEST_CASE("flow account: a series without buckets counts by no rules, and tells nothing") {
  BarSeries bars(seconds(60));
  bars.begin(at(100));
  CHECK(bars.flow_rules() == nullptr);
  std::vector<FlowRow> rows;
  bars.tell_flow(bars.front(), Row{}, rows);
  CHECK(rows.empty());
}

TEST_CASE(
    "flow account: a bucket's CVD is of all bars up to the one that is told, also of those that left the memory") {
  Counted c;
  c.bought(100, 5);
  c.bought(100, 200);
  c.bought(101, 7);
  c.bought(102, 300);
  CHECK(c.tell(100) == "0 5 5; 100 200 200; all 205 -1; ");
  CHECK(c.tell(101) == "0 7 12; 100 0 200; all 7 -1; ");
  CHECK(c.tell(102) == "0 0 12; 100 300 500; all 300 -1; ");
  c.bars.drop_front();
  CHECK(c.tell(101) == "0 7 12; 100 0 200; all 7 -1; ");
  CHECK(c.tell(102) == "0 0 12; 100 300 500; all 300 -1; ");
}

TEST_CASE("flow account: what is absent, or was counted without sizes, adds nothing to the buckets") {
  Counted c;
  c.bought(100, 5);
  c.bought(101, 7);
  c.bars.at(at(100))->absent = true;
  CHECK(c.tell(101) == "0 7 7; 100 0 0; all 7 -1; ");
  c.bars.at(at(101))->buys = 2;  // one of them without a size
  CHECK(c.tell(102) == "0 0 0; 100 0 0; all 0 -1; ");
}

TEST_CASE("flow account: a bar of a candle has no buckets, and those that were told of it are told to be empty") {
  Counted c;
  Bar candle;
  candle.history = true;
  candle.buy_base = {9, 0};
  CHECK(c.tell(candle) == "all 9 -1; ");
  CHECK(c.tell(candle, 1) == "0 0 0; 100 0 0; all 9 -1; ");
}

TEST_CASE("flow account: it goes on behind the newest rows of its own buckets alone") {
  const std::vector<FlowRow> rows{told(99, "0", 3, 30), told(99, "100", 4, 40), told(99, "all", 7, 70)};
  CHECK(Counted(rows).tell(100) == "0 0 30; 100 0 40; all 0 -1; ");
  std::vector<FlowRow> other = rows;
  other[1].bucket = "200";
  CHECK(Counted(other).tell(100) == "0 0 0; 100 0 0; all 0 -1; ");
  other.erase(other.begin() + 1);
  CHECK(Counted(other).tell(100) == "0 0 0; 100 0 0; all 0 -1; ");
}

TEST_CASE("flow account: a restored bar has what its rows say, and the CVDs begin before it") {
  Counted c;
  Bar& bar = *c.bars.at(at(100));
  bar.restored = true;
  bar.buys = 2;
  bar.buy_base = bar.buy_quote = {7, 0};
  c.count(std::vector{told(100, "0", 3, 30), told(100, "100", 4, 40), told(100, "all", 7, 70)});
  CHECK(c.tell(100) == "0 3 30; 100 4 40; all 7 -1; ");
  CHECK_FALSE(bar.flow.get()->path_known);
  CHECK(c.tell(101) == "0 0 30; 100 0 40; all 0 -1; ");
}
