// A market's connections: how many, who takes which instruments, and how one takes over from another.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/daemon/market_runner.hpp"
#include "cvdd/system/spawn.hpp"

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis tend_every{500};
constexpr std::chrono::seconds look_every{5}, tell_every{60};
constexpr std::chrono::seconds stalls_remembered{600};
constexpr std::chrono::seconds lull_ask_every{2};
constexpr std::chrono::seconds overlap{2};  // both connections deliver for so long
// A connection with fewer instruments than this may rightly be quiet for minutes.
constexpr std::size_t busy_connection = 10;
constexpr Millis thin_silence{300'000};
constexpr Duration owed_max = seconds(5);
// A trade shows in the exchange's history this long after it was made.
constexpr Duration quiet_before = seconds(5);
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
      if (!session->stopping() && !renewing(*session) && session->wants_renewal()) due.push_back(session.get());
    }
    for (Session* session : due) renew(*session);
    if (!context_.event_time) weigh_time();
    if (!context_.event_time) look_for_lulls();
    if (context_.clock->steady() >= next_look_) {
      tell_contradictions();
      if (backfill_) look_for_quiet();
    }
  }
}

bool MarketRunner::renewing(const Session& session) const {
  return std::any_of(renewals_.begin(), renewals_.end(),
                     [&](const Renewal& r) { return r.old == &session || r.next == &session; });
}

// One line when it begins, and one a minute while it goes on: their bars are gaps, and somebody should know why.
void MarketRunner::tell_contradictions() {
  next_look_ = context_.clock->steady() + look_every;
  const std::uint64_t count = intake_.counters().contradictions;
  if (count == contradictions_told_ || context_.clock->steady() < next_tell_) return;
  std::string kinds;
  for (std::size_t kind = 0; kind < intake_.counters().refused.size(); ++kind) {
    const std::uint64_t refused = intake_.counters().refused[kind];
    if (refused > 0) kinds += " " + std::string(name_of(static_cast<Refusal>(kind))) + "=" + std::to_string(refused);
  }
  spdlog::error("trades came that can't be counted, their bars are gaps market=\"{}\" trades={} refused=\"{}\"", name(),
                count - contradictions_told_, kinds.empty() ? "none" : kinds.substr(1));
  contradictions_told_ = count;
  next_tell_ = context_.clock->steady() + tell_every;
}

// The one instrument that is most overdue, and one of each connection that would soon count as mute: what is the newest
// trade there is? Asked within the budget of history, of which it never takes much.
void MarketRunner::look_for_quiet() {
  const Timestamp now = time_->now();
  const Instrument* most = nullptr;
  double overdue = 1;
  std::vector<const Instrument*> owing;  // the exchange tells of their trades, and their feed does not bring them
  std::map<const Session*, const Instrument*> suspects;  // by connection, the one that should have traded most
  for (const auto& [instrument, session] : active_) {
    if (!intake_.confirmed(*instrument)) continue;
    const TradeRate& pace = intake_.pace(*instrument);
    if (pace.overdue(now) > overdue) {
      overdue = pace.overdue(now);
      most = instrument;
    }
    if (const auto since = intake_.owed_since(*instrument); since && *since + owed_max < now)
      owing.push_back(instrument);
    if (!session->suspicious()) continue;
    const Instrument*& suspect = suspects[session];
    const bool known = instrument->ids == Ids::opaque || intake_.last_id(*instrument).has_value();
    if (known && (suspect == nullptr || pace.expected(now) > intake_.pace(*suspect).expected(now)))
      suspect = instrument;
  }
  for (const Instrument* instrument : owing) {
    intake_.owes_nothing(*instrument);
    answered(*instrument, Answered::deaf);
  }
  if (most != nullptr) {
    intake_.pace(*most).asked();
    backfill_->ask(*most);
  }
  for (const auto& [session, suspect] : suspects) {
    if (suspect != nullptr && suspect != most) backfill_->ask(*suspect);
  }
}

