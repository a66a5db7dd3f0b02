#include "cvdd/daemon/market_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "context_feed.hpp"
#include "cvdd/system/spawn.hpp"
#include "market_connections.hpp"
#include "market_instruments.hpp"
#include "market_list.hpp"
#include "time_keeper.hpp"

namespace cvdd {

namespace {
// An instrument that should have traded so often meanwhile was not silent by chance.
constexpr double improbable_silence = 15;
constexpr std::chrono::milliseconds tend_every{500};
constexpr std::chrono::seconds look_every{5};
constexpr std::chrono::seconds try_again_every{30};  // what could not be had at the start
constexpr std::chrono::seconds clock_looked_at_every{10};
constexpr Duration clock_step_min = seconds(1);
// A trade shows in the exchange's history this long after it was made.
constexpr Duration quiet_before = seconds(5);

template <class Names>
std::vector<Url> urls_of(const std::vector<std::string>& configured, const Names& defaults, std::string_view header) {
  std::vector<Url> urls;
  const auto add = [&](std::string_view text) {
    Url url;
    if (!parse_url(text, url)) return;
    url.header = header;
    urls.push_back(std::move(url));
  };
  for (const std::string& text : configured) add(text);
  if (urls.empty()) {
    for (const std::string_view text : defaults) add(text);
  }
  return urls;
}
}  // namespace

MarketRunner::MarketRunner(MarketContext context, const Exchange& exchange, const ExchangeConfig& config,
                           std::vector<std::string> wanted)
    : context_(std::move(context)),
      exchange_(exchange),
      wanted_(std::move(wanted)),
      stream_(config.stream == "trade" ? Stream::single : Stream::aggregate),
      rest_hosts_(urls_of(config.rest, exchange.rest_hosts, exchange.header)),
      time_(std::make_shared<ExchangeTime>(*context_.clock)),
      intake_(exchange, context_.event_time),
      tending_(context_.clock->timer()),
      timer_(context_.clock->timer()) {
  if (context_.history_budget != nullptr && !context_.event_time) make_backfill();
  make_parts(config);
}

MarketRunner::~MarketRunner() = default;

// ---- The parts ----

void MarketRunner::make_parts(const ExchangeConfig& config) {
  const auto heeds = [this](const HttpResponse& response, std::string& error) { heed(response, error); };
  const auto moved = [this](const TimeMoved& time) {
    connections_->clock_moved(time.was, time.is);
    instruments_->clock_moved(time.was, time.is, time.since);
  };
  time_keeper_ = std::make_unique<TimeKeeper>(TimeKeeperContext{
      context_.clock, time_, &intake_, context_.gate, rest_hosts_, context_.make_http_get, heeds, name(), moved});
  list_ = std::make_unique<MarketList>(MarketListContext{&context_, &exchange_, rest_hosts_, heeds, name()});
  instruments_ = std::make_unique<MarketInstruments>(MarketInstrumentsContext{
      &context_, &exchange_, stream_, &intake_, time_, backfill_.get(), prover_.get(), history_loader_.get(), name()});
  ConnectionsContext c;
  c.market = &context_;
  c.exchange = &exchange_;
  c.intake = &intake_;
  c.time = time_;
  c.receipt_to_ledger = receipt_to_ledger_;
  ws_hosts_ = c.hosts = urls_of(config.ws, exchange_.ws_hosts, exchange_.header);
  c.stream = stream_;
  c.per_connection = exchange_.limits.instruments_per_connection;
  if (config.instruments_per_connection > 0) {
    c.per_connection = std::min<std::size_t>(c.per_connection, config.instruments_per_connection);
  }
  c.redundancy = config.redundancy;
  c.name = name();
  if (backfill_) c.ask = [this](const Instrument& instrument, bool lull) { backfill_->ask(instrument, lull); };
  c.on_quiet = [this](const Instrument& instrument) {
    if (prover_) prover_->quiet_until(instrument, time_->now() - quiet_before);
  };
  c.on_list_changed = [this] { list_again(); };
  c.on_refused = [this](const Instrument& instrument, const std::string& why) { report_refused(instrument, why); };
  c.usual_messages = [this](std::span<const Instrument* const> some) { return instruments_->usual_messages(some); };
  connections_ = std::make_unique<MarketConnections>(std::move(c));
}

void MarketRunner::make_backfill() {
  HistoryContext b;
  b.clock = context_.clock;
  b.time = time_.get();
  b.gate = context_.gate;
  b.budget = context_.history_budget;
  b.intake = &intake_;
  b.make_http_get = [this] {
    ++rest_requests_;
    return context_.make_http_get();
  };
  b.heed = [this](const HttpResponse& response, std::string& error) { heed(response, error); };
  b.inject = [this](const Instrument& instrument, std::span<const Record> records) {
    return connections_->inject(instrument, records);
  };
  b.on_answer = [this](const Instrument& instrument, Answered answer) { connections_->answered(instrument, answer); };
  b.hosts = rest_hosts_;
  b.name = name();
  b.interval = context_.interval;
  b.give_candles = [this](const Instrument& instrument, std::vector<Candle> candles) {
    context_.aggregator->give_candles(instrument, std::move(candles));
  };
  if (exchange_.has_taker_candles(context_.interval)) history_loader_ = std::make_unique<HistoryLoader>(b);
  if (context_.proofs != nullptr) make_prover(b);
  backfill_ = std::make_unique<Backfill>(std::move(b));
  intake_.on_hole = [this](const Instrument& instrument, std::uint64_t first, std::uint64_t count) {
    backfill_->hole(instrument, first, count);
  };
  // A candle judges whole minutes of bars; of shorter ones it may never.
  const Duration candle = candle_length(exchange_, context_.interval);
  if (exchange_.history != nullptr && exchange_.history->recent != nullptr && candle != context_.interval) {
    intake_.on_silence = [this](const Instrument& instrument, Timestamp from, Timestamp to, double expected) {
      backfill_->ask_about_silence(instrument, from, to, expected >= improbable_silence);
    };
  }
  intake_.on_confirmed = [this](const Instrument& instrument) { backfill_->check(instrument); };
  intake_.on_renumbered = [this](const Instrument& instrument) {
    spdlog::error("the exchange has begun to number trades anew: they count from its first on market=\"{}\" symbol={}",
                  name(), instrument.symbol);
    if (prover_) prover_->renumbered(instrument);
  };
}

void MarketRunner::make_prover(HistoryContext context) {
  ProverSettings settings = context_.prover;
  settings.stream = stream_;
  prover_ = std::make_unique<Prover>(std::move(context), *context_.proofs, settings);
  prover_->find = [this](const std::string& symbol) {
    const Instrument* const known = instruments_->find(symbol);
    return known != nullptr && connections_->carries(*known) ? known : nullptr;
  };
  prover_->on_contradictory = [this] { list_again(); };
  prover_->on_unit_told = [this](const Instrument& instrument) { instruments_->unit_told(instrument); };
  prover_->ask_newest = [this](const Instrument& instrument) { backfill_->ask(instrument); };
  prover_->repairing = [this](const Instrument& instrument) { return backfill_->repairing(instrument); };
}

std::string MarketRunner::name() const {
  return std::string(exchange_.name) + " " + std::string(name_of(exchange_.market));
}

void MarketRunner::stop() {
  stopping_ = true;
  timer_->cancel();
  tending_->cancel();
  if (backfill_) backfill_->stop();
  if (history_loader_) history_loader_->stop();
  if (prover_) prover_->stop();
  time_keeper_->stop();
  list_->stop();
  connections_->stop();
  if (context_feed_) context_feed_->stop();
}

asio::awaitable<void> MarketRunner::run() {
  if (!context_.event_time) co_await time_keeper_->measure();
  instruments_->load(list_->cached());
  const std::vector<Instrument> listed = co_await list_->load(wanted_);
  if (stopping_) co_return;
  if (backfill_) spawn(context_.executor, backfill_->run());
  if (prover_) spawn(context_.executor, prover_->run());
  if (history_loader_) spawn(context_.executor, history_loader_->run());
  spawn(context_.executor, tend_connections());
  apply(listed);
  co_await follow_listings();
}

asio::awaitable<void> MarketRunner::tend_connections() {
  while (!stopping_) {
    co_await tending_->wait_until(context_.clock->steady() + tend_every);
    if (stopping_) co_return;
    connections_->tend();
    if (instruments_->next_turn()) apply(listed_);
    if (!context_.event_time) {
      time_keeper_->weigh();
      connections_->look_for_lulls();
    }
    if (context_.clock->steady() < next_look_) continue;
    next_look_ = context_.clock->steady() + look_every;
    tell_contradictions();
    connections_->look_for_quiet();
    instruments_->forget_ended([this](const Instrument& i) {
      return connections_->refers_to(i) || (context_feed_ && context_feed_->refers_to(i));
    });
  }
}

// ---- Who is collected ----

// Wildcards follow what the exchange lists; what it takes off the list ends.
asio::awaitable<void> MarketRunner::follow_listings() {
  while (!stopping_) {
    const bool settled = list_->fresh() && time_->known();
    const std::chrono::microseconds pause = !settled            ? try_again_every
                                            : unlisted_.empty() ? MarketInstruments::relist_every
                                                                : std::chrono::microseconds(unlisted_pause_.next().us);
    const auto next = context_.clock->steady() + pause;
    const Duration ahead = time_->local_clock_ahead();
    while (!stopping_ && !relist_ && context_.clock->steady() < next) {
      co_await timer_->wait_until(std::min(next, context_.clock->steady() + clock_looked_at_every));
      const Duration moved{time_->local_clock_ahead().us - ahead.us};
      if (moved.us > clock_step_min.us || moved.us < -clock_step_min.us) break;  // it was set, or we were asleep
    }
    if (stopping_) co_return;
    if (!context_.event_time) co_await time_keeper_->measure();
    if (stopping_) co_return;
    if (!std::exchange(relist_, false) && context_.clock->steady() < next) continue;
    if (wanted_.empty()) continue;
    std::vector<Instrument> listed;
    std::string error;
    if (co_await list_->fetch(wanted_, listed_, listed, error)) {
      apply(listed);
    } else if (!stopping_) {
      spdlog::warn("can't read the instruments, going on with those known market=\"{}\" reason=\"{}\"", name(), error);
      apply(listed_);
    }
  }
}

// A refusal that asks something of us.
void MarketRunner::heed(const HttpResponse& response, std::string& error) {
  const auto header = [&](const char* name) {
    const auto found = response.headers.find(name);
    return found == response.headers.end() ? std::string() : found->second;
  };
  const auto wait = parse_retry_after(header("retry-after"), header("date"));
  const Manners manners = manners_of(response.status, wait ? std::optional(seconds(wait->count())) : std::nullopt);
  if (manners.reason.empty()) return;
  ++rest_refusals_[response.status];
  if (manners.stay_away.us > 0) context_.gate->stay_away(undated(*context_.clock) + manners.stay_away);
  error += " (" + std::string(manners.reason) + "; " +
           (manners.stay_away.us > 0 ? "staying away for " + std::to_string(manners.stay_away.us / 1'000'000) + " s"
                                     : std::string(exchange_.region_note)) +
           ")";
}

void MarketRunner::want(std::vector<std::string> names, Duration history, DataKinds context) {
  context_.history = history;
  want_context(context);
  const bool other_lists = exchange_.instruments_targets(wanted_) != exchange_.instruments_targets(names);
  wanted_ = std::move(names);
  reported_.clear();
  if (listed_.empty() || stopping_) return;
  if (wanted_.empty()) return apply(listed_);
  if (other_lists) {
    relist_ = true;  // what is wanted now is on a list that was not asked for
    timer_->cancel();
    return;
  }
  apply(listed_);
  // A name that was not listed may be by now.
  if (!select_instruments(wanted_, listed_, context_.shard).unknown.empty()) list_again();
}

void MarketRunner::apply(const std::vector<Instrument>& listed) {
  const bool fresh = &listed != &listed_ && list_->fresh();
  if (&listed != &listed_) {
    listed_ = listed;
    instruments_->listed(listed_);
  }
  const Selection selection = select_instruments(wanted_, listed_, context_.shard);
  report_unknown(selection.unknown);
  std::vector<std::string> active;
  for (const auto& [instrument, connection] : connections_->carried()) active.push_back(instrument->symbol);
  const InstrumentChanges changes = plan_changes(selection, wanted_, listed_, active);
  std::vector<const Instrument*> ending, beginning;
  for (const std::string& symbol : changes.end) ending.push_back(instruments_->find(symbol));
  for (const Instrument& found : changes.begin) {
    std::string why;
    const Instrument* const adopted = instruments_->adopt(found, context_.history, why);
    if (adopted != nullptr) beginning.push_back(adopted);
    if (adopted == nullptr) unlisted_[found.symbol] = std::move(why);
  }
  if (fresh) instruments_->keep_listed_at();
  if (!ending.empty()) connections_->end(ending);
  if (!ending.empty()) end_context(ending);
  for (const Instrument* instrument : ending) {
    instruments_->ended(*instrument);
    refusals_.erase(instrument->symbol);
  }
  if (!beginning.empty()) connections_->begin(beginning);
  if (!beginning.empty()) begin_context(beginning);
  if (!ending.empty() || (!beginning.empty() && instruments() > beginning.size())) {
    spdlog::info("instruments changed market=\"{}\" begun={} ended={} collected={}", name(), beginning.size(),
                 ending.size(), instruments());
  }
}

// The exchange's figures are not the sums of its own trades: sizes may mean something else by now.
void MarketRunner::list_again() {
  if (context_.clock->steady() < next_relist_) return;
  next_relist_ = context_.clock->steady() + std::chrono::seconds(60);
  relist_ = true;
  timer_->cancel();
}

}  // namespace cvdd
