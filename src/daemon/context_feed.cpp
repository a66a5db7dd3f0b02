#include "context_feed.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/system/spawn.hpp"

namespace cvdd {

namespace {
constexpr std::size_t refusals_told_max = 20;
}  // namespace

ContextFeed::ContextFeed(ContextFeedContext context)
    : context_(std::move(context)),
      ring_(std::make_shared<ContextRing>()),
      intake_(context_.market->interval, ring_),
      hosts_(context_.ws_hosts.size()) {
  context_.market->aggregator->add_context_ring(ring_);
}

std::map<std::string, ContextFeed::Channels> ContextFeed::channels_of(DataKinds kinds) const {
  std::map<std::string, Channels> out;
  for (const DataKind kind : context_kinds) {
    const DataChannel* const channel = kinds.has(kind) ? context_.exchange->channel(kind, context_.stream) : nullptr;
    if (channel == nullptr) continue;
    Channels& there = out[channel->poll != nullptr ? std::string() : std::string(channel->ws_target)];
    if (std::ranges::find(there, channel) == there.end()) there.push_back(channel);
  }
  return out;
}

void ContextFeed::begin(std::span<const Instrument* const> instruments, DataKinds kinds) {
  const DataKinds had = kinds.common(context_.exchange->beside_trades());
  if (had.empty()) return;
  const auto channels = channels_of(had);
  for (const Instrument* instrument : instruments) {
    kept_[instrument] = had;
    intake_.add(*instrument, had);
    context_.market->aggregator->add_context(*instrument, {had, context_.exchange->liquidations});
    for (const auto& [target, of] : channels) {
      Channels streamed;
      for (const DataChannel* channel : of) {
        if (channel->poll != nullptr) {
          poller_of(*channel).add(*instrument);
        } else {
          streamed.push_back(channel);
        }
      }
      if (!streamed.empty()) session_with_room(target, streamed.size()).add(*instrument, streamed);
    }
  }
}

void ContextFeed::end(std::span<const Instrument* const> instruments) {
  for (const Instrument* instrument : instruments) {
    if (kept_.erase(instrument) == 0) continue;
    for (const auto& [target, sessions] : sessions_) {
      for (const auto& session : sessions) {
        if (session->carries(*instrument)) session->remove(*instrument);
      }
    }
    for (const auto& [channel, poller] : pollers_) poller->remove(*instrument);
    intake_.remove(*instrument, context_.time->now());
  }
}

void ContextFeed::stop() {
  for (const auto& [target, sessions] : sessions_) {
    for (const auto& session : sessions) session->stop();
  }
  for (const auto& [channel, poller] : pollers_) poller->stop();
  intake_.flush(context_.time->now() + context_.market->interval);  // what the open bar has
}

bool ContextFeed::refers_to(const Instrument& instrument) const {
  return kept_.contains(&instrument) ||
         std::ranges::any_of(pollers_, [&](const auto& entry) { return entry.second->refers_to(instrument); }) ||
         std::ranges::any_of(sessions_, [&](const auto& entry) {
           return std::ranges::any_of(entry.second, [&](const auto& s) { return s->refers_to(instrument); });
         });
}

// As many channels on a connection as the exchange allows streams of trades.
ContextSession& ContextFeed::session_with_room(const std::string& target, std::size_t channels) {
  auto& sessions = sessions_[target];
  const std::size_t most = context_.exchange->limits.instruments_per_connection;
  const auto roomy = std::ranges::find_if(
      sessions, [&](const auto& session) { return session->subscriptions() + channels <= std::max(most, channels); });
  if (roomy != sessions.end()) return **roomy;
  sessions.push_back(make_session(target));
  spawn(context_.market->executor, sessions.back()->run());
  return *sessions.back();
}

std::unique_ptr<ContextSession> ContextFeed::make_session(const std::string& target) {
  const MarketContext& market = *context_.market;
  ContextSessionContext context;
  context.connection.make_transport = market.make_context_transport;
  context.connection.clock = market.clock;
  context.connection.hosts = &hosts_;
  context.connection.gate = market.gate;
  context.connection.exchange = context_.exchange;
  context.connection.stream = context_.stream;
  context.connection.ws_target = target;
  context.connection.urls = context_.ws_hosts;
  context.connection.name = context_.name + " context #" + std::to_string(++made_);
  context.time = context_.time.get();
  context.intake = &intake_;
  context.on_refused = [this](const Subscription& what, const std::string& why) { report_refused(what, why); };
  context.seed =
      std::hash<std::string>{}(context.connection.name) ^ static_cast<std::uint64_t>(market.clock->wall().us);
  return std::make_unique<ContextSession>(std::move(context));
}

ContextPoller& ContextFeed::poller_of(const DataChannel& channel) {
  auto& poller = pollers_[&channel];
  if (poller) return *poller;
  const MarketContext& market = *context_.market;
  ContextPollerContext context{market.clock,  context_.time.get(),   &intake_,
                               market.gate,   market.context_budget, market.make_context_http_get,
                               context_.heed, context_.rest_hosts,   context_.name};
  poller = std::make_unique<ContextPoller>(std::move(context), channel);
  spawn(market.executor, poller->run());
  return *poller;
}

void ContextFeed::report_refused(const Subscription& what, const std::string& why) {
  if (++refusals_told_ > refusals_told_max) return;
  spdlog::error("{} refused by the exchange, tried again every ten minutes market=\"{}\" symbol={} reason=\"{}\"",
                what.channel->name, context_.name, what.instrument->symbol, why);
}

}  // namespace cvdd
