// Every revision, as of the moment it was written.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "cvdd/base/time_text.hpp"
#include "sim/oracle.hpp"
#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
struct Bar {
  ReadRow row;
  std::vector<std::size_t> said;  // hashes of all revisions
  std::optional<Timestamp> wrong_since;
  bool doubted = false, overdue = false, disproved = false;  // complained of already
};
// One instrument's bars, as a reader has them at this moment.
struct Book {
  std::map<std::int64_t, Bar> bars;  // by time
  std::map<std::int64_t, std::pair<Exact, Exact>> sums;
  std::set<std::int64_t> wrong;               // `live`, and not the tape
  std::optional<std::int64_t> changed_since;  // the oldest bar with a new row in this batch
};

class RevisionJudge {
 public:
  RevisionJudge(World& world, const RunFacts& facts, Verdict& verdict)
      : world_(world), facts_(facts), verdict_(verdict), books_(world.tape().instruments().size()) {}

  void take(const Written& written);
  void take(const Claimed& claimed);
  // All rows of one moment are here.
  void end_batch();
  void end();

 private:
  bool place(const Written& written, Bar& bar, bool fresh);
  void judge_content(const Written& written, Bar& bar, std::size_t index);
  void judge_live(const Written& written, Bar& bar, bool wrong);
  void set_right(const Written& written, Bar& bar, std::size_t index);
  [[nodiscard]] bool knowable(const ReadRow& row, std::size_t index) const;
  [[nodiscard]] bool in_cut_minute(const Book& book, const Claimed& claimed) const;
  // Each life of the process proves the bars that it finds once more.
  [[nodiscard]] Timestamp asked_since(Timestamp bar_end, Timestamp now) const {
    Timestamp since = bar_end;
    for (const Fault& f : facts_.faults) {
      const bool began = f.kind == FaultKind::kill || f.kind == FaultKind::restart || f.kind == FaultKind::rest_fails;
      if (began && f.at <= now) since = std::max(since, f.at);
    }
    return since;
  }
  // What waited for a full disk was made before it was written.
  [[nodiscard]] Timestamp made_at(const Written& written) const {
    const Timestamp due = written.row.time + facts_.interval + seconds(2);
    Timestamp made = written.at;
    for (const Fault& f : facts_.faults) {
      const bool flushed = f.at <= written.at && written.at <= f.at + f.length + seconds(10);
      if (f.kind == FaultKind::disk_full && flushed) made = std::min(made, std::max(due, f.at));
    }
    return made;
  }
  // Where there are neither candles nor an order of ids, nothing can be asked: `live` stays provisional.
  [[nodiscard]] bool askable(std::size_t index) const {
    const Instrument& of = world_.tape().instruments()[index].instrument;
    return of.ids != Ids::opaque || of.market != Market::option;
  }
  [[nodiscard]] std::size_t side_of(std::size_t index) const {
    const Instrument& of = world_.tape().instruments()[index].instrument;
    return world_.side_of(of.exchange, of.market);
  }
  // How long after its end a bar may be without its final proof.
  [[nodiscard]] Duration patience(std::size_t index, Timestamp bar_end, Timestamp now) const {
    const Duration lost = facts_.trouble(side_of(index), bar_end - seconds(120), now);
    return {facts_.proof_within.us + facts_.interval.us + seconds(60).us + lost.us};
  }

  World& world_;
  const RunFacts& facts_;
  Verdict& verdict_;
  std::vector<Book> books_;
  std::set<std::size_t> changed_;
};

std::string stamp(Timestamp at, const std::string& text) { return "written " + format_time(at) + ": " + text; }

