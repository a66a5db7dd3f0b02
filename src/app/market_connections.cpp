// A market's connections: how many, who takes which instruments, and how one takes over from another.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "cvdd/app/market.hpp"

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis tend_every{500};
constexpr std::chrono::seconds overlap{2};  // both connections deliver for so long
// A connection with fewer instruments than this may rightly be quiet for minutes.
constexpr std::size_t busy_connection = 10;
constexpr Millis thin_silence{300'000};
}  // namespace

std::vector<std::size_t> MarketRunner::spread(std::size_t instruments, std::size_t per_connection) {
  const std::size_t sessions = (instruments + per_connection - 1) / std::max<std::size_t>(per_connection, 1);
  std::vector<std::size_t> sizes(sessions);
  for (std::size_t i = 0; i < sessions; ++i) sizes[i] = instruments / sessions + (i < instruments % sessions ? 1 : 0);
  return sizes;
}

// Make before break: the next connection delivers, then the old one is closed. Both feed the same sequencer, and the
// first copy of a trade counts, so nobody sees it.
asio::awaitable<void> MarketRunner::tend_connections() {
  while (!stopping_) {
    co_await tending_->wait_until(context_.clock->steady() + tend_every);
    if (stopping_) co_return;
    take_over();
    std::vector<Session*> due;
    for (const auto& session : sessions_) {
      const bool renewing = std::any_of(renewals_.begin(), renewals_.end(), [&](const Renewal& r) {
        return r.old == session.get() || r.next == session.get();
      });
      if (!session->stopping() && !renewing && session->wants_renewal()) due.push_back(session.get());
    }
    for (Session* session : due) renew(*session);
  }
}

void MarketRunner::renew(Session& old) {
  Session& next = make_session(old.channel());
  const std::vector<const Instrument*> instruments = old.collected();
  next.add(instruments);
  set_limits(next);
  renewals_.push_back({&old, &next});
  asio::co_spawn(context_.executor, next.run(), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
}

void MarketRunner::take_over() {
  const auto now = context_.clock->steady();
  for (Renewal& r : renewals_) {
    if (!r.next->delivers()) {
      r.delivers_since = {};
    } else if (r.delivers_since.time_since_epoch().count() == 0) {
      r.delivers_since = now;
    }
    if (r.delivers_since.time_since_epoch().count() == 0 || now - r.delivers_since < overlap) continue;
    for (auto& [instrument, session] : active_) {
      if (session == r.old) session = r.next;
    }
    r.old->stop();
    ++renewed_;
    r.old = nullptr;
  }
  std::erase_if(renewals_, [](const Renewal& r) { return r.old == nullptr || r.next->stopping(); });
  // A year of renewals must not pile up: a connection that has ended for good is forgotten.
  std::erase_if(sessions_, [](const auto& session) { return session->ended(); });
}

Session& MarketRunner::make_session(std::shared_ptr<Channel> channel) {
  SessionContext context;
  context.make_transport = context_.make_transport;
  context.clock = context_.clock;
  context.time = time_.get();
  context.hosts = &hosts_;
  context.intake = &intake_;
  context.gate = context_.gate;
  context.bell = &context_.aggregator->bell();
  context.channel = channel ? std::move(channel) : std::make_shared<Channel>();
  if (context.channel.use_count() == 1) context_.aggregator->add_channel(context.channel);
  context.on_refused = [this](const Instrument& instrument, const std::string& why) {
    if (!reported_.insert(instrument.symbol).second) return;
    spdlog::error("symbol refused by the exchange, tried again every ten minutes market=\"{}\" symbol={} reason=\"{}\"",
                  name(), instrument.symbol, why);
  };
  SessionSettings settings;
  settings.name = name() + " #" + std::to_string(++session_number_);
  const Duration age = context_.renew_after.count() > 0 ? milliseconds(context_.renew_after.count())
                                                        : Duration{exchange_.limits.lifetime.us / 100 * 97};
  // Not all at once: up to a twentieth earlier.
  if (age.us > 0) {
    settings.renew_after =
        Millis(age.us / 1'000 - age.us / 20'000 * static_cast<std::int64_t>(session_number_ % 10) / 10);
  }
  settings.hosts = ws_hosts_;
  settings.stream = stream_;
  settings.seed = std::hash<std::string>{}(settings.name) ^ static_cast<std::uint64_t>(context_.clock->wall().us);
  settings.in_flight = context_.in_flight;
  sessions_.push_back(std::make_unique<Session>(std::move(context), std::move(settings)));
  return *sessions_.back();
}

void MarketRunner::set_limits(Session& session) const {
  const Millis usual(exchange_.limits.silence.us / 1000);
  session.set_silence(session.instruments() >= busy_connection ? usual : std::max(usual, thin_silence));
}

std::uint64_t MarketRunner::backpressure_waits() const {
  std::uint64_t sum = 0;
  for (const auto& session : sessions_) sum += session->counters().backpressure_waits;
  return sum;
}

}  // namespace cvdd
