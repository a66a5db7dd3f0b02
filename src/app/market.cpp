#include "cvdd/app/market.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstring>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis rest_timeout{30'000};
constexpr std::chrono::minutes relist_every{10};
constexpr Millis tend_every{500};
constexpr std::chrono::seconds overlap{2};           // both connections deliver for so long
constexpr std::chrono::seconds try_again_every{30};  // what could not be had at the start
constexpr std::chrono::seconds clock_looked_at_every{10};
constexpr Duration clock_step_min = seconds(1);
constexpr std::size_t time_samples = 3;
constexpr std::chrono::seconds time_timeout{5};
constexpr std::size_t time_body_max = 64 * 1024;
constexpr std::size_t instruments_body_max = std::size_t{64} << 20;
// A connection with fewer instruments than this may rightly be quiet for minutes.
constexpr std::size_t busy_connection = 10;
constexpr Millis thin_silence{300'000};

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
      intake_(exchange, context_.event_time),
      tending_(context_.clock->timer()),
      timer_(context_.clock->timer()) {
  if (context_.history_budget != nullptr && !context_.event_time) make_backfill();
}

void MarketRunner::make_backfill() {
  BackfillContext b;
  b.clock = context_.clock;
  b.time = time_.get();
  b.gate = context_.gate;
  b.budget = context_.history_budget;
  b.intake = &intake_;
  b.make_http_get = context_.make_http_get;
  b.heed = [this](const HttpResponse& response, std::string& error) { heed(response, error); };
  b.inject = [this](const Instrument& instrument, std::span<const Record> records) {
    const auto active = active_.find(&instrument);
    return active == active_.end() ? records.size() : active->second->inject(records);
  };
  b.hosts = rest_hosts_;
  b.name = name();
  backfill_ = std::make_unique<Backfill>(std::move(b));
  intake_.on_hole = [this](const Instrument& instrument, std::uint64_t first, std::uint64_t count) {
    backfill_->hole(instrument, first, count);
  };
  intake_.on_confirmed = [this](const Instrument& instrument) { backfill_->check(instrument); };
}

std::string MarketRunner::name() const {
  return std::string(exchange_.name) + " " + std::string(name_of(exchange_.market));
}

void MarketRunner::stop() {
  stopping_ = true;
  timer_->cancel();
  tending_->cancel();
  if (backfill_) backfill_->stop();
  for (const auto& session : sessions_) session->stop();
}

asio::awaitable<void> MarketRunner::run() {
  co_await measure_time();
  const std::vector<Instrument> listed = co_await load_instruments();
  if (stopping_) co_return;
  if (backfill_) {
    asio::co_spawn(context_.executor, backfill_->run(), [](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
    });
  }
  asio::co_spawn(context_.executor, tend_connections(), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
  apply(listed);
  co_await follow_listings();
}

// Wildcards follow what the exchange lists; what it takes off the list ends.
asio::awaitable<void> MarketRunner::follow_listings() {
  while (!stopping_) {
    const bool settled = listed_fresh_ && (time_->known() || exchange_.time_target.empty());
    const auto next = context_.clock->steady() + (settled ? relist_every : try_again_every);
    const Duration ahead = time_->local_clock_ahead();
    while (!stopping_ && context_.clock->steady() < next) {
      co_await timer_->wait_until(std::min(next, context_.clock->steady() + clock_looked_at_every));
      const Duration moved{time_->local_clock_ahead().us - ahead.us};
      if (moved.us > clock_step_min.us || moved.us < -clock_step_min.us) break;  // it was set, or we were asleep
    }
    if (stopping_) co_return;
    co_await measure_time();
    if (stopping_) co_return;
    if (context_.clock->steady() < next) continue;
    std::vector<Instrument> listed;
    std::string error;
    if (co_await fetch_instruments(listed, error)) {
      apply(listed);
    } else if (!stopping_) {
      spdlog::warn("can't read the instruments, going on with those known market=\"{}\" reason=\"{}\"", name(), error);
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
  if (manners.stay_away.us > 0) context_.gate->stay_away(time_->now() + manners.stay_away);
  error += " (" + std::string(manners.reason) + "; " +
           (manners.stay_away.us > 0 ? "staying away for " + std::to_string(manners.stay_away.us / 1'000'000) + " s"
                                     : std::string(exchange_.region_note)) +
           ")";
}

asio::awaitable<void> MarketRunner::measure_time() {
  if (exchange_.time_target.empty() || context_.event_time) co_return;
  if (context_.gate->blocked(time_->now()).us > 0) co_return;
  std::vector<TimeSample> samples;
  for (std::size_t i = 0; i < time_samples && !stopping_; ++i) {
    const Url& host = rest_hosts_[i % rest_hosts_.size()];
    const auto http = context_.make_http_get();
    TimeSample sample;
    sample.asked = context_.clock->steady();
    const auto response = co_await http->get(host, exchange_.time_target, sample.asked + time_timeout, time_body_max);
    sample.answered = context_.clock->steady();
    std::string refused;
    if (response.has_value() && response->status != 200) {
      heed(*response, refused);
      if (context_.gate->blocked(time_->now()).us > 0) co_return;
    }
    if (response.has_value() && response->status == 200 && exchange_.parse_time(response->body, sample.server)) {
      samples.push_back(sample);
    }
  }
  const auto anchor = judge_time(samples);
  if (!anchor) co_return;  // the last one holds
  time_->measured(*anchor);
  report_time();
}

// One line when the local clock is found wrong, one when it is right again.
void MarketRunner::report_time() {
  const Duration ahead = time_->local_clock_ahead();
  const bool wrong = ahead.us > clock_step_min.us || ahead.us < -clock_step_min.us;
  if (wrong == clock_reported_) return;
  clock_reported_ = wrong;
  if (wrong) {
    spdlog::error("the local clock is wrong, bars follow the exchange's: set the clock (NTP) market=\"{}\" ahead_ms={}",
                  name(), ahead.us / 1000);
  } else {
    spdlog::info("the local clock agrees with the exchange again market=\"{}\" ahead_ms={}", name(), ahead.us / 1000);
  }
}

void MarketRunner::want(std::vector<std::string> names) {
  wanted_ = std::move(names);
  reported_.clear();
  if (!listed_.empty() && !stopping_) apply(listed_);
}

void MarketRunner::apply(const std::vector<Instrument>& listed) {
  if (&listed != &listed_) listed_ = listed;
  const Selection selection = select_instruments(wanted_, listed_);
  report_unknown(selection.unknown);
  const InstrumentChanges changes = plan_changes(selection, wanted_, listed_, [&] {
    std::vector<std::string> active;
    for (const auto& [instrument, session] : active_) active.push_back(instrument->symbol);
    return active;
  }());
  std::vector<const Instrument*> ending, beginning;
  for (const std::string& symbol : changes.end) ending.push_back(known_.at(symbol));
  for (const Instrument& found : changes.begin) beginning.push_back(adopt(found));
  if (!ending.empty()) end(ending);
  if (!beginning.empty()) begin(beginning);
  if (!ending.empty() || (!beginning.empty() && active_.size() > beginning.size())) {
    spdlog::info("instruments changed market=\"{}\" begun={} ended={} collected={}", name(), beginning.size(),
                 ending.size(), active_.size());
  }
}

void MarketRunner::report_unknown(const std::vector<UnknownSymbol>& unknown) {
  for (const UnknownSymbol& u : unknown) {
    if (!reported_.insert(u.symbol).second) continue;  // read again every few minutes: old news is no news
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
  const Series series = stream_ == Stream::single ? Series::single : Series::aggregate;
  const auto row = context_.restored->find({instrument.exchange, instrument.market, instrument.symbol});
  if (row != context_.restored->end()) {
    const std::string& id = row->second.last_id;
    if (!id.empty() && id.size() <= 19 && id.find_first_not_of("0123456789") == std::string::npos) {
      intake_.resume_after(instrument, series, std::stoull(id));
    }
  }
  context_.aggregator->add_instrument(instrument);
  return &instrument;
}

// Connections with room first, then as few new ones as the limit allows, evenly filled.
void MarketRunner::begin(const std::vector<const Instrument*>& instruments) {
  std::span<const Instrument* const> rest(instruments);
  const auto give = [&](Session& session, std::size_t count) {
    for (const Instrument* instrument : rest.first(count)) active_[instrument] = &session;
    session.add(rest.first(count));
    rest = rest.subspan(count);
    set_limits(session);
  };
  const std::size_t limit = exchange_.limits.instruments_per_connection;
  for (const auto& session : sessions_) {
    const bool renewing = std::any_of(renewals_.begin(), renewals_.end(), [&](const Renewal& r) {
      return r.old == session.get() || r.next == session.get();
    });
    if (session->stopping() || renewing || session->instruments() >= limit) continue;
    give(*session, std::min(limit - session->instruments(), rest.size()));
  }
  for (const std::size_t size : spread(rest.size(), limit)) {
    Session& session = make_session();
    give(session, size);
    asio::co_spawn(context_.executor, session.run(), [](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
    });
  }
}

void MarketRunner::end(const std::vector<const Instrument*>& instruments) {
  std::map<Session*, std::vector<const Instrument*>> by_session;
  for (const Instrument* instrument : instruments) {
    const auto active = active_.find(instrument);
    by_session[active->second].push_back(instrument);
    active_.erase(active);
  }
  for (auto& [session, share] : by_session) {
    for (const Renewal& r : renewals_) {
      if (r.old == session) r.next->remove(share);
    }
    session->remove(share);
    if (session->instruments() == 0) session->stop();
    set_limits(*session);
  }
}

// The exchange's answer, or the last good one from disk while it can't be had.
asio::awaitable<std::vector<Instrument>> MarketRunner::load_instruments() {
  std::vector<Instrument> listed;
  Backoff backoff(seconds(1), seconds(60), std::hash<std::string>{}(name()));
  std::string last_error;
  while (!stopping_) {
    std::string error;
    if (co_await fetch_instruments(listed, error)) {
      spdlog::info("instruments read market=\"{}\" listed={}", name(), listed.size());
      co_return listed;
    }
    if (stopping_) break;
    if (cached_instruments(listed)) {
      spdlog::warn("can't read the instruments, using the last good list market=\"{}\" file={} reason=\"{}\"", name(),
                   cache_file(), error);
      co_return listed;
    }
    if (error != last_error) {
      spdlog::warn("can't read the instruments, trying again market=\"{}\" reason=\"{}\"", name(), error);
      last_error = error;
    }
    co_await timer_->wait_until(context_.clock->steady() + std::chrono::microseconds(backoff.next().us));
  }
  co_return listed;
}

asio::awaitable<bool> MarketRunner::fetch_instruments(std::vector<Instrument>& listed, std::string& error) {
  for (const Url& host : rest_hosts_) {
    if (const Duration wait = context_.gate->blocked(time_->now()); wait.us > 0) {
      error = "asked to stay away for " + std::to_string(wait.us / 1'000'000) + " s more";
      co_return false;
    }
    const auto http = context_.make_http_get();
    const auto response = co_await http->get(host, exchange_.instruments_target,
                                             context_.clock->steady() + rest_timeout, instruments_body_max);
    if (stopping_) co_return false;
    if (!response.has_value()) {
      error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
      continue;
    }
    if (response->status != 200) {
      error = host.host + ": HTTP " + std::to_string(response->status) + ": " + response->body.substr(0, 200);
      heed(*response, error);
      continue;
    }
    listed.clear();
    if (!exchange_.parse_instruments(response->body, listed, error)) continue;
    listed_fresh_ = true;
    if (const int failed = context_.files->replace(cache_file(), response->body); failed != 0) {
      spdlog::warn("can't keep the instrument list for later file={} reason=\"{}\"", cache_file(),
                   std::strerror(failed));
    }
    co_return true;
  }
  co_return false;
}

bool MarketRunner::cached_instruments(std::vector<Instrument>& listed) {
  std::string body, error;
  if (context_.files->read(cache_file(), 0, instruments_body_max, body) != 0) return false;
  listed.clear();
  return exchange_.parse_instruments(body, listed, error);
}

std::string MarketRunner::cache_file() const {
  return context_.cache_dir + "/instruments-" + std::string(exchange_.name) + "-" +
         std::string(name_of(exchange_.market)) + ".json";
}

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
  SessionSettings settings;
  settings.name = name() + " #" + std::to_string(++session_number_);
  const Duration age = context_.renew_after.count() > 0 ? milliseconds(context_.renew_after.count())
                                                        : Duration{exchange_.limits.lifetime.us / 100 * 97};
  // Not all at once: up to a twentieth earlier.
  settings.renew_after =
      Millis(age.us / 1'000 - age.us / 20'000 * static_cast<std::int64_t>(session_number_ % 10) / 10);
  settings.hosts = ws_hosts_;
  settings.stream = stream_;
  settings.seed = std::hash<std::string>{}(settings.name) ^ static_cast<std::uint64_t>(context_.clock->wall().us);
  settings.in_flight = context_.in_flight;
  sessions_.push_back(std::make_unique<Session>(std::move(context), std::move(settings)));
  return *sessions_.back();
}

void MarketRunner::set_limits(Session& session) const {
  session.set_silence(session.instruments() >= busy_connection ? Millis(exchange_.limits.silence.us / 1000)
                                                               : thin_silence);
}

std::size_t MarketRunner::live_instruments() const {
  return static_cast<std::size_t>(
      std::count_if(active_.begin(), active_.end(), [&](const auto& a) { return intake_.confirmed(*a.first); }));
}

std::uint64_t MarketRunner::backpressure_waits() const {
  std::uint64_t sum = 0;
  for (const auto& session : sessions_) sum += session->counters().backpressure_waits;
  return sum;
}

}  // namespace cvdd
