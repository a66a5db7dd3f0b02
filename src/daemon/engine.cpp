#include "cvdd/daemon/engine.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>

#include "capture_seams.hpp"
#include "cvdd/storage/interval_check.hpp"
#include "cvdd/system/spawn.hpp"

namespace cvdd {

namespace {
constexpr Duration clock_looked_at_every = seconds(10);
constexpr int rounds_max = 50;
constexpr std::uint32_t sample_share = 10;  // of the budget, in per cent
// What was on its way to us when a run ended belongs to its last bars.
Duration recalled_always(Duration interval) {
  return {std::min(std::max(seconds(120).us, 3 * interval.us), 100 * interval.us)};
}
constexpr std::size_t recalled_bars = 200;  // of an instrument; fewer than the ledger keeps while something is open
}  // namespace

Engine::Engine(EngineOptions options, Environment around)
    : options_(std::move(options)),
      around_(std::move(around)),
      capture_files_(make_file_sink()),
      capture_(make_capture()),
      store_(*around_.files, options_.config.data_dir, {options_.config.sync, true}),
      syncer_(*around_.files, around_.threads),
      closing_time_(*around_.clock) {
  restored_ = store_.open();
  check_interval();
  if (options_.config.repair && !options_.config.exchange_clock) {
    store_.recall(restored_, options_.config.interval, recalled_bars, recalled_always(options_.config.interval));
  }
  if (!restored_.empty()) {
    spdlog::info("continuing after the files instruments={} data_dir={}", restored_.size(), options_.config.data_dir);
  }
  AggregatorOptions a;
  a.interval = options_.config.interval;
  a.close_delay = options_.config.close_delay;
  a.event_time = options_.config.exchange_clock;
  a.repairs = options_.config.repair && !options_.config.exchange_clock;
  a.watched = !options_.config.exchange_clock;
  a.capture = capture_.get();
  set_size_buckets(a);
  a.now = [this] { return closing_time_.now(); };
  if (around_.threads) a.local = [this] { return around_.clock->wall(); };
  a.on_rows = [this](std::span<const Row> rows) {
    proofs_.put(rows);
    if (options_.on_rows) options_.on_rows(rows);
  };
  a.on_problem = [this](const std::string& line) { spdlog::error("{} data_dir={}", line, options_.config.data_dir); };
  a.on_note = [](const std::string& line) { spdlog::warn("{}", line); };
  for (const std::string& note : store_.take_notes()) a.on_note(note);
  aggregator_ = std::make_unique<Aggregator>(std::move(a), store_, syncer_, restored_);
  wakeup_ =
      std::make_unique<CoalescedWakeup>(around_.executor, aggregator_->wakeup(), options_.config.coalesce.us == 0);
}

Engine::~Engine() = default;

// Nothing is set where nobody wants any.
void Engine::set_size_buckets(AggregatorOptions& options) const {
  using Shared = std::shared_ptr<const SizeBuckets>;
  const auto make = [](const std::vector<Decimal>& bounds) {
    return bounds.empty() ? Shared() : std::make_shared<const SizeBuckets>(bounds);
  };
  const Shared everybody = make(options_.config.size_buckets);
  std::map<std::pair<std::string, Market>, Shared> own;
  bool any = everybody != nullptr;
  for (const auto& [where, exchange] : options_.config.exchanges) {
    if (!exchange.size_buckets) continue;
    own[where] = make(*exchange.size_buckets);
    any = any || own[where] != nullptr;
  }
  if (!any) return;
  options.size_buckets = [everybody, own = std::move(own)](const Instrument& instrument) {
    const auto found = own.find({instrument.exchange, instrument.market});
    return found == own.end() ? everybody : found->second;
  };
}

std::unique_ptr<Capture> Engine::make_capture() {
  const CaptureConfig& wanted = options_.config.capture;
  if (wanted.dir.empty()) return nullptr;
  try {
    return std::make_unique<Capture>(
        CaptureSettings{wanted.dir, wanted.exchanges, wanted.rotate, wanted.keep, wanted.max_size},
        Capture::Surroundings{capture_files_.get(), [this] { return around_.clock->wall(); },
                              [](const std::string& line) { spdlog::error("{}", line); }, around_.threads});
  } catch (const std::runtime_error& error) {
    throw WrongConfiguration(error.what());
  }
}

void Engine::check_interval() const {
  const Duration interval = options_.config.interval;
  const std::string& directory = options_.config.data_dir;
  const auto found = store_.interval_found();
  if (found) {
    if (const auto why = interval_too_long(directory, *found, interval); !why.empty()) throw WrongConfiguration(why);
  }
  for (const auto& [key, last] : restored_) {
    const auto why = interval_off(directory, key.exchange, key.symbol, last.row.time, interval);
    if (!why.empty()) throw WrongConfiguration(why);
  }
}

MarketRunner* Engine::make_market(const std::pair<std::string, Market>& where, const std::vector<std::string>& wanted,
                                  Duration history, DataKinds kinds) {
  const Exchange* exchange = find_exchange(where.first, where.second);
  if (exchange == nullptr || wanted.empty()) return nullptr;
  const auto& limits = exchange->limits;
  auto gate = gates_.try_emplace(where.first, limits.connection_attempts, limits.connection_attempts_window);
  MarketContext context;
  context.executor = around_.executor;
  context.clock = around_.clock;
  context.files = around_.files;
  context.make_transport = around_.make_transport;
  context.make_http_get = around_.make_http_get;
  context.beside = around_.beside;
  context.context = kinds;
  context.make_context_transport = around_.make_transport;
  context.make_context_http_get = around_.make_http_get;
  if (capture_) {
    context.capture = capture_.get();
    context.make_transport = captured(std::move(context.make_transport), *capture_, where.first, where.second);
    context.make_http_get = captured(std::move(context.make_http_get), *capture_, where.first, where.second);
  }
  context.aggregator = aggregator_.get();
  context.wakeup = wakeup_.get();
  context.restored = &restored_;
  context.gate = &gate.first->second;
  context.ids = &ids_;
  context.cache_dir = options_.config.data_dir;
  context.event_time = options_.config.exchange_clock;
  context.interval = options_.config.interval;
  context.history = history;
  context.renew_after = options_.config.renew_after;
  context.renew_at = options_.config.renew_at;
  context.in_flight = options_.config.close_delay;
  context.shard = options_.config.shard;
  const auto configured = options_.config.exchanges.find(where);
  const ExchangeConfig settings = configured == options_.config.exchanges.end() ? ExchangeConfig{} : configured->second;
  const std::string pool = where.first + " " + std::string(exchange->weight_pool);
  const std::uint32_t rate =
      settings.history_per_minute > 0 ? settings.history_per_minute : exchange->history_per_minute;
  if (rate > 0) context.context_budget = &history_budgets_.try_emplace(pool, rate).first->second;
  if (exchange->history_per_minute > 0 && options_.config.repair) {
    context.history_per_minute = rate;
    if (!options_.config.exchange_clock) context.proofs = &proofs_;
    const std::uint32_t share = options_.config.audit == AuditMode::sample ? sample_share : options_.config.proof_share;
    context.prover.mode = options_.config.audit;
    context.prover.requests_per_minute = std::max(1U, rate * share / 100);
    context.prover.within = options_.config.proof_within;
    context.history_budget = &history_budgets_.try_emplace(pool, rate).first->second;
  }
  auto market = std::make_unique<MarketRunner>(std::move(context), *exchange, settings, wanted);
  closing_time_.add(market->time());
  return markets_.emplace(where, std::move(market)).first->second.get();
}

void Engine::start() {
  running_ = true;
  want(options_.symbols);
  if (options_.config.exchange_clock) return;
  bar_timer_ = around_.clock->timer();
  spawn(around_.executor, watch_bars());
}

// Soon after each bar's end: who was not heard since is asked for a sign of life. When the bar is due: all that had
// arrived is read, and every connection says how far it has brought its instruments. Only then the bar is closed.
asio::awaitable<void> Engine::watch_bars() {
  const Duration interval = options_.config.interval, delay = options_.config.close_delay;
  while (running_) {
    const Timestamp end = bar_start(closing_time_.now(), interval) + interval;
    for (const Timestamp moment : {end + Duration{delay.us / 4}, end + delay}) {
      // The clock may be corrected meanwhile.
      while (running_ && closing_time_.now() < moment && (moment - closing_time_.now()).us <= interval.us + delay.us) {
        const Duration left = std::min(moment - closing_time_.now(), clock_looked_at_every);
        co_await bar_timer_->wait_until(around_.clock->steady() + std::chrono::microseconds(left.us + 1));
      }
      if (!running_) co_return;
      if (moment == end + delay) break;
      for (const auto& [where, market] : markets_) market->nudge(end);
    }
    co_await read_what_arrived();
    if (!running_) co_return;
    const Timestamp now = closing_time_.now();
    for (const auto& [where, market] : markets_) {
      market->watch();
      market->flush_context();
    }
    aggregator_->read_until(now);
  }
}

// A round of reading is as long as a connection may wait for more. One that took much longer was no round: the process
// was stopped meanwhile, and what came since then is in the sockets.
asio::awaitable<void> Engine::read_what_arrived() {
  const auto round = std::chrono::microseconds(options_.config.coalesce.us) + std::chrono::milliseconds(10);
  for (int good = 0, rounds = 0; running_ && good < 2 && rounds < rounds_max; ++rounds) {
    const auto begin = around_.clock->steady();
    co_await bar_timer_->wait_until(begin + round);
    good = around_.clock->steady() - begin < round + std::chrono::milliseconds(300) ? good + 1 : 0;
  }
}

void Engine::want(const SymbolList& symbols) {
  if (!running_) return;
  options_.symbols.groups = symbols.groups;
  const auto history = [&](const std::string& exchange) {
    const auto asked = symbols.history.find(exchange);
    return asked == symbols.history.end() ? Duration{} : asked->second;
  };
  const auto context = [&](const std::string& exchange) {
    const auto asked = symbols.context.find(exchange);
    return asked == symbols.context.end() ? DataKinds{} : asked->second;
  };
  for (const auto& [where, market] : markets_) {
    const auto wanted = symbols.wanted.find(where);
    market->want(wanted == symbols.wanted.end() ? std::vector<std::string>{} : wanted->second, history(where.first),
                 context(where.first));
  }
  for (const auto& [where, wanted] : symbols.wanted) {
    if (markets_.contains(where)) continue;
    MarketRunner* market = make_market(where, wanted, history(where.first), context(where.first));
    if (market == nullptr) continue;
    spawn(around_.executor, market->run());
  }
}

void Engine::stop() {
  running_ = false;
  if (bar_timer_) bar_timer_->cancel();
  for (const auto& [where, market] : markets_) market->watch();
  aggregator_->cut_at(closing_time_.now());
  for (const auto& [where, market] : markets_) market->stop();
}

Health Engine::health() {
  Health h;
  for (const auto& [where, market] : markets_) {
    h.instruments += market->instruments();
    h.instruments += market->unlisted();
    h.live += market->live_instruments();
    h.trades += market->counters().trades;
  }
  const auto now = around_.clock->steady();
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - then_).count();
  if (then_.time_since_epoch().count() != 0 && passed > 0) {
    h.trades_per_second = (h.trades - trades_then_) * 1'000 / static_cast<std::uint64_t>(passed);
  }
  trades_then_ = h.trades;
  then_ = now;
  h.gaps = aggregator_->stats().gaps.load(std::memory_order_relaxed);
  h.backlog_rows = aggregator_->stats().backlog_rows.load(std::memory_order_relaxed);
  h.aggregator_idle = aggregator_->idle();
  health_ = h;
  return h;
}

}  // namespace cvdd
