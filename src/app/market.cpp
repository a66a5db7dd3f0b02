#include "cvdd/app/market.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis rest_timeout{30'000};
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
      intake_(exchange, context_.event_time),
      timer_(context_.clock->timer()) {}

std::string MarketRunner::name() const {
  return std::string(exchange_.name) + " " + std::string(name_of(exchange_.market));
}

void MarketRunner::stop() {
  stopping_ = true;
  timer_->cancel();
  for (const auto& session : sessions_) session->stop();
}

asio::awaitable<void> MarketRunner::run() {
  const std::vector<Instrument> listed = co_await load_instruments();
  if (stopping_) co_return;
  adopt(select_instruments(wanted_, listed));
  make_sessions();
  for (const auto& session : sessions_) {
    asio::co_spawn(context_.executor, session->run(), asio::detached);
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
    const auto http = context_.make_http_get();
    const auto response =
        co_await http->get(host, exchange_.instruments_target, context_.clock->steady() + rest_timeout, instruments_body_max);
    if (stopping_) co_return false;
    if (!response.has_value()) {
      error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
      continue;
    }
    if (response->status != 200) {
      error = host.host + ": HTTP " + std::to_string(response->status) + ": " + response->body.substr(0, 200);
      continue;
    }
    listed.clear();
    if (!exchange_.parse_instruments(response->body, listed, error)) continue;
    if (const int failed = context_.files->replace(cache_file(), response->body); failed != 0) {
      spdlog::warn("can't keep the instrument list for later file={} reason=\"{}\"", cache_file(), std::strerror(failed));
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

void MarketRunner::adopt(const Selection& selection) {
  for (const UnknownSymbol& unknown : selection.unknown) {
    std::string near;
    for (const std::string& n : unknown.near) near += (near.empty() ? "" : ", ") + n;
    spdlog::error("symbol left out market=\"{}\" symbol={} reason=\"{}\" near=\"{}\"", name(), unknown.symbol,
                  unknown.reason, near);
  }
  const Series series = stream_ == Stream::single ? Series::single : Series::aggregate;
  for (const Instrument& found : selection.found) {
    Instrument& instrument = instruments_.emplace_back(found);
    instrument.id = context_.next_instrument_id();
    intake_.add(instrument);
    const auto row = context_.restored->find({instrument.exchange, instrument.market, instrument.symbol});
    if (row != context_.restored->end()) {
      const std::string& id = row->second.last_id;
      if (!id.empty() && id.size() <= 19 && id.find_first_not_of("0123456789") == std::string::npos) {
        intake_.resume_after(instrument, series, std::stoull(id));
      }
    }
    context_.aggregator->add_instrument(instrument);
  }
}

std::vector<std::size_t> MarketRunner::spread(std::size_t instruments, std::size_t per_connection) {
  const std::size_t sessions = (instruments + per_connection - 1) / std::max<std::size_t>(per_connection, 1);
  std::vector<std::size_t> sizes(sessions);
  for (std::size_t i = 0; i < sessions; ++i) sizes[i] = instruments / sessions + (i < instruments % sessions ? 1 : 0);
  return sizes;
}

void MarketRunner::make_sessions() {
  std::size_t next = 0;
  for (const std::size_t size : spread(instruments_.size(), exchange_.limits.instruments_per_connection)) {
    std::vector<const Instrument*> share;
    for (std::size_t i = 0; i < size; ++i) share.push_back(&instruments_[next++]);
    SessionContext context;
    context.make_transport = context_.make_transport;
    context.clock = context_.clock;
    context.intake = &intake_;
    context.attempts = context_.attempts;
    context.channel = std::make_shared<Channel>();
    context.bell = &context_.aggregator->bell();
    context_.aggregator->add_channel(context.channel);
    SessionSettings settings;
    settings.name = name() + " #" + std::to_string(sessions_.size() + 1);
    settings.hosts = ws_hosts_;
    settings.stream = stream_;
    settings.seed = std::hash<std::string>{}(settings.name) ^ static_cast<std::uint64_t>(context_.clock->wall().us);
    settings.in_flight = context_.in_flight;
    settings.limits.silence = settings.limits.first_frame =
        size >= busy_connection ? Millis(exchange_.limits.silence.us / 1000) : thin_silence;
    sessions_.push_back(std::make_unique<Session>(std::move(context), std::move(settings), std::move(share)));
  }
}

std::size_t MarketRunner::live_instruments() const {
  return static_cast<std::size_t>(std::count_if(instruments_.begin(), instruments_.end(),
                                                [&](const Instrument& i) { return intake_.confirmed(i); }));
}

std::uint64_t MarketRunner::backpressure_waits() const {
  std::uint64_t sum = 0;
  for (const auto& session : sessions_) sum += session->counters().backpressure_waits;
  return sum;
}

}  // namespace cvdd
