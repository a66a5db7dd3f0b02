#include "sim/run.hpp"

#include <algorithm>

namespace cvdd::simtest {

namespace {
constexpr std::chrono::milliseconds goodbye{700};
// What the exchanges' sides of connections bear of a process that does nothing.
constexpr std::chrono::seconds patience_of_exchanges{60};
constexpr std::chrono::seconds start_again{5};
constexpr std::chrono::seconds ask_every{10};

std::chrono::microseconds steady(Duration d) { return std::chrono::microseconds(d.us); }
}  // namespace

Run::Run(std::uint64_t seed, const RunPlan& plan)
    : capture_(plan.capture),
      context_(plan.context),
      clock_(simulated_start),
      files_(clock_),
      world_(clock_, seed, plan.tape_of_all()) {
  facts_.begin = simulated_start;
  facts_.end = simulated_start + seconds(3'600 * plan.hours);
  facts_.interval = plan.interval_of(seed);
  facts_.faults = draw_faults(seed, simulated_start + seconds(120), facts_.end - calm_end, world_.sides().size(),
                              {plan.storm(seed), plan.without});
  off_.resize(world_.tape().instruments().size());
  for (const Fault& fault : facts_.faults) {
    clock_.at(clock_.steady_at(fault.at), [this, fault] { begin(fault); });
  }
  start();
  go_until(facts_.end);
  stop();
}

EngineOptions Run::options() const {
  EngineOptions options = options_for(world_);
  options.config.interval = facts_.interval;
  options.config.capture.dir = capture_;
  options.config.capture.keep = seconds(1'000 * 86'400);
  if (!capture_.empty()) options.config.size_buckets = {{100, 0}, {1'000, 0}, {10'000, 0}};
  for (auto& [where, names] : options.symbols.wanted) {
    for (const DataKind kind : context_kinds) {
      if (context_) options.symbols.context[where.first].add({kind});
    }
    std::erase_if(names, [&, &where = where](const std::string& name) {
      return off_[world_.tape().find(where.first, where.second, name)] > 0;
    });
  }
  return options;
}

// A disk that takes nothing may keep it from starting; who looks after it tries again.
void Run::start() {
  if (life_ || clock_.steady() < back_at_) return;
  files_.begin_life();
  world_.begin_life(files_.life());
  try {
    life_.emplace(options(), clock_, files_, world_);
  } catch (const std::runtime_error&) {
    life_.reset();
    start_at(clock_.steady() + start_again);
  }
}

void Run::start_at(SteadyTime when) {
  back_at_ = std::max(back_at_, when);
  clock_.at(back_at_, [this] { start(); });
}

void Run::go_until(Timestamp end) {
  const SteadyTime until = clock_.steady_at(end);
  while (clock_.steady() < until) {
    if (life_ && !frozen_) life_->settle();
    if (end_if_due()) continue;
    SteadyTime next = std::min(until, clock_.steady() + std::chrono::seconds(1));
    if (life_) {
      const SteadyTime due = clock_.steady_at(life_->engine->aggregator().due());
      if (due > clock_.steady()) next = std::min(next, due);
      ask_what_is_proven();
    }
    clock_.advance(next);
  }
}

// Not inside an event: the engine must not vanish under its own feet.
bool Run::end_if_due() {
  if (dead_for_) {
    const auto length = *std::exchange(dead_for_, std::nullopt);
    if (life_) die();
    start_at(clock_.steady() + length);
    return true;
  }
  if (!ends_for_ || frozen_) return false;  // who is stopped hears no signal
  const auto length = *std::exchange(ends_for_, std::nullopt);
  if (life_) stop();
  start_at(clock_.steady() + length);
  return true;
}

void Run::ask_what_is_proven() {
  if (frozen_ || clock_.steady() < asked_ + ask_every) return;
  asked_ = clock_.steady();
  std::vector<InstrumentState> states;
  for (const auto& [where, market] : life_->engine->markets()) market->look(states);
  for (const InstrumentState& state : states) {
    if (!state.proven_until) continue;
    const std::size_t index = world_.tape().find(state.exchange, state.market, state.symbol);
    if (index != sim::Tape::npos) facts_.claimed.push_back({clock_.true_time(), index, *state.proven_until});
  }
}

void Run::begin(const Fault& fault) {
  const SteadyTime over = clock_.steady() + steady(fault.length);
  switch (fault.kind) {
    case FaultKind::clock_step: {
      const Duration by = seconds((fault.at.us / 1'000) % 14'400 - 7'200);
      clock_.step_wall(by);
      clock_.at(over, [this, by] { clock_.step_wall({-by.us}); });
      break;
    }
    case FaultKind::frozen:
    case FaultKind::asleep:
      freeze(fault);
      break;
    case FaultKind::reload:
    case FaultKind::off_for_long:
      take_off(fault);
      break;
    case FaultKind::kill:
      dead_for_ = steady(fault.length);
      break;
    case FaultKind::restart:
      ends_for_ = steady(fault.length);
      break;
    case FaultKind::disk_full:
      files_.append_error = ++full_ > 0 ? ENOSPC : 0;
      clock_.at(over, [this] { files_.append_error = --full_ > 0 ? ENOSPC : 0; });
      break;
    case FaultKind::sync_fails:
      files_.sync_error = ++unsynced_ > 0 ? EIO : 0;
      clock_.at(over, [this] { files_.sync_error = --unsynced_ > 0 ? EIO : 0; });
      break;
    case FaultKind::rest_fails:
      world_.begin(fault);
      dead_for_ = std::chrono::seconds(1);
      break;
    default:
      world_.begin(fault);
  }
}

// The exchanges hang up on who does not answer for long.
void Run::freeze(const Fault& fault) {
  ++freezes_;
  frozen_ = true;
  world_.freeze(true);
  const auto thaw = [this] {
    if (--freezes_ > 0) return;
    frozen_ = false;
    world_.freeze(false);
  };
  if (steady(fault.length) > patience_of_exchanges) {
    clock_.at(clock_.steady() + patience_of_exchanges, [this] {
      if (frozen_) world_.cut_connections();
    });
  }
  clock_.at(clock_.steady() + steady(fault.length), thaw);
}

// The symbol list is edited: every third instrument, from one or another on, leaves it and comes back.
void Run::take_off(const Fault& fault) {
  const auto change = [this, what = fault.what](int by) {
    for (std::size_t i = what % 3; i < off_.size(); i += 3) off_[i] += by;
    if (life_) life_->engine->want(options().symbols);
  };
  change(1);
  clock_.at(clock_.steady() + steady(fault.length), [change] { change(-1); });
}

void Run::end_life() {
  life_->engine.reset();
  life_.reset();
  world_.cut_all();
}

// What was in memory only is as good as never received.
void Run::die() {
  end_life();
  frozen_ = false;
  world_.freeze(false);
  std::map<std::size_t, std::pair<Timestamp, std::string>> last;
  for (const Written& written : files_.rows()) {
    const ReadRow& row = written.row;
    if (row.last_id.empty()) continue;
    auto& [time, id] = last[world_.tape().find(row.exchange, row.market, row.symbol)];
    if (row.time < time) continue;
    time = row.time;
    id = row.last_id;
  }
  for (std::size_t i = 0; i < world_.tape().instruments().size(); ++i) {
    world_.undeliver_after(i, last.contains(i) ? id_of(i, last[i].second) : 0);
  }
}

void Run::stop() {
  if (!life_) return;
  life_->engine->stop();
  const SteadyTime until = clock_.steady() + goodbye;
  life_->settle();
  while (clock_.advance(until)) life_->settle();
  life_->engine->aggregator().finish();
  end_life();
}

// Of the trade that a row names.
std::uint64_t Run::id_of(std::size_t instrument, const std::string& text) {
  const sim::TapeInstrument& what = world_.tape().instruments()[instrument];
  if (what.instrument.ids == Ids::sequence) return std::stoull(text);
  const auto trades = world_.tape().trades(instrument);
  for (auto t = trades.rbegin(); t != trades.rend(); ++t) {
    if (sim::id_text(what, *t) == text) return t->id;
  }
  return 0;
}

}  // namespace cvdd::simtest
