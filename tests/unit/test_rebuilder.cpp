// Bars of an earlier run, made again of the ids that are missing between their neighbours.
#include "catch.hpp"
#include "cvdd/ledger/rebuilder.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t minute = 60'000'000;
constexpr Timestamp at(std::int64_t minutes, std::int64_t us = 0) { return {minutes * minute + us}; }
constexpr auto live = BarStatus::live, gap = BarStatus::gap;

Row row(std::int64_t minutes, BarStatus status, const char* first, const char* last) {
  Row r;
  r.time = at(minutes);
  r.status = status;
  r.first_id = first;
  r.last_id = last;
  if (status == gap) r.missing = std::nullopt;
  return r;
}
Record trade(std::uint64_t id, Timestamp time) {
  const Instrument instrument;
  Trade t;
  t.instrument = &instrument;
  t.time = time;
  t.id = id;
  t.aggressor = Aggressor::buyer;
  t.price = t.base = t.quote = {1, 0};
  return Record::from(t).value();
}
const Rebuilder::InDoubt nothing_open = [](Timestamp) { return false; };

// An earlier run's rows of 100, 101, … and what is made of them.
struct Run {
  explicit Run(const std::vector<Row>& rows, bool by_time = true, bool killed = true) : rebuilder(by_time) {
    bars.restore(rows, Ids::sequence);
    rebuilder.restore(bars, plan_rebuilds(rows, seconds(60)), rows.back().time + seconds(60), killed);
  }
  bool take(std::uint64_t id, Timestamp time, const Rebuilder::InDoubt& in_doubt = nothing_open) {
    return rebuilder.take(bars, trade(id, time), in_doubt);
  }
  Bar& bar(std::int64_t minutes) { return *bars.at(at(minutes)); }
  BarSeries bars{seconds(60)};
  Rebuilder rebuilder;
};
// Of 10, 11, 12 in the bar 101 the row has none.
const std::vector<Row> torn = {row(100, live, "5", "9"), row(101, gap, "", ""), row(102, live, "13", "19"),
                               row(103, live, "20", "29")};
}  // namespace

TEST_CASE("rebuilder: a bar is made again beside what the file says, and takes its place with the last missing id") {
  Run run(torn);
  CHECK_FALSE(run.rebuilder.empty());
  CHECK_FALSE(run.take(30, at(104, 1)));  // what is not missing is nothing to it
  CHECK(run.take(11, at(101, 30'000'000)));
  CHECK(run.take(10, at(101, 20'000'000)));
  CHECK((run.bar(101).buys == 0 && run.bar(101).lost && !run.bar(101).changed));
  CHECK(run.take(12, at(101, 40'000'000)));
  CHECK((run.bar(101).buys == 3 && run.bar(101).first_id == 10 && run.bar(101).last_id == 12));
  CHECK((!run.bar(101).lost && run.bar(101).recovered && run.bar(101).changed && run.bar(101).delta_changed));
  CHECK((run.bar(101).revs == 1 && run.bar(101).written_status == gap));  // its next row is told instead of that one
  CHECK(run.bar(101).settled);
  CHECK((run.rebuilder.empty() && !run.take(11, at(101))));
}

TEST_CASE("rebuilder: whole bars stay as they are, and one that loses what its row counted is in doubt instead") {
  Run run(torn);
  run.bar(101).buys = 4;
  for (const std::uint64_t id : {10U, 11U, 12U}) CHECK(run.take(id, at(101, 30'000'000)));
  CHECK((run.bar(101).buys == 4 && run.bar(101).contradicted));
  CHECK((!run.bar(100).contradicted && !run.bar(102).contradicted));
}

TEST_CASE("rebuilder: a missing id of a whole bar, or one that is not to be had, ends it: the files' bar stays") {
  for (const bool given_up : {true, false}) {
    Run run(torn);
    CHECK(run.take(10, at(101, 20'000'000)));
    if (given_up) {
      run.rebuilder.give_up(12);
    } else {
      CHECK(run.take(12, at(102, 1)));
    }
    // What still comes is passed over: the files' bar may know it.
    CHECK(run.take(11, at(101, 30'000'000)));
    CHECK((run.bar(101).buys == 0 && run.bar(101).lost));
  }
  Run run(torn);
  run.rebuilder.give_up(9);  // of another hole
  CHECK(run.take(10, at(101)));
  CHECK(run.rebuilder.keeps(at(101)));
  run.rebuilder.give_up(10);
  CHECK_FALSE(run.rebuilder.keeps(at(101)));
}

TEST_CASE("rebuilder: bars are needed from its first one on, for as long as it is not complete") {
  Run run(torn);
  CHECK_FALSE(run.rebuilder.keeps(at(100)));
  CHECK(run.rebuilder.keeps(at(101)));
  for (const std::uint64_t id : {10U, 11U, 12U}) CHECK(run.take(id, at(101, 30'000'000)));
  CHECK_FALSE(run.rebuilder.keeps(at(101)));
}

TEST_CASE("rebuilder: without a missing id it is made at once, of nothing") {
  Run run({row(100, live, "5", "9"), row(102, gap, "", ""), row(103, live, "10", "12"), row(104, live, "13", "14")});
  CHECK(run.rebuilder.empty());
  CHECK((!run.bar(102).lost && run.bar(102).recovered));
  CHECK_FALSE(run.bar(101).absent);  // nobody wrote it, and nothing was traded in it
}

