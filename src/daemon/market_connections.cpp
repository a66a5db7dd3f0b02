#include "market_connections.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/system/spawn.hpp"

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
// A connection with fewer instruments than this may rightly be quiet for minutes.
constexpr std::size_t busy_connection = 10;
constexpr Millis thin_silence{300'000};
}  // namespace

MarketConnections::MarketConnections(ConnectionsContext context)
    : context_(std::move(context)),
      pool_(context_.per_connection, context_.redundancy),
      hosts_(context_.hosts.size()) {}

void MarketConnections::stop() {
  for (const auto& [number, session] : sessions_) session->stop();
}

// ---- What the pool says ----

void MarketConnections::perform(const ConnectionPool::Steps& steps) {
  using Kind = ConnectionPool::Step::Kind;
  for (const ConnectionPool::Step& step : steps) {
    if (step.kind == Kind::open) {
      open(step);
      continue;
    }
    Session& session = *sessions_.at(step.connection);
    if (step.kind == Kind::add) session.add(step.instruments);
    if (step.kind == Kind::remove) session.remove(step.instruments);
    if (step.kind == Kind::stop) session.stop();
    set_limits(session);
  }
}

void MarketConnections::open(const ConnectionPool::Step& step) {
  auto writer = step.queue_of == 0 ? make_writer() : sessions_.at(step.queue_of)->writer();
  auto made = make_session(step.connection, std::move(writer));
  Session& session = *(sessions_[step.connection] = std::move(made));
  session.add(step.instruments);
  set_limits(session);
  if (!step.takes_over) {
    const std::uint32_t usual = context_.usual_messages(step.instruments);
    if (usual > 0) session.expect_messages(usual);
  }
  spawn(context_.market->executor, session.run());
}

std::shared_ptr<ChannelWriter> MarketConnections::make_writer() const {
  auto channel = std::make_shared<Channel>(Channel::capacity_default, context_.receipt_to_ledger);
  context_.market->aggregator->add_channel(channel);
  return std::make_shared<ChannelWriter>(std::move(channel));
}