// Revisions count up by one. In a day's second file the first one's may stand once more. False: nothing new.
bool RevisionJudge::place(const Written& written, Bar& bar, bool fresh) {
  const ReadRow& row = written.row;
  const std::size_t hash = std::hash<std::string>{}(row.text);
  if (written.again && std::find(bar.said.begin(), bar.said.end(), hash) != bar.said.end()) return false;
  const std::uint32_t expected = fresh ? 0 : bar.row.rev + 1;
  if (row.rev != expected) {
    verdict_.complain("revision " + std::to_string(expected) + " expected, " + stamp(written.at, row.text));
  }
  if (row.rev > 0) ++verdict_.revisions;
  bar.said.push_back(hash);
  bar.row = row;
  return true;
}

void RevisionJudge::take(const Written& written) {
  const ReadRow& row = written.row;
  const std::size_t index = world_.tape().find(row.exchange, row.market, row.symbol);
  if (index == sim::Tape::npos) return verdict_.complain("an instrument that does not exist: " + row.text);
  Book& book = books_[index];
  const auto [bar, fresh] = book.bars.try_emplace(row.time.us);
  if (!place(written, bar->second, fresh)) return;
  if (row.time + facts_.interval > written.at && row.status != Status::partial && row.status != Status::gap) {
    verdict_.complain("before its bar had ended, " + stamp(written.at, row.text));
  }
  book.changed_since = std::min(book.changed_since.value_or(row.time.us), row.time.us);
  changed_.insert(index);
  judge_content(written, bar->second, index);
  if (bar->second.wrong_since) {
    book.wrong.insert(row.time.us);
  } else {
    book.wrong.erase(row.time.us);
  }
}

// Where ids have no order and there are no candles, nobody can ever miss what one frame brought.
bool RevisionJudge::knowable(const ReadRow& row, std::size_t index) const {
  const bool lost = facts_.touched(FaultKind::swallowed, side_of(index), row.time) ||
                    facts_.touched(FaultKind::stalled, side_of(index), row.time);
  return askable(index) || !lost;
}

void RevisionJudge::judge_content(const Written& written, Bar& bar, std::size_t index) {
  const ReadRow& row = written.row;
  const sim::TapeInstrument& of = world_.tape().instruments()[index];
  sim::TapeBar truth = world_.tape().bar(index, row.time, facts_.interval);
  if (exceeds(row, of, truth.trades)) verdict_.complain("more than was traded, " + stamp(written.at, row.text));
  if (row.status == Status::gap && row.rev == 0 && !bar.doubted && !facts_.excused(side_of(index), row.time)) {
    bar.doubted = true;
    verdict_.doubts.push_back(stamp(written.at, row.text));
  }
  std::string what = row.whole() || row.status == Status::history ? difference(row, of, truth.trades) : "";
  // Of two trades of one millisecond, where ids have no order, the last to arrive is the last.
  const bool order = what == "ids" || what == "prices";
  if (of.instrument.ids == Ids::opaque && order && facts_.touched(FaultKind::late, side_of(index), row.time)) what = "";
  if (!what.empty() && !knowable(row, index)) {
    ++verdict_.unknowable;
    what = "";
  }
  if (!what.empty() && row.status != Status::live) verdict_.complain(what + " differs, " + stamp(written.at, row.text));
  if (row.status == Status::live) judge_live(written, bar, !what.empty());
  if (row.status != Status::live || what.empty()) set_right(written, bar, index);
  if (!row.whole()) return;
  std::erase_if(truth.trades,
                [&](const sim::TapeTrade& t) { return !world_.read_by(index, t.id, written.life, made_at(written)); });
  if (lacks(row, of, truth.trades))
    verdict_.complain("without what had been delivered, " + stamp(written.at, row.text));
}

void RevisionJudge::judge_live(const Written& written, Bar& bar, bool wrong) {
  ++verdict_.live_said;
  if (!wrong) return;
  ++verdict_.live_wrong;
  if (!bar.wrong_since) bar.wrong_since = written.at;
}