TEST_CASE("rebuilder: trades near the end of a run may be lost with it, whatever ids say") {
  Run run(torn);
  for (const std::uint64_t id : {10U, 11U, 12U}) CHECK(run.take(id, at(101, 30'000'000)));
  CHECK(run.bar(101).contradicted);  // it begins where a whole bar ended: that may be where a process did
  Run longer({row(100, live, "5", "9"), row(101, gap, "", ""), row(102, gap, "", ""), row(103, live, "13", "19")});
  for (const std::uint64_t id : {10U, 11U, 12U}) CHECK(longer.take(id, at(102, 30'000'000)));
  CHECK((longer.bar(101).contradicted && !longer.bar(102).contradicted));
}

TEST_CASE("rebuilder: a run to the end of the rows is settled with the loss that begins there") {
  const std::vector rows = {row(100, live, "5", "9"), row(101, gap, "12", "14"), row(102, gap, "", "")};
  for (const bool open : {true, false}) {
    Run run(rows);
    CHECK((run.bar(101).inherited && run.bar(102).inherited));
    for (std::uint64_t id = 10; id <= 14; ++id) {
      CHECK(run.take(id, at(101, 30'000'000), [&](Timestamp bar) { return open && bar == at(102); }));
    }
    CHECK((run.bar(101).buys == 5 && !run.bar(101).lost));
    CHECK((run.bar(102).lost == open && run.bar(102).inherited == open && run.bar(102).settled != open));
    // … and when that is settled, nothing of it is missing.
    run.rebuilder.heal(run.bar(102), at(102));
    CHECK((!run.bar(102).lost && !run.bar(102).inherited));
  }
}

TEST_CASE("rebuilder: a bar is not healed while its trades are on their way, nor what it lost by itself") {
  Run run({row(100, live, "5", "9"), row(101, gap, "12", "14"), row(102, gap, "", "")});
  run.rebuilder.heal(run.bar(101), at(101));
  CHECK(run.bar(101).lost);
  run.bars.back().inherited = false;
  Run other(torn);
  other.rebuilder.heal(other.bar(101), at(101));
  CHECK(other.bar(101).lost);
}

TEST_CASE("rebuilder: what is counted in a bar that is made again is in both") {
  Run run(torn);
  run.rebuilder.also(run.bars, at(101), trade(77, at(101, 50'000'000)), {});
  run.rebuilder.also(run.bars, at(102), trade(78, at(102, 50'000'000)), {});
  for (const std::uint64_t id : {10U, 11U, 12U}) CHECK(run.take(id, at(101, 30'000'000)));
  CHECK((run.bar(101).buys == 4 && run.bar(102).buys == 0));
}

TEST_CASE("rebuilder: a bar of the time when nobody ran is absent until ids show that it is all there") {
  const std::vector rows = {row(100, gap, "", ""), row(101, gap, "5", "9")};
  const auto uncovered = [&](bool by_time, bool killed, std::int64_t minutes) {
    Run run(rows, by_time, killed);
    CHECK(run.bars.resume(at(105), 100));
    run.rebuilder.uncover(run.bars, run.bar(minutes), at(minutes));
    CHECK_FALSE(run.bar(minutes).absent);
    return run.bar(minutes).contradicted;
  };
  CHECK(uncovered(true, true, 102));         // just behind the end of the killed run
  CHECK_FALSE(uncovered(true, true, 103));   // too far behind it
  CHECK_FALSE(uncovered(true, false, 102));  // that run has written the bar that it ended in
  CHECK_FALSE(uncovered(false, true, 102));  // nobody could be asked by time: ids are believed

  Run whole({row(100, live, "5", "9"), row(102, gap, "10", "11")});
  whole.rebuilder.give_up(10);
  whole.rebuilder.uncover(whole.bars, whole.bar(101), at(101));
  CHECK((!whole.bar(101).absent && whole.bar(101).contradicted));  // behind a bar that says it is whole
}

TEST_CASE("rebuilder: the bar in which somebody listens again is in doubt just behind the end of a killed run") {
  const auto in_doubt = [&](bool killed, std::int64_t minutes, bool settled) {
    Run run({row(100, live, "5", "9"), row(101, live, "10", "11")}, true, killed);
    CHECK(run.bars.resume(at(minutes), 100));
    run.bars.back().settled = settled;
    run.rebuilder.uncover(run.bars, run.bars.back(), at(minutes));
    return run.bars.back().contradicted;
  };
  CHECK(in_doubt(true, 102, false));
  CHECK_FALSE(in_doubt(true, 102, true));  // history has been asked since
  CHECK_FALSE(in_doubt(true, 103, false));
  CHECK_FALSE(in_doubt(false, 102, false));
  Run run(torn);
  run.rebuilder.uncover(run.bars, run.bars.back(), at(103));
  CHECK_FALSE(run.bars.back().contradicted);  // that run's own bar keeps what it said
}

TEST_CASE("rebuilder: an absent bar whose trades are on their way stays absent until they are there") {
  Run run({row(100, live, "5", "9"), row(103, gap, "", ""), row(104, live, "12", "13")});
  run.rebuilder.uncover(run.bars, run.bar(101), at(101));
  CHECK(run.bar(101).absent);
  CHECK(run.take(10, at(102, 30'000'000)));
  CHECK(run.take(11, at(103, 30'000'000)));
  CHECK((!run.bar(101).absent && !run.bar(102).absent && run.bar(102).buys == 1));
}