std::unique_ptr<Session> MarketConnections::make_session(std::uint32_t number, std::shared_ptr<ChannelWriter> writer) {
  const MarketContext& market = *context_.market;
  SessionContext context;
  context.make_transport = market.make_transport;
  context.clock = market.clock;
  context.time = context_.time.get();
  context.hosts = &hosts_;
  context.intake = context_.intake;
  context.gate = market.gate;
  context.wakeup = market.wakeup;
  context.writer = std::move(writer);
  context.on_refused = context_.on_refused;
  context.on_list_changed = context_.on_list_changed;
  context.avoid_host = [this, number]() -> std::optional<std::size_t> {
    const std::uint32_t primary = pool_.primary_of(number);
    return primary == 0 ? std::nullopt : std::optional(sessions_.at(primary)->host());
  };
  SessionSettings settings;
  settings.name = context_.name + " #" + std::to_string(number);
  settings.number = number;
  const Duration age = renew_after(market.clock->wall(), context_.exchange->limits.lifetime, market.renew_after,
                                   market.renew_at, number);
  settings.renew_after = Millis(age.us / 1'000);
  settings.hosts = context_.hosts;
  settings.stream = context_.stream;
  settings.seed = std::hash<std::string>{}(settings.name) ^ static_cast<std::uint64_t>(market.clock->wall().us);
  settings.in_flight = market.in_flight;
  return std::make_unique<Session>(std::move(context), std::move(settings));
}

void MarketConnections::set_limits(Session& session) const {
  const Millis usual(context_.exchange->limits.silence.us / 1000);
  session.set_silence(session.instruments() >= busy_connection ? usual : std::max(usual, thin_silence));
}

void MarketConnections::tend() {
  const auto delivers = [&](std::uint32_t number) { return sessions_.at(number)->delivers(); };
  perform(pool_.take_over(delivers, context_.market->clock->steady()));
  forget_ended();
  std::vector<std::uint32_t> due;
  for (const auto& [number, session] : sessions_) {
    if (!session->stopping() && session->wants_renewal()) due.push_back(number);
  }
  for (const std::uint32_t number : due) perform(pool_.renew(number));
}

// A year of renewals must not pile up.
void MarketConnections::forget_ended() {
  std::erase_if(sessions_, [&](const auto& entry) {
    const auto& [number, session] = entry;
    if (!session->ended()) return false;
    backpressure_before_us_ += session->delivery().waited_us();
    queue_max_before_ = std::max(queue_max_before_, session->delivery().queue_max());
    for (std::size_t i = 0; i < ends_before_.size(); ++i) ends_before_[i] += session->counters().ends[i];
    pool_.forget(number);
    silence_.forget(number);
    return true;
  });
}

// ---- What the silence monitor says ----

void MarketConnections::look_for_quiet() {
  if (!context_.ask) return;
  const auto suspicious = [&](std::uint32_t number) { return sessions_.at(number)->suspicious(); };
  const auto quiet = SilenceMonitor::look(carried(), suspicious, *context_.intake, context_.time->now());
  for (const Instrument* instrument : quiet.deaf) answered(*instrument, Answered::deaf);
  for (const Instrument* instrument : quiet.ask) context_.ask(*instrument, false);
}

// A connection that was busy and is silent: ask at once, about the instrument that should have traded most.
void MarketConnections::look_for_lulls() {
  const auto now = context_.market->clock->steady();
  for (const auto& [number, session] : sessions_) {
    if (session->stopping() || session->ended() || !session->lulled() || !context_.ask) {
      silence_.speaks(number);
      continue;
    }
    const auto lull = silence_.lulled(number, now);
    if (lull == SilenceMonitor::Lull::mute) found_mute(*session);
    if (lull != SilenceMonitor::Lull::ask) continue;
    const Instrument* busiest = SilenceMonitor::busiest(session->collected(), *context_.intake, context_.time->now());
    if (busiest != nullptr) context_.ask(*busiest, true);
  }
}

void MarketConnections::found_mute(Session& session) const {
  session.condemn();
  spdlog::warn("trades did not come though the connection is alive: a new one is made market=\"{}\"", context_.name);
}

void MarketConnections::answered(const Instrument& instrument, Answered answer) {
  using Kind = SilenceMonitor::Remedy::Kind;
  if (!carries(instrument)) return;
  const std::uint32_t number = carried().at(&instrument);
  Session& session = of(instrument);
  const auto now = context_.market->clock->steady();
  const bool lulled = session.lulled();
  const auto remedy = silence_.answered(number, answer, instrument.ids, lulled, now);
  if (remedy.kind == Kind::mute) return found_mute(session);
  if (answer == Answered::quiet && !lulled) context_.on_quiet(instrument);
  if (remedy.kind == Kind::vouch) session.vouch();
  if (remedy.kind == Kind::vouch || remedy.kind == Kind::none) return;
  if (remedy.leave_host) hosts_.refused(session.host(), now + SilenceMonitor::stalls_remembered);
  if (remedy.kind == Kind::resubscribe) session.resubscribe(instrument);
  if (remedy.kind == Kind::renew) perform(pool_.renew(number));
  if (remedy.kind == Kind::condemn) session.condemn();
  spdlog::warn("trades did not come though the connection is alive; they are fetched, and {} market=\"{}\" symbol={}",
               remedy.kind == Kind::resubscribe ? "the instrument is subscribed again"
               : !remedy.leave_host             ? "the connection is renewed"
                                                : "another host is tried",
               context_.name, instrument.symbol);
}

// ---- Bars that end, records from elsewhere ----

void MarketConnections::watch() {
  for (const auto& [number, session] : sessions_) {
    if (!session->ended()) session->watch();
  }
}

void MarketConnections::clock_moved(Timestamp was, Timestamp is) {
  for (const auto& [number, session] : sessions_) {
    if (!session->ended()) session->clock_moved(was, is);
  }
}

void MarketConnections::nudge(Timestamp end) {
  for (const auto& [number, session] : sessions_) {
    if (!session->ended()) session->nudge(end);
  }
}

std::size_t MarketConnections::inject(const Instrument& instrument, std::span<const Record> records) {
  return carries(instrument) ? of(instrument).inject(records) : records.size();
}

// ---- How they are ----

bool MarketConnections::refers_to(const Instrument& instrument) const {
  return pool_.refers_to(instrument) ||
         std::ranges::any_of(sessions_, [&](const auto& entry) { return entry.second->refers_to(instrument); });
}

FeedState MarketConnections::feed_state(const Instrument& instrument) const {
  return context_.intake->confirmed(instrument) ? FeedState::live : of(instrument).feed_state(instrument);
}

std::string MarketConnections::last_reason(const Instrument& instrument) const {
  return of(instrument).state().last_reason;
}

void MarketConnections::look(std::vector<ConnectionState>& out) const {
  for (const auto& [number, session] : sessions_) {
    if (!session->ended() && !session->stopping()) out.push_back(session->state());
  }
}

void MarketConnections::look(MarketState& out) const {
  for (const auto& [instrument, number] : carried()) {
    ++out.instruments[static_cast<std::size_t>(feed_state(*instrument))];
  }
  out.ends = ends_before_;
  out.queue_max = queue_max_before_;
  for (const auto& [number, session] : sessions_) {
    for (std::size_t i = 0; i < out.ends.size(); ++i) out.ends[i] += session->counters().ends[i];
    out.queue_max = std::max(out.queue_max, session->delivery().queue_max());
    if (session->ended() || session->stopping()) continue;
    ++out.connections;
    out.queue = std::max(out.queue, session->writer()->channel()->waiting());
  }
  out.ends[static_cast<std::size_t>(EndCause::renewed)] = renewed();
  out.stalls = stalls();
  out.backpressure_us = backpressure_us();
}

std::uint64_t MarketConnections::backpressure_us() const {
  std::uint64_t sum = backpressure_before_us_;
  for (const auto& [number, session] : sessions_) sum += session->delivery().waited_us();
  return sum;
}

}  // namespace cvdd