void RevisionJudge::set_right(const Written& written, Bar& bar, std::size_t index) {
  if (!bar.wrong_since) return;
  verdict_.corrected.push_back(written.at - *bar.wrong_since);
  bar.wrong_since.reset();
  const Timestamp end = written.row.time + facts_.interval;
  if (written.at - end > patience(index, end, written.at)) {
    verdict_.complain("live, wrong, and not set right for " + std::to_string((written.at - end).us / 1'000'000) +
                      " s, " + stamp(written.at, written.row.text));
  }
}

// A candle tells nothing of bars beside one that lacks something for good, or is not there, and where ids have no order
// nothing else does.
bool RevisionJudge::in_cut_minute(const Book& book, const Claimed& claimed) const {
  if (world_.tape().instruments()[claimed.instrument].instrument.ids != Ids::opaque) return false;
  const Timestamp minute = bar_start(claimed.until, seconds(60));
  std::int64_t whole = 0;
  for (Timestamp t = minute; t < minute + seconds(60); t = t + facts_.interval) {
    const auto bar = book.bars.find(t.us);
    whole += bar != book.bars.end() && bar->second.row.whole() ? 1 : 0;
  }
  return whole * facts_.interval.us < seconds(60).us;
}

void RevisionJudge::take(const Claimed& claimed) {
  Book& book = books_[claimed.instrument];
  // What has come since is proven already, and is in the next bar's batch.
  const Timestamp soon = claimed.at - facts_.interval - seconds(15);
  for (const std::int64_t time : book.wrong) {
    Bar& bar = book.bars.at(time);
    if (bar.disproved || bar.row.time + facts_.interval > claimed.until || *bar.wrong_since > soon) continue;
    bar.disproved = true;
    verdict_.complain("called proven at " + format_time(claimed.at) + ", and wrong: " + bar.row.text);
  }
  if (!askable(claimed.instrument)) return;
  const auto oldest = book.bars.find(claimed.until.us);
  if (oldest == book.bars.end() || oldest->second.row.status != Status::live || oldest->second.overdue) return;
  if (in_cut_minute(book, claimed)) return;
  const Timestamp since = asked_since(claimed.until + facts_.interval, claimed.at);
  if (claimed.at - since <= patience(claimed.instrument, since, claimed.at)) return;
  oldest->second.overdue = true;
  verdict_.complain("without its final proof for " + std::to_string((claimed.at - since).us / 1'000'000) + " s at " +
                    format_time(claimed.at) + ": " + oldest->second.row.text);
}

void RevisionJudge::end_batch() {
  for (const std::size_t index : changed_) {
    Book& book = books_[index];
    auto bar = book.bars.find(*book.changed_since);
    const auto before = book.sums.lower_bound(bar->first);
    auto sum = before == book.sums.begin() ? std::pair<Exact, Exact>() : std::prev(before)->second;
    for (; bar != book.bars.end(); ++bar) {
      const ReadRow& row = bar->second.row;
      sum = {sum.first + row.delta_base, sum.second + row.delta_quote};
      book.sums.insert_or_assign(bar->first, sum);
      if (sum.first != row.cvd_base || sum.second != row.cvd_quote) {
        verdict_.complain("CVD is not the sum of the deltas: " + row.text);
        break;
      }
    }
    book.changed_since.reset();
  }
  changed_.clear();
}

void RevisionJudge::end() {
  for (const Book& book : books_) {
    for (const std::int64_t time : book.wrong) {
      verdict_.complain("live, wrong, and never set right: " + book.bars.at(time).row.text);
    }
  }
}
}  // namespace

void judge_revisions(const std::vector<Written>& rows, World& world, const RunFacts& facts, Verdict& verdict) {
  RevisionJudge judge(world, facts, verdict);
  auto claimed = facts.claimed.begin();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (; claimed != facts.claimed.end() && claimed->at < rows[i].at; ++claimed) judge.take(*claimed);
    judge.take(rows[i]);
    if (i + 1 == rows.size() || rows[i + 1].at != rows[i].at) judge.end_batch();
  }
  for (; claimed != facts.claimed.end(); ++claimed) judge.take(*claimed);
  judge.end();
}

}  // namespace cvdd::simtest
