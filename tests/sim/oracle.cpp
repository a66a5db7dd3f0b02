#include "sim/oracle.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
using Key = std::pair<std::size_t, std::int64_t>;  // instrument of the tape, time

// A fault whose effects this bar may show.
bool excused(const ReadRow& row, const World& world, const RunFacts& facts) {
  const Timestamp bar_end = row.time + facts.interval;
  if (row.time <= facts.begin + facts.interval || bar_end + facts.interval > facts.end) return true;
  return std::any_of(facts.faults.begin(), facts.faults.end(), [&](const Fault& f) {
    const bool everywhere = f.of_the_process() || f.kind == FaultKind::disk_full || f.kind == FaultKind::banned;
    // What a fault cost may show from the bar before it (cut off in the middle of a bar) on.
    return (everywhere || f.side == world.side_of(row.exchange, row.market)) && bar_end + facts.interval >= f.at &&
           row.time <= f.at + f.reach();
  });
}

// Whether a fault of this kind befell the row's market when its trades were made.
bool touched_by(FaultKind kind, const ReadRow& row, const World& world, const RunFacts& facts) {
  return std::any_of(facts.faults.begin(), facts.faults.end(), [&](const Fault& f) {
    return f.kind == kind && f.side == world.side_of(row.exchange, row.market) && row.time + facts.interval > f.at &&
           row.time <= f.at + seconds(120);
  });
}

// Revisions count up by one, and the highest holds.
std::map<Key, ReadRow> newest_of(const std::vector<ReadRow>& rows, const sim::Tape& tape, Verdict& verdict) {
  std::map<Key, ReadRow> newest;
  for (const ReadRow& row : rows) {
    const Key key{tape.find(row.exchange, row.market, row.symbol), row.time.us};
    const auto old = newest.find(key);
    const std::uint32_t expected = old == newest.end() ? 0 : old->second.rev + 1;
    if (row.rev != expected) verdict.complain("revision " + std::to_string(expected) + " expected: " + row.text);
    if (row.rev > 0) ++verdict.revisions;
    newest.insert_or_assign(key, row);
  }
  return newest;
}

void count(const ReadRow& row, Verdict& verdict) {
  ++verdict.rows;
  switch (row.status) {
    case Status::live:
      ++verdict.live;
      break;
    case Status::gap:
      ++verdict.gap;
      break;
    case Status::partial:
      ++verdict.partial;
      break;
    case Status::repaired:
      ++verdict.repaired;
      break;
    case Status::history:
      break;
  }
}

struct Running {
  Exact base, quote;
  std::optional<Timestamp> previous;
  std::uint64_t known = 0, first_id = 0, last_id = 0, missing = 0;
  bool unknown = false;  // a hole whose size no row tells
};

void judge_row(const ReadRow& row, std::size_t index, World& world, const RunFacts& facts, Running& running,
               Verdict& verdict) {
  const sim::TapeInstrument& of = world.tape().instruments()[index];
  sim::TapeBar bar = world.tape().bar(index, row.time, facts.interval);
  const bool whole = row.whole();
  if (!whole) std::erase_if(bar.trades, [&](const auto& t) { return !world.delivered(index, t.id); });
  std::string what = difference(row, of, bar.trades);
  // Where ids have no order nobody can miss a frame, and of two trades of one millisecond the last to arrive is the
  // last.
  if (of.instrument.ids == Ids::opaque && touched_by(FaultKind::swallowed, row, world, facts)) what.clear();
  // … and what is fetched of a hole without being all of it is in the row, that still says gap.
  if (of.instrument.ids == Ids::opaque && row.status == Status::gap) what.clear();
  if (of.instrument.ids == Ids::opaque && (what == "ids" || what == "prices") &&
      touched_by(FaultKind::late, row, world, facts)) {
    what.clear();
  }
  if (!what.empty()) verdict.complain(what + " differs: " + row.text);
  if (row.status == Status::repaired && !excused(row, world, facts)) verdict.doubts.push_back(row.text);
  if (row.status != Status::live && row.status != Status::repaired && !excused(row, world, facts)) {
    verdict.complain("marked without a fault: " + row.text);
  }
  running.base = running.base + row.delta_base;
  running.quote = running.quote + row.delta_quote;
  if (running.base != row.cvd_base || running.quote != row.cvd_quote) {
    verdict.complain("CVD is not the sum of the deltas: " + row.text);
  }
  if (running.previous && row.time > *running.previous + facts.interval && !excused(row, world, facts)) {
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
}  // namespace

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

Verdict judge(const MemoryFiles& files, World& world, const RunFacts& facts) {
  Verdict verdict;
  const auto newest = newest_of(rows_of(files, verdict), world.tape(), verdict);
  std::map<std::size_t, Running> instruments;
  Timestamp calm = facts.begin;
  for (const Fault& f : facts.faults) calm = std::max(calm, f.at + f.reach());
  for (const auto& [key, row] : newest) {
    count(row, verdict);
    if (key.first == sim::Tape::npos) {
      verdict.complain("an instrument that does not exist: " + row.text);
      continue;
    }
    judge_row(row, key.first, world, facts, instruments[key.first], verdict);
    // Where ids have no order nothing can be fetched by them.
    const bool comes_back = world.tape().instruments()[key.first].instrument.ids == Ids::sequence;
    if (row.status == Status::gap && facts.everything_comes_back && comes_back) {
      verdict.complain("not repaired in the end: " + row.text);
    }
    const bool last_bars = row.time + facts.interval + facts.interval > facts.end;
    if (row.time > calm && !last_bars && row.status != Status::live) {
      verdict.complain("not live again after the last fault: " + row.text);
    }
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
