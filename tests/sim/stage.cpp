#include "sim/stage.hpp"

#include <map>
#include <utility>

#include "sim/tape_figures.hpp"

namespace cvdd::simtest {

namespace {
constexpr std::chrono::milliseconds step{100};
constexpr std::size_t complaints_max = 8;
}  // namespace

Stage::Stage(std::uint64_t seed, std::vector<sim::TapeInstrument> instruments, Duration interval, Duration past)
    : clock_(simulated_start), world_(clock_, seed, std::move(instruments), past), options_(options_for(world_)) {
  options_.config.interval = interval;
}

void Stage::start() {
  world_.begin_life(++lives_);
  life_.emplace(options_, clock_, files_, world_);
}

void Stage::go(std::chrono::milliseconds time) {
  const SteadyTime end = clock_.steady() + time;
  while (clock_.steady() < end) {
    if (life_) life_->settle();
    clock_.advance(std::min(end, clock_.steady() + step));
  }
  if (life_) life_->settle();
}

void Stage::freeze(std::chrono::milliseconds time) {
  const SteadyTime end = clock_.steady() + time;
  world_.freeze(true);
  while (clock_.advance(end)) {
  }
  world_.freeze(false);
}

void Stage::go_to_second(std::int64_t second) {
  while (clock_.true_time().us / 1'000'000 % 60 != second) go(step);
}

void Stage::befall(FaultKind kind, Duration length, std::size_t side) {
  Fault fault;
  fault.kind = kind;
  fault.at = clock_.true_time();
  fault.length = length;
  fault.side = side;
  world_.begin(fault);
}

SymbolList Stage::without_one(std::string& gone) const {
  SymbolList less = options_.symbols;
  auto& names = less.wanted.begin()->second;
  gone = names.back();
  names.pop_back();
  return less;
}

void Stage::stop() {
  life_->engine->stop();
  go(std::chrono::seconds(1));
  life_->engine->aggregator().finish();
  life_->engine.reset();
  life_.reset();
  world_.cut_all();
}

// A row of single trades has as many fills, and ids of its own.
std::string Stage::difference_of(const ReadRow& row, bool ids) const {
  const std::size_t index = world_.tape().find(row.exchange, row.market, row.symbol);
  const sim::TapeBar bar = world_.tape().bar(index, row.time, options_.config.interval);
  std::string what = difference(row, world_.tape().instruments()[index], bar.trades);
  return what == "ids" && !ids ? std::string() : what;
}

StageVerdict Stage::verdict(bool ids) const {
  StageVerdict out;
  Verdict reading;
  std::map<std::pair<std::size_t, std::int64_t>, ReadRow> newest;
  const auto complain = [&](const std::string& what, const ReadRow& row) {
    if (out.complaints.size() < complaints_max) out.complaints.push_back(what + ": " + row.text);
  };
  for (const ReadRow& row : rows_of(files_, reading)) {
    ++out.rows;
    const std::pair key{world_.tape().find(row.exchange, row.market, row.symbol), row.time.us};
    const auto old = newest.find(key);
    if (row.rev != (old == newest.end() ? 0 : old->second.rev + 1)) complain("a revision is doubled or left out", row);
    const std::string what = row.whole() ? difference_of(row, ids) : std::string();
    if (!what.empty()) ++(row.status == Status::live ? out.early : out.repaired_wrong);
    if (!what.empty() && row.status == Status::repaired) complain(what + " differs, repaired", row);
    newest.insert_or_assign(key, row);
  }
  std::map<std::size_t, std::pair<Exact, Exact>> sums;
  for (const auto& [key, row] : newest) {
    ++out.bars;
    auto& [base, quote] = sums[key.first];
    base = base + row.delta_base;
    quote = quote + row.delta_quote;
    if (base != row.cvd_base || quote != row.cvd_quote) complain("CVD is not the sum of the deltas", row);
    if (row.status == Status::gap) ++out.gaps;
    const std::string what = row.whole() ? difference_of(row, ids) : std::string();
    if (what.empty()) continue;
    ++out.wrong;
    if (row.status == Status::live) --out.early;
    complain(what + " differs", row);
  }
  for (const std::string& complaint : reading.complaints) out.complaints.push_back(complaint);
  return out;
}

std::vector<ReadRow> Stage::rows_of_symbol(const std::string& symbol) const {
  Verdict reading;
  std::vector<ReadRow> rows = rows_of(files_, reading);
  std::erase_if(rows, [&](const ReadRow& row) { return row.symbol != symbol; });
  return rows;
}

std::vector<sim::TapeInstrument> instruments_of(const std::string& exchange, Market market, std::size_t count,
                                                std::uint32_t trades_per_minute) {
  const sim::Protocol* protocol = sim::find_protocol(exchange);
  std::vector<sim::TapeInstrument> out;
  const std::size_t markets = protocol->markets().size();
  for (auto& made : sim::make_instruments_of(*protocol, count * markets, trades_per_minute)) {
    if (made.instrument.market == market) out.push_back(std::move(made));
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].instrument.id = static_cast<std::uint32_t>(i);
  return out;
}

}  // namespace cvdd::simtest
