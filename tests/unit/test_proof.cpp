// What is asked of the exchange to prove an instrument's bars, and what its answers do to them.
#include "catch.hpp"
#include "cvdd/ledger/proof.hpp"

using namespace cvdd;

namespace {
constexpr std::int64_t second = 1'000'000;
constexpr ProofRules minutes{seconds(60), seconds(60)}, fives{seconds(5), seconds(60)}, blind{seconds(5), {}};

Timestamp at(std::int64_t s) { return {s * second}; }

Claim claim(std::int64_t s, BarStatus status = BarStatus::live, std::int64_t bought = 1, std::uint32_t rev = 0) {
  Claim c;
  c.time = at(s);
  c.rev = rev;
  c.status = status;
  c.buys = 1;
  c.buy_base = {bought, 0};
  c.first_id = c.last_id = static_cast<std::uint64_t>(s);
  return c;
}
}  // namespace

TEST_CASE("a row is proven by ids of later trades, and asks for its candle all the same") {
  ProofTrack track;
  track.put(claim(600), at(662), minutes);
  CHECK(track.proven_until(minutes) == at(600));
  track.ids_until(at(659), minutes);
  CHECK(track.proven_until(minutes) == at(600));
  track.ids_until(at(661), minutes);
  CHECK(track.proven_until(minutes) == at(660));
  CHECK_FALSE(track.to_compare(at(680), seconds(45), minutes));
  CHECK(track.to_compare(at(720), seconds(45), minutes) == BarSpan{at(600), at(660)});
  CHECK(track.by_ids({at(600), at(660)}));
  track.agreed({at(600), at(660)});
  CHECK_FALSE(track.to_compare(at(720), seconds(45), minutes));
  CHECK_FALSE(track.to_remake(at(2'000), minutes));
}

TEST_CASE("short bars are compared by the candle's worth, and only when all of them are there") {
  ProofTrack track;
  for (std::int64_t s = 600; s < 655; s += 5) track.put(claim(s), at(s + 7), fives);
  CHECK_FALSE(track.sum({at(600), at(660)}, fives));
  track.put(claim(655), at(662), fives);
  const auto sum = track.sum({at(600), at(660)}, fives);
  REQUIRE(sum);
  CHECK(sum->buy_base == Decimal(12, 0));
  CHECK(sum->first_id == 600U);
  CHECK(sum->last_id == 655U);
  CHECK(track.to_compare(at(720), seconds(20), fives) == BarSpan{at(600), at(660)});
  track.put(claim(610, BarStatus::partial, 1, 1), at(721), fives);
  CHECK_FALSE(track.sum({at(600), at(660)}, fives));
}

TEST_CASE(
    "a gap is left to its own repair, then made again; what fails is tried again ever later, and in the end not") {
  ProofTrack track;
  track.put(claim(600), at(662), minutes);
  track.put(claim(660, BarStatus::gap), at(722), minutes);
  track.put(claim(720), at(782), minutes);
  CHECK_FALSE(track.to_remake(at(725), minutes));
  CHECK(track.to_remake(at(740), minutes) == BarSpan{at(660), at(720)});
  CHECK(track.ask_from(at(660), 1'000) == 600U);
  CHECK(track.ask_from(at(600), 1'000) == 600U);  // nothing is before: the first behind
  std::int64_t now = 740;
  int attempts = 0;
  for (; attempts < 100 && now < 100'000; ++now) {
    if (const auto span = track.to_remake(at(now), minutes)) {
      track.failed(*span, at(now));
      ++attempts;
    }
  }
  CHECK(attempts == 7);
  CHECK(track.proven_until(minutes) == at(600));
  // Repaired in the end: to be proven like any other.
  track.put(claim(660, BarStatus::repaired, 2, 1), at(now), minutes);
  CHECK_FALSE(track.to_remake(at(now), minutes));
  track.ids_until(at(now), minutes);
  CHECK(track.proven_until(minutes) == at(780));
}

TEST_CASE("why nothing further is proven is told in a word, and nothing of what waits its turn") {
  constexpr Duration usual = seconds(900);
  ProofTrack track;
  CHECK(track.standstill(at(600), usual, minutes).empty());
  track.put(claim(600), at(662), minutes);
  CHECK(track.standstill(at(662), usual, minutes).empty());
  CHECK(track.standstill(at(660 + 900), usual, minutes).empty());
  CHECK(track.standstill(at(661 + 900), usual, minutes) == "unanswered");
  track.refuted({at(600), at(660)}, at(700));
  CHECK(track.standstill(at(700), usual, minutes) == "contradicted");
  track.agreed({at(600), at(660)});
  CHECK(track.standstill(at(9'000), usual, minutes).empty());
  track.put(claim(660, BarStatus::gap), at(722), minutes);
  CHECK(track.standstill(at(722), usual, minutes) == "gap");
  Timestamp now = at(800);
  while (const auto span = track.to_remake(now, minutes)) {
    CHECK(track.standstill(now, usual, minutes) == "gap");
    track.failed(*span, now);
    now = now + seconds(4'000);
  }
  CHECK(track.standstill(now, usual, minutes) == "lost");
}

TEST_CASE("what figures refute is made again at once, and settled when that is done") {
  ProofTrack track;
  track.put(claim(600), at(662), minutes);
  track.ids_until(at(700), minutes);
  track.refuted({at(600), at(660)}, at(720));
  CHECK(track.proven_until(minutes) == at(600));
  track.ids_until(at(720), minutes);  // the stronger word has been heard already
  CHECK(track.to_remake(at(720), minutes) == BarSpan{at(600), at(660)});
  track.remade({at(600), at(660)});
  CHECK_FALSE(track.to_remake(at(9'000), minutes));
  CHECK(track.proven_until(minutes) == at(660));
}

TEST_CASE("a bar that a stop cut is made again, also when its row is written once more for its CVD") {
  ProofTrack track;
  Claim cut = claim(600, BarStatus::partial);
  cut.restored = cut.cut = true;
  track.put(cut, at(705), minutes);
  CHECK(track.to_remake(at(725), minutes) == BarSpan{at(600), at(660)});
  track.put(claim(600, BarStatus::partial, 1, 1), at(730), minutes);
  CHECK(track.to_remake(at(735), minutes) == BarSpan{at(600), at(660)});
  track.put(claim(600, BarStatus::repaired, 2, 2), at(740), minutes);
  CHECK_FALSE(track.to_remake(at(745), minutes));
  // One that this run began within is what it is.
  track.put(claim(660, BarStatus::partial), at(722), minutes);
  CHECK_FALSE(track.to_remake(at(800), minutes));
}

TEST_CASE("bars are made again by whole candles, whatever follows them: what a candle refuted is held against it") {
  ProofTrack track;
  for (std::int64_t s = 600; s < 720; s += 5) track.put(claim(s), at(s + 7), fives);
  track.refuted({at(600), at(660)}, at(721));
  CHECK(track.is_refuted({at(600), at(660)}));
  CHECK_FALSE(track.is_refuted({at(660), at(720)}));
  // The gap behind is of a candle that is not over.
  for (std::int64_t s = 720; s < 730; s += 5) track.put(claim(s, BarStatus::gap), at(s + 7), fives);
  track.refuted({at(660), at(720)}, at(740));
  CHECK(track.to_remake(at(765), fives) == BarSpan{at(600), at(720)});
  track.remade({at(600), at(720)});
  CHECK_FALSE(track.is_refuted({at(600), at(660)}));
  CHECK(track.to_remake(at(765), fives) == BarSpan{at(720), at(730)});
  // Of a candle whose first bars nobody has, no bar is taken along from the next.
  ProofTrack cut;
  for (std::int64_t s = 630; s < 720; s += 5) cut.put(claim(s, BarStatus::gap), at(s + 7), fives);
  CHECK(cut.to_remake(at(800), fives) == BarSpan{at(630), at(660)});
  cut.remade({at(630), at(660)});
  CHECK(cut.to_remake(at(800), fives) == BarSpan{at(660), at(720)});
}

TEST_CASE("where history is asked by time: bars while an instrument was off the list are made of it, and the cut one") {
  ProofRules by_time = minutes;
  by_time.by_time = true;
  for (const ProofRules& rules : {minutes, by_time}) {
    ProofTrack track;
    track.put(claim(600), at(662), rules);
    track.put(claim(660, BarStatus::partial), at(722), rules);
    track.put(claim(900), at(962), rules);
    CHECK(track.to_remake(at(990), rules) == (rules.by_time ? std::optional(BarSpan{at(660), at(900)}) : std::nullopt));
  }
  // The first bar of all is what it is.
  ProofTrack first;
  first.put(claim(600, BarStatus::partial), at(662), by_time);
  first.put(claim(660), at(722), by_time);
  CHECK_FALSE(first.to_remake(at(990), by_time));
  // More than the ledger keeps is left alone.
  ProofTrack long_away;
  long_away.put(claim(600), at(662), by_time);
  long_away.put(claim(60 * 300), at(60 * 300 + 62), by_time);
  CHECK(long_away.bars().size() == 2);
}

TEST_CASE("an earlier run's last bars are made again, and those between which ids jump") {
  ProofTrack track;
  for (std::int64_t s = 600; s < 700; s += 5) {
    Claim c = claim(s);
    c.restored = true;
    c.first_id = static_cast<std::uint64_t>(s);
    c.last_id = static_cast<std::uint64_t>(s + (s == 620 ? 3 : 4));
    track.put(c, at(705), blind);
  }
  track.restored(at(705), blind, true);
  CHECK_FALSE(track.to_remake(at(705), blind));
  CHECK(track.to_remake(at(721), blind) == BarSpan{at(625), at(630)});
  track.remade({at(625), at(630)});
  CHECK(track.to_remake(at(721), blind) == BarSpan{at(680), at(700)});
  track.remade({at(680), at(700)});
  CHECK(track.proven_until(blind) == at(700));
}

TEST_CASE("a gap that is told of after it was made again is made again once more") {
  ProofTrack track;
  Claim before = claim(600);
  before.restored = true;
  track.put(before, at(700), blind);
  before.time = at(620);
  track.put(before, at(700), blind);
  track.restored(at(700), blind, true);  // nobody ran at 605, 610 and 615
  track.remade({at(600), at(625)});
  CHECK_FALSE(track.to_remake(at(710), blind));
  track.put(claim(610, BarStatus::gap), at(711), blind);  // its first row
  CHECK_FALSE(track.to_remake(at(715), blind));
  CHECK(track.to_remake(at(717), blind) == BarSpan{at(610), at(615)});
  track.remade({at(610), at(615)});
  track.put(claim(610, BarStatus::gap), at(718), blind);  // the same row: nothing new
  CHECK_FALSE(track.to_remake(at(730), blind));
  track.put(claim(610, BarStatus::gap, 1, 1), at(731), blind);
  CHECK(track.to_remake(at(740), blind) == BarSpan{at(610), at(615)});
}

TEST_CASE("where no candle can judge, rows of an earlier run are proven by ids that join, and by nothing else") {
  const auto restored = [](std::int64_t s, std::uint64_t id, BarStatus status = BarStatus::live) {
    Claim c = claim(s, status);
    c.restored = true;
    c.first_id = c.last_id = id;
    return c;
  };
  const auto judged = [&](std::uint64_t second, bool sequence, BarStatus status = BarStatus::live) {
    ProofTrack track;
    for (const auto& [at_s, id] : {std::pair{600, 7U}, std::pair{1'200, 11U}, std::pair{1'205, 12U}}) {
      track.put(restored(at_s, id), at(1'300), fives);
    }
    track.put(restored(605, second, status), at(1'300), fives);
    track.put(restored(610, second + 1), at(1'300), fives);
    track.restored(at(1'300), fives, sequence);
    track.not_judged({at(600), at(615)}, sequence);
    return track.proven_until(fives);
  };
  CHECK(judged(8, true) == at(615));  // from there on nobody ran
  CHECK(judged(9, true) == at(605));  // 8 is in no row
  CHECK(judged(8, true, BarStatus::gap) == at(605));
  CHECK(judged(8, false) == at(600));  // ids without an order join nothing
}

TEST_CASE("what is proven is forgotten after a while, and there is a bound") {
  ProofTrack track;
  for (std::int64_t s = 0; s < 3'000; ++s) track.put(claim(600 + 60 * s), at(s), blind);
  track.prune(at(600 + 60 * 3'000), seconds(1'200));
  CHECK(track.bars().size() == ProofTrack::size_max);
  track.ids_until(at(600 + 60 * 3'000), blind);
  track.prune(at(600 + 60 * 3'000), seconds(1'200));
  CHECK(track.bars().size() < 30);
  // The newest stays, to fill from there when its instrument is collected again.
  track.prune(at(600 + 60 * 9'000), seconds(1'200));
  CHECK(track.bars().size() == 1);
}

TEST_CASE("history is asked for by ids from before the bars, and not at all where those are of another numbering") {
  ProofTrack track;
  CHECK(track.ask_from(at(600), 70) == 70U);  // no id is known
  track.put(claim(600), at(662), minutes);
  track.put(claim(660, BarStatus::gap), at(722), minutes);
  CHECK(track.ask_from(at(660), 600) == 600U);
  // Ids began at 1 again: a page from 600 on would be empty, and an empty page is no proof that nothing was traded.
  CHECK_FALSE(track.ask_from(at(660), 29));
  // … from where the new ones are known, they are.
  Claim anew = claim(720, BarStatus::gap);
  anew.first_id = 5;
  anew.last_id = 12;
  track.put(anew, at(782), minutes);
  CHECK(track.ask_from(at(780), 29) == 5U);
  CHECK(track.ids_of({at(660), at(780)}) == std::vector<std::uint64_t>{660, 660, 5, 12});
  CHECK(track.knows_below(6));
  CHECK_FALSE(track.knows_below(5));
  ProofTrack behind;
  behind.put(claim(660, BarStatus::gap), at(722), minutes);
  behind.put(claim(720), at(782), minutes);
  CHECK(behind.ask_from(at(660), 1'000) == 660U);
  CHECK(behind.traded({at(660), at(720)}));
  CHECK_FALSE(behind.traded({at(600), at(660)}));
}

TEST_CASE("bars that began before a contract's size changed are not made again of trades alone, whenever they come") {
  ProofTrack track;
  track.put(claim(600), at(662), minutes);
  track.unit_since(at(700));
  track.put(claim(660, BarStatus::gap), at(722), minutes);  // it comes after the change was told
  track.put(claim(720), at(782), minutes);
  CHECK(track.unit_in_doubt({at(600), at(660)}));
  CHECK(track.unit_in_doubt({at(660), at(720)}));
  CHECK_FALSE(track.unit_in_doubt({at(720), at(780)}));
  track.agreed({at(660), at(720)});  // the exchange's own figures tell
  CHECK_FALSE(track.unit_in_doubt({at(660), at(720)}));
}

TEST_CASE("what can't be made again keeps no other bar from its turn") {
  ProofTrack track;
  for (const std::int64_t s : {600, 605, 620}) track.put(claim(s, BarStatus::gap), at(s + 7), blind);
  CHECK(track.to_remake(at(700), blind) == BarSpan{at(600), at(610)});
  track.failed({at(600), at(610)}, at(700));
  CHECK(track.to_remake(at(701), blind) == BarSpan{at(620), at(625)});
  // … also when it is due again.
  CHECK(track.to_remake(at(800), blind) == BarSpan{at(620), at(625)});
  track.failed({at(620), at(625)}, at(800));
  CHECK(track.to_remake(at(801), blind) == BarSpan{at(600), at(610)});
}

TEST_CASE("an earlier run's whole row of which the exchange has more is made again at once") {
  ProofTrack track;
  for (const std::int64_t s : {600, 605, 610, 615, 620, 625}) {
    Claim before = claim(s);
    before.restored = true;
    track.put(before, at(640), blind);
  }
  track.restored(at(640), blind, false);
  Claim theirs = claim(605);
  CHECK_FALSE(track.lacks(theirs, at(641), blind));  // the same
  theirs.buys = 2;
  CHECK(track.lacks(theirs, at(641), blind));
  CHECK_FALSE(track.lacks(theirs, at(641), blind));  // it is known already
  CHECK(track.is_refuted({at(605), at(610)}));
  Claim nobody = claim(700);
  CHECK_FALSE(track.lacks(nobody, at(641), blind));
  // This run's rows are counted as trades come: a page may be ahead of them.
  track.put(claim(630), at(641), blind);
  Claim ahead = claim(630);
  ahead.sells = 1;
  CHECK_FALSE(track.lacks(ahead, at(641), blind));
}

TEST_CASE("bars between an earlier run's rows, of the time when nobody ran, are made again") {
  ProofTrack track;
  for (const std::int64_t s : {600, 605, 610, 630, 635, 640, 645}) {
    Claim before = claim(s);
    before.last_id = static_cast<std::uint64_t>(s + 4);
    before.restored = true;
    track.put(before, at(660), blind);
  }
  track.restored(at(660), blind, true);
  CHECK(track.to_remake(at(700), blind)->from == at(615));
}
