#include "sim/oracle.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
using Key = std::pair<std::size_t, std::int64_t>;  // instrument of the tape, time

// What is noticed, waited for and begun anew after a fault.
constexpr Duration aftermath = seconds(120);
// After the last fault, what history has of a gap has come.
constexpr Duration mended_within = seconds(2'400);

// At their highest revision.
std::map<Key, ReadRow> newest_of(const std::vector<ReadRow>& rows, const sim::Tape& tape) {
  std::map<Key, ReadRow> newest;
  for (const ReadRow& row : rows) {
    const auto [place, fresh] = newest.try_emplace({tape.find(row.exchange, row.market, row.symbol), row.time.us}, row);
    if (!fresh && place->second.rev < row.rev) place->second = row;
  }
  return newest;
}

struct Running {
  std::optional<Timestamp> previous;
  std::uint64_t known = 0, first_id = 0, last_id = 0, missing = 0;
};

// What marked rows hold: all that was delivered, where its ids tell what is missing. Where they don't, pages of the
// newest trades may have filled a hole, up to where the row was cut off or beyond.
void judge_marked(const ReadRow& row, std::size_t index, World& world, std::vector<sim::TapeTrade>& trades,
                  Verdict& verdict) {
  const sim::TapeInstrument& of = world.tape().instruments()[index];
  const auto read = [&](const sim::TapeTrade& t) { return world.delivered(index, t.id); };
  const std::vector<sim::TapeTrade> all = trades;
  std::erase_if(trades, [&](const sim::TapeTrade& t) { return !read(t); });
  // What is fetched of a hole without being all of it is in the row, that still says gap.
  if (of.instrument.ids == Ids::opaque && row.status == Status::gap) return;
  const std::string what = difference(row, of, trades);
  if (what.empty()) return;
  if (of.instrument.ids == Ids::opaque) {
    for (auto end = std::find_if(all.rbegin(), all.rend(), read).base();; ++end) {
      if (difference(row, of, {all.begin(), end}).empty()) return;
      if (end == all.end()) break;
    }
  }
  verdict.complain(what + " differs: " + row.text);
}

void judge_row(const ReadRow& row, std::size_t index, World& world, const RunFacts& facts, Running& running,
               Verdict& verdict) {
  const sim::TapeInstrument& of = world.tape().instruments()[index];
  const std::size_t side = world.side_of(row.exchange, row.market);
  sim::TapeBar bar = world.tape().bar(index, row.time, facts.interval);
  if (row.status == Status::gap || row.status == Status::partial) judge_marked(row, index, world, bar.trades, verdict);
  const bool excused = facts.excused(side, row.time);
  if (!row.whole() && !excused) verdict.complain("marked without a fault: " + row.text);
  if (running.previous && row.time > *running.previous + facts.interval && !excused) {
    verdict.complain("bars are left out before: " + row.text);
  }
  running.previous = row.time;
  if (!row.first_id.empty() && of.instrument.ids == Ids::sequence) {
    if (running.first_id == 0) running.first_id = std::stoull(row.first_id);
    running.last_id = std::max<std::uint64_t>(running.last_id, std::stoull(row.last_id));
  }
  for (const sim::TapeTrade& t : bar.trades) {
    running.known += of.numbering == sim::Numbering::merged ? t.last_fill - t.first_fill + 1 : 1;
  }
  running.missing += row.missing.value_or(0);
}

// What no fault keeps from being whole any more.
void judge_end(const ReadRow& row, std::size_t index, const World& world, const RunFacts& facts, Timestamp first,
               Verdict& verdict) {
  Timestamp calm = facts.begin, mended = facts.begin;
  for (const Fault& f : facts.faults) {
    calm = std::max(calm, f.at + f.reach());
    mended = std::max(mended, f.at + f.length);
  }
  const bool last_bars = row.time + facts.interval + std::max(facts.interval, seconds(60)) > facts.end;
  // What was a gap for a moment is among the doubts, which are few.
  if (row.time > calm && !last_bars && row.status != Status::live && row.status != Status::repaired) {
    verdict.complain("not live again after the last fault: " + row.text);
  }
  if (row.status != Status::gap && row.status != Status::partial) return;
  if (row.time == first || last_bars || mended + mended_within > facts.end) return;
  // Where ids have no order nothing can be fetched by them, and pages of the newest reach back for minutes only.
  if (world.tape().instruments()[index].instrument.ids == Ids::sequence) {
    verdict.complain("not whole in the end: " + row.text);
  } else {
    ++verdict.unreachable;
  }
}
}  // namespace