// A connection that was busy and is silent: ask at once, about the instrument that should have traded most. What
// history has and the connection still does not bring proves that it is mute.
void MarketRunner::look_for_lulls() {
  const auto now = context_.clock->steady();
  for (const auto& session : sessions_) {
    if (session->stopping() || session->ended() || !session->lulled() || !backfill_) {
      lulls_.erase(session.get());
      continue;
    }
    SilenceAsked& lull = lulls_[session.get()];
    if (lull.owed && now >= *lull.owed + lull_ask_every) {
      found_mute(*session);
      continue;
    }
    if (now < lull.next) continue;
    lull.next = now + lull_ask_every;
    const Timestamp time = time_->now();
    const Instrument* busiest = nullptr;
    for (const Instrument* instrument : session->collected()) {
      if (!intake_.confirmed(*instrument)) continue;
      if (busiest == nullptr || intake_.pace(*instrument).expected(time) > intake_.pace(*busiest).expected(time)) {
        busiest = instrument;
      }
    }
    if (busiest != nullptr) backfill_->ask(*busiest, true);
  }
  std::erase_if(lulls_, [&](const auto& lull) {
    return std::none_of(sessions_.begin(), sessions_.end(), [&](const auto& s) { return s.get() == lull.first; });
  });
}

void MarketRunner::found_mute(Session& session) {
  ++stalls_;
  lulls_.erase(&session);
  session.condemn();
  spdlog::warn("trades did not come though the connection is alive: a new one is made market=\"{}\"", name());
}

// Deaf: first the instrument is subscribed again, then the connection is renewed, then another host is tried.
void MarketRunner::answered(const Instrument& instrument, Answered answer) {
  const auto active = active_.find(&instrument);
  if (active == active_.end()) return;
  Session& session = *active->second;
  if (session.lulled()) {  // it is about all of it
    SilenceAsked& lull = lulls_[&session];
    if (answer == Answered::deaf) return found_mute(session);
    if (answer == Answered::late && !lull.owed) lull.owed = context_.clock->steady();
    if (!lull.owed) session.vouch();
    return;
  }
  if (answer != Answered::deaf) {
    if (answer == Answered::quiet && prover_) prover_->quiet_until(instrument, time_->now() - quiet_before);
    return session.vouch();
  }
  ++stalls_;
  const auto now = context_.clock->steady();
  auto& times = stalled_[&session];
  while (!times.empty() && times.front() + stalls_remembered < now) times.pop_front();
  times.push_back(now);
  const std::size_t step = times.size();
  if (step == 1) {
    session.resubscribe(instrument);
  } else {
    if (step > 2) hosts_.refused(session.host(), now + stalls_remembered);
    // Where ids have no order a hole must not be hidden by a connection that takes over.
    if (instrument.ids == Ids::opaque) {
      session.condemn();
    } else if (!renewing(session)) {
      renew(session);
    }
  }
  spdlog::warn("trades did not come though the connection is alive; they are fetched, and {} market=\"{}\" symbol={}",
               step == 1   ? "the instrument is subscribed again"
               : step == 2 ? "the connection is renewed"
                           : "another host is tried",
               name(), instrument.symbol);
}

void MarketRunner::renew(Session& old) {
  Session& next = make_session(old.writer());
  const std::vector<const Instrument*> instruments = old.collected();
  next.add(instruments);
  set_limits(next);
  renewals_.push_back({&old, &next});
  start(next);
}

void MarketRunner::watch() {
  for (const auto& session : sessions_) {
    if (!session->ended()) session->watch();
  }
}

void MarketRunner::nudge(Timestamp end) {
  for (const auto& session : sessions_) {
    if (!session->ended()) session->nudge(end);
  }
}

Session& MarketRunner::start(Session& session) {
  spawn(context_.executor, session.run());
  return session;
}

