#include "cvdd/daemon/market_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/base/time_text.hpp"
#include "cvdd/system/spawn.hpp"

namespace cvdd {

namespace {
// An instrument that should have traded so often meanwhile was not silent by chance.
constexpr double improbable_silence = 15;
// A message brings more than one trade, as a rule.
constexpr std::uint64_t trades_a_message = 2;

template <class Names>
std::vector<Url> urls_of(const std::vector<std::string>& configured, const Names& defaults) {
  std::vector<Url> urls;
  const auto add = [&](std::string_view text) {
    Url url;
    if (parse_url(text, url)) urls.push_back(std::move(url));
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
      ws_hosts_(urls_of(config.ws, exchange.ws_hosts)),
      rest_hosts_(urls_of(config.rest, exchange.rest_hosts)),
      hosts_(ws_hosts_.size()),
      time_(std::make_shared<ExchangeTime>(*context_.clock)),
      time_right_at_(time_->now()),
      intake_(exchange, context_.event_time),
      redundancy_(config.redundancy),
      per_connection_(config.instruments_per_connection > 0
                          ? std::min(config.instruments_per_connection, exchange.limits.instruments_per_connection)
                          : exchange.limits.instruments_per_connection),
      tending_(context_.clock->timer()),
      timer_(context_.clock->timer()) {
  if (context_.history_budget != nullptr && !context_.event_time) make_backfill();
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
    const auto active = active_.find(&instrument);
    return active == active_.end() ? records.size() : active->second->inject(records);
  };
  b.on_answer = [this](const Instrument& instrument, Answered answer) { answered(instrument, answer); };
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
    const auto known = known_.find(symbol);
    return known == known_.end() || !active_.contains(known->second) ? nullptr : known->second;
  };
  prover_->on_contradictory = [this] { list_again(); };
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
  for (const auto& session : sessions_) session->stop();
}

asio::awaitable<void> MarketRunner::run() {
  co_await measure_time();
  const std::vector<Instrument> listed = co_await load_instruments();
  if (stopping_) co_return;
  if (backfill_) {
    spawn(context_.executor, backfill_->run());
  }
  if (prover_) {
    spawn(context_.executor, prover_->run());
  }
  if (history_loader_) {
    spawn(context_.executor, history_loader_->run());
  }
  spawn(context_.executor, tend_connections());
  apply(listed);
  co_await follow_listings();
}

void MarketRunner::want(std::vector<std::string> names, Duration history) {
  context_.history = history;
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
  for (const Instrument& found : listed) {
    const auto known = known_.find(found.symbol);
    if (known != known_.end() && known->second->contract_size != found.contract_size)
      change_unit(*known->second, found);
  }
  const bool fresh = &listed != &listed_ && listed_fresh_;
  if (&listed != &listed_) {
    listed_ = listed;
    listed_at_ = time_->now();
  }
  const Selection selection = select_instruments(wanted_, listed_, context_.shard);
  report_unknown(selection.unknown);
  const InstrumentChanges changes = plan_changes(selection, wanted_, listed_, [&] {
    std::vector<std::string> active;
    for (const auto& [instrument, session] : active_) active.push_back(instrument->symbol);
    return active;
  }());
  std::vector<const Instrument*> ending, beginning;
  for (const std::string& symbol : changes.end) ending.push_back(known_.at(symbol));
  for (const Instrument& found : changes.begin) beginning.push_back(adopt(found));
  if (fresh) save_units();
  if (!ending.empty()) end(ending);
  if (!beginning.empty()) begin(beginning);
  if (!ending.empty() || (!beginning.empty() && active_.size() > beginning.size())) {
    spdlog::info("instruments changed market=\"{}\" begun={} ended={} collected={}", name(), beginning.size(),
                 ending.size(), active_.size());
  }
}

// The exchange's figures are not the sums of its own trades: sizes may mean something else by now.
void MarketRunner::list_again() {
  if (context_.clock->steady() < next_relist_) return;
  next_relist_ = context_.clock->steady() + std::chrono::seconds(60);
  relist_ = true;
  timer_->cancel();
}

void MarketRunner::report_unknown(const std::vector<UnknownSymbol>& unknown) {
  unlisted_.clear();
  for (const UnknownSymbol& u : unknown) unlisted_[u.symbol] = u.reason;
  for (const UnknownSymbol& u : unknown) {
    if (!reported_.insert(u.symbol).second) continue;  // read again every few minutes: old news is no news
    unlisted_pause_.reset();
    std::string near;
    for (const std::string& n : u.near) near += (near.empty() ? "" : ", ") + n;
    spdlog::error("symbol left out market=\"{}\" symbol={} reason=\"{}\" near=\"{}\"", name(), u.symbol, u.reason,
                  near);
  }
}

const Instrument* MarketRunner::adopt(const Instrument& found) {
  const auto known = known_.find(found.symbol);
  if (known != known_.end()) {
    intake_.wanted_again(*known->second);
    return known->second;
  }
  Instrument& instrument = instruments_.emplace_back(found);
  instrument.id = context_.next_instrument_id();
  known_.emplace(instrument.symbol, &instrument);
  intake_.add(instrument);
  const auto row = context_.restored->find({instrument.exchange, instrument.market, instrument.symbol});
  const bool restored = row != context_.restored->end();
  if (want_past(instrument, restored ? &row->second : nullptr)) {
    context_.aggregator->add_instrument(instrument, true);
    return &instrument;
  }
  if (restored) {
    if (instrument.ids == Ids::opaque) intake_.resume_blindly(instrument);
    if (const auto id = row->second.resumes_after(instrument)) {
      intake_.resume_after(instrument, exchange_.series_of(stream_), *id, row->second.row.time + context_.interval);
    } else if (instrument.ids == Ids::sequence) {
      intake_.quiet_until(instrument, row->second.row.time + context_.interval);
    }
    note_unit_of_before(instrument, row->second.row.time);
    const auto unit = units_since_.find(instrument.symbol);
    const std::vector<Row>& recent = row->second.recent;
    const bool same_unit = unit == units_since_.end() || recent.empty() || unit->second <= recent.front().time;
    if (same_unit && backfill_ && recent.size() > 1 && row->second.resumes_after(instrument)) {
      fetch_again(instrument, recent);
    }
    if (prover_) {
      prover_->restored(instrument, row->second.recent, unit == units_since_.end() ? Timestamp{} : unit->second,
                        row->second.resumes_after(instrument).has_value());
    }
  }
  context_.aggregator->add_instrument(instrument);
  return &instrument;
}

// A new instrument whose CVD is to begin in the past, or one that nobody listened to for longer than the ledger can
// hold the bars of.
bool MarketRunner::want_past(const Instrument& instrument, const LastKnown* known) {
  if (!history_loader_ || instrument.ids != Ids::sequence) return false;
  const Timestamp now = bar_start(time_->now(), context_.interval);
  if (known == nullptr) {
    if (context_.history.us == 0) return false;
    history_loader_->want({&instrument, bar_start(now - context_.history, context_.interval)});
    return true;
  }
  const Row& row = known->row;
  const bool long_ago = (now - row.time).us / context_.interval.us > static_cast<std::int64_t>(Ledger::absence_max);
  const bool no_ids = !known->resumes_after(instrument).has_value();  // that could tell what is missing
  if (!long_ago && !no_ids) return false;
  const bool cut = row.status == BarStatus::partial || row.status == BarStatus::gap;
  history_loader_->want(
      {&instrument, cut ? row.time : row.time + context_.interval, known->resumes_after(instrument).value_or(0)});
  return true;
}

// Bars that were lacking something when the process ended: their trades, to make them again.
void MarketRunner::fetch_again(const Instrument& instrument, std::span<const Row> rows) {
  for (const RebuildPlan& plan : plan_rebuilds(rows, context_.interval)) {
    if (plan.last < plan.first) continue;
    intake_.expect(instrument, plan.first, plan.last);
    backfill_->hole(instrument, plan.first, plan.last - plan.first + 1, plan.from, true);
  }
}

// How many messages of these an earlier run saw in five quiet seconds, by the last of its whole bars; 0: that is not
// known, or long ago.
std::uint32_t MarketRunner::usual_messages(std::span<const Instrument* const> instruments) const {
  constexpr std::size_t bars = 12;
  constexpr Duration window = seconds(5), fresh = seconds(600);
  std::map<Timestamp, std::uint64_t> trades;
  std::set<Timestamp> lacking;
  for (const Instrument* instrument : instruments) {
    const auto known = context_.restored->find({instrument->exchange, instrument->market, instrument->symbol});
    if (known == context_.restored->end()) continue;
    for (const Row& row : known->second.recent) {
      if (row.time + fresh <= time_->now()) continue;
      trades[row.time] += row.buys + row.sells;
      if (row.status == BarStatus::gap || row.status == BarStatus::partial) lacking.insert(row.time);
    }
  }
  for (const Timestamp time : lacking) trades.erase(time);
  while (trades.size() > bars) trades.erase(trades.begin());
  if (trades.size() < 3) return 0;
  std::vector<std::uint64_t> counts;
  for (const auto& [time, n] : trades) counts.push_back(n);
  std::ranges::sort(counts);
  const std::uint64_t few = counts[counts.size() / 4];
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(
      few * static_cast<std::uint64_t>(window.us) / static_cast<std::uint64_t>(context_.interval.us) / trades_a_message,
      1'000'000));
}

// Connections with room first, then as few new ones as the limit allows, evenly filled.
void MarketRunner::begin(const std::vector<const Instrument*>& instruments) {
  std::span<const Instrument* const> rest(instruments);
  const auto give = [&](Session& session, std::size_t count) {
    for (const Instrument* instrument : rest.first(count)) active_[instrument] = &session;
    for (Session* carrier : {&session, twin_of(session)}) {
      if (carrier == nullptr) continue;
      carrier->add(rest.first(count));
      set_limits(*carrier);
    }
    rest = rest.subspan(count);
  };
  const std::size_t limit = per_connection_;
  for (const auto& session : sessions_) {
    const Session* twin = twin_of(*session);
    const bool moving = renewing(*session) || (twin != nullptr && renewing(*twin));
    if (session->stopping() || is_twin(*session) || moving || session->instruments() >= limit) continue;
    give(*session, std::min(limit - session->instruments(), rest.size()));
  }
  for (const std::size_t size : spread(rest.size(), limit)) {
    Session& session = make_session();
    if (redundancy_ > 1) twins_[&session] = &make_session(session.writer());
    const std::uint32_t usual = usual_messages(rest.first(size));
    give(session, size);
    for (Session* carrier : {&session, twin_of(session)}) {
      if (carrier == nullptr) continue;
      if (usual > 0) carrier->expect_messages(usual);
      start(*carrier);
    }
  }
}

void MarketRunner::end(const std::vector<const Instrument*>& instruments) {
  std::map<Session*, std::vector<const Instrument*>> by_session;
  for (const Instrument* instrument : instruments) {
    const auto active = active_.find(instrument);
    by_session[active->second].push_back(instrument);
    active_.erase(active);
  }
  for (auto& [primary, share] : by_session) {
    for (Session* session : {primary, twin_of(*primary)}) {
      if (session == nullptr) continue;
      for (const Renewal& r : renewals_) {
        if (r.old != session) continue;
        r.next->remove(share);
        if (r.next->instruments() == 0) r.next->stop();  // nothing left to take over
      }
      session->remove(share);
      if (session->instruments() == 0) session->stop();
      set_limits(*session);
    }
  }
}

std::size_t MarketRunner::live_instruments() const {
  return static_cast<std::size_t>(
      std::count_if(active_.begin(), active_.end(), [&](const auto& a) { return intake_.confirmed(*a.first); }));
}

}  // namespace cvdd