Duration RunFacts::trouble(std::size_t side, Timestamp from, Timestamp to) const {
  Duration sum;
  for (const Fault& f : faults) {
    if ((f.everywhere() || f.side == side) && f.at < to && from < f.at + f.reach()) sum.us += f.reach().us;
  }
  return sum;
}

bool RunFacts::excused(std::size_t side, Timestamp bar) const {
  const Duration around = std::max(interval, seconds(60));
  const Timestamp bar_end = bar + interval;
  if (bar <= begin + around || bar_end + around > end) return true;
  return std::any_of(faults.begin(), faults.end(), [&](const Fault& f) {
    // What a fault cost may show from the bar before it (cut off in the middle of a bar) on.
    return (f.everywhere() || f.side == side) && bar_end + around >= f.at && bar <= f.at + f.reach();
  });
}

bool RunFacts::touched(FaultKind kind, std::size_t side, Timestamp bar) const {
  return std::any_of(faults.begin(), faults.end(), [&](const Fault& f) {
    return f.kind == kind && f.side == side && bar + interval > f.at && bar <= f.at + f.length + aftermath;
  });
}

std::vector<ReadRow> rows_of(const MemoryFiles& files, Verdict& verdict) {
  std::vector<ReadRow> rows;
  for (const auto& [path, text] : files.files) {
    const auto name = path.find("/cvd-");
    if (name == std::string::npos) continue;
    const std::string day = path.substr(name + 5, 10);
    std::istringstream in(text);
    std::string line, why;
    std::getline(in, line);
    if (line != header_of_contract()) verdict.complain(path + ": another header: " + line);
    while (std::getline(in, line)) {
      auto row = read_row(line, why);
      if (!row) {
        verdict.complain(path + ": not a row, " + why + ": " + line);
        continue;
      }
      if (!line.starts_with(day)) verdict.complain(path + ": a row of another day: " + line);
      rows.push_back(std::move(*row));
    }
  }
  return rows;
}

Verdict judge(const WatchedFiles& files, World& world, const RunFacts& facts) {
  Verdict verdict;
  for (const std::string& line : files.complaints()) verdict.complain(line);
  judge_revisions(files.rows(), world, facts, verdict);
  const auto newest = newest_of(rows_of(files, verdict), world.tape());
  std::map<std::size_t, Running> instruments;
  std::map<std::size_t, Timestamp> first;
  for (const auto& [key, row] : newest) {
    ++verdict.rows;
    ++verdict.by_status[static_cast<std::size_t>(row.status)];
    if (key.first == sim::Tape::npos) continue;
    first.try_emplace(key.first, row.time);
    judge_row(row, key.first, world, facts, instruments[key.first], verdict);
    judge_end(row, key.first, world, facts, first[key.first], verdict);
  }
  for (const auto& [index, running] : instruments) {
    if (world.tape().instruments()[index].instrument.ids != Ids::sequence) continue;
    const std::uint64_t ids = running.first_id == 0 ? 0 : running.last_id - running.first_id + 1;
    if (running.known + running.missing != ids) {
      verdict.complain(world.tape().instruments()[index].instrument.symbol + ": " + std::to_string(running.known) +
                       " trades in rows and " + std::to_string(running.missing) + " missing, but there were " +
                       std::to_string(ids) + " ids");
    }
  }
  // A market that falls silent where sixteen trades are usual may be mute: its bars are doubted, and proven seconds
  // later. Trades come in bursts, so that happens; not often.
  if (verdict.doubts.size() > 2 + verdict.rows / 500) {
    for (const std::string& row : verdict.doubts) verdict.complain("marked without a fault: " + row);
  }
  if (world.offences() > 0)
    verdict.complain(std::to_string(world.offences()) +
                     " offences against the exchange's limits, first: " + world.first_offence());
  if (instruments.size() != world.tape().instruments().size()) verdict.complain("an instrument has no row");
  return verdict;
}

}  // namespace cvdd::simtest