Session* MarketRunner::twin_of(const Session& session) const {
  for (const auto& [primary, twin] : twins_) {
    if (primary == &session) return twin;
  }
  return nullptr;
}

bool MarketRunner::is_twin(const Session& session) const {
  return std::any_of(twins_.begin(), twins_.end(), [&](const auto& pair) { return pair.second == &session; });
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
    if (const auto pair = twins_.extract(r.old)) twins_[r.next] = pair.mapped();
    for (auto& [primary, twin] : twins_) {
      if (twin == r.old) twin = r.next;
    }
    r.old->stop();
    ++renewed_;
    r.old = nullptr;
  }
  std::erase_if(renewals_, [](const Renewal& r) { return r.old == nullptr || r.next->stopping(); });
  // A year of renewals must not pile up: a connection that has ended for good is forgotten.
  std::erase_if(stalled_, [&](const auto& stall) {
    return std::none_of(sessions_.begin(), sessions_.end(),
                        [&](const auto& s) { return s.get() == stall.first && !s->ended(); });
  });
  std::erase_if(twins_, [](const auto& pair) { return pair.first->ended(); });
  std::erase_if(sessions_, [&](const auto& session) {
    if (session->ended()) {
      backpressure_before_us_ += session->counters().backpressure_us;
      queue_max_before_ = std::max(queue_max_before_, session->counters().queue_max);
      for (std::size_t i = 0; i < ends_before_.size(); ++i) ends_before_[i] += session->counters().ends[i];
    }
    return session->ended();
  });
}

Session& MarketRunner::make_session(std::shared_ptr<ChannelWriter> writer) {
  SessionContext context;
  context.make_transport = context_.make_transport;
  context.clock = context_.clock;
  context.time = time_.get();
  context.hosts = &hosts_;
  context.intake = &intake_;
  context.gate = context_.gate;
  context.wakeup = context_.wakeup;
  if (!writer) {
    writer = std::make_shared<ChannelWriter>(std::make_shared<Channel>(Channel::capacity_default, receipt_to_ledger_));
    context_.aggregator->add_channel(writer->channel());
  }
  context.writer = std::move(writer);
  context.on_refused = [this](const Instrument& instrument, const std::string& why) {
    refusals_[instrument.symbol] = why;
    if (!reported_.insert(instrument.symbol).second) return;
    spdlog::error("symbol refused by the exchange, tried again every ten minutes market=\"{}\" symbol={} reason=\"{}\"",
                  name(), instrument.symbol, why);
  };
  SessionSettings settings;
  settings.name = name() + " #" + std::to_string(++session_number_);
  settings.number = static_cast<std::uint32_t>(session_number_);
  const Duration age = renew_after(context_.clock->wall(), exchange_.limits.lifetime, context_.renew_after,
                                   context_.renew_at, session_number_);
  settings.renew_after = Millis(age.us / 1'000);
  settings.hosts = ws_hosts_;
  settings.stream = stream_;
  settings.seed = std::hash<std::string>{}(settings.name) ^ static_cast<std::uint64_t>(context_.clock->wall().us);
  settings.in_flight = context_.in_flight;
  sessions_.push_back(std::make_unique<Session>(std::move(context), std::move(settings)));
  Session& made = *sessions_.back();
  made.avoid_host_of([this, &made]() -> std::optional<std::size_t> {
    for (const auto& [primary, twin] : twins_) {
      if (twin == &made) return primary->host();
    }
    return std::nullopt;
  });
  return made;
}

void MarketRunner::set_limits(Session& session) const {
  const Millis usual(exchange_.limits.silence.us / 1000);
  session.set_silence(session.instruments() >= busy_connection ? usual : std::max(usual, thin_silence));
}

std::uint64_t MarketRunner::backpressure_us() const {
  std::uint64_t sum = backpressure_before_us_;
  for (const auto& session : sessions_) sum += session->counters().backpressure_us;
  return sum;
}

}  // namespace cvdd
