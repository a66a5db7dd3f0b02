#include "answers.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/version.hpp"
#include "json.hpp"
#include "metrics.hpp"

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t not_ready_max = 100;
constexpr std::chrono::milliseconds open_bars_wait{1'500};
}  // namespace

Timestamp wall_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

Answers::Answers(asio::any_io_executor executor, Engine& engine, Live& live, const WebServer::Settings& settings,
                 asio::thread_pool& readers, Allowance& allowance, const std::atomic<bool>& stopping)
    : executor_(executor),
      engine_(engine),
      live_(live),
      settings_(settings),
      readers_(readers),
      allowance_(allowance),
      stopping_(stopping),
      shared_(executor, allowance, readers),
      read_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<Response> Answers::answer(const Request& request, bool about_us) {
  const auto raw = request.target();
  const auto target = parse_target(std::string_view(raw.data(), raw.size()));
  if (auto refused = refusal(request, target)) co_return std::move(*refused);
  const std::string& path = target->path;
  if (path == "/healthz") co_return healthz();
  if (path == "/readyz" || path == "/api/v1/health") {
    SharedAnswers::Make make = [this](std::string& out, Slices& slices) { return readiness(out, slices); };
    Response response = co_await shared(request, "health", "application/json", make);
    const bool ready = path != "/readyz" || reasons().empty();
    response.result(ready ? http::status::ok : http::status::service_unavailable);
    co_return response;
  }
  if (path == "/metrics") {
    SharedAnswers::Make make = [this](std::string& out, Slices& slices) { return metrics(out, slices); };
    co_return co_await shared(request, "metrics", "text/plain; version=0.0.4; charset=utf-8", make);
  }
  if (about_us) {
    Response response = error_answer(http::status::service_unavailable,
                                     "all places are taken; those that are left are for health and metrics");
    response.set(http::field::retry_after, "1");
    co_return response;
  }
  if (path == "/api/v1/instruments") {
    const auto asked = target->parameters.find("spark");
    const auto known = spark_from(asked == target->parameters.end() ? "base" : asked->second);
    if (!known) co_return error_answer(http::status::bad_request, "spark: expected base, quote or 0");
    const Spark spark = *known;
    const char* const name = spark == Spark::none ? "list" : spark == Spark::quote ? "list quote" : "list base";
    SharedAnswers::Make make = [this, spark](std::string& out, Slices& slices) {
      return instruments(spark, out, slices);
    };
    co_return co_await shared(request, name, "application/json", make);
  }
  if (path == "/api/v1/connections") {
    SharedAnswers::Make make = [this](std::string& out, Slices& slices) { return connections(out, slices); };
    co_return co_await shared(request, "connections", "application/json", make);
  }
  if (path == "/api/v1/bars") co_return co_await bars(request, *target);
  if (path == "/api/v1/session") co_return let_in(request);
  if (path == "/api/v1/stream") {
    Response response = error_answer(http::status::upgrade_required, "this is a WebSocket");
    response.set(http::field::upgrade, "websocket");
    co_return response;
  }
  co_return co_await asset(request, path);
}

asio::awaitable<Response> Answers::shared(const Request& request, const char* name, const char* type,
                                          const SharedAnswers::Make& make) {
  bool packed = takes_gzip(request);
  Body body = co_await shared_.get(name, make, packed);
  Response response = answer_with(http::status::ok, std::move(body), type);
  response.set(http::field::vary, "Accept-Encoding");
  if (packed) response.set(http::field::content_encoding, "gzip");
  co_return response;
}

std::vector<std::string> Answers::reasons() const {
  std::vector<std::string> out = live_.reasons(wall_now());
  if (settings_.trouble) {
    if (std::string trouble = settings_.trouble(); !trouble.empty()) out.push_back(std::move(trouble));
  }
  return out;
}

// That the io thread does its rounds shows in its answering.
Response Answers::healthz() const {
  const auto idle = engine_.aggregator().idle();
  Health health;
  health.aggregator_idle = idle;
  if (making_progress(health)) return text_answer(http::status::ok, "ok\n", "text/plain");
  return text_answer(http::status::service_unavailable,
                     fmt::format("the aggregator hangs: nothing for {} s\n", idle.count() / 1'000), "text/plain");
}

asio::awaitable<void> Answers::readiness(std::string& out, Slices& slices) {
  const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
  const Snapshot& s = *snapshot;
  const Health& h = live_.health();
  const std::vector<std::string> reasons = this->reasons();
  out += fmt::format(R"({{"ready":{},"reasons":[)", reasons.empty());
  for (const std::string& reason : reasons) {
    if (out.back() != '[') out += ',';
    append_text(out, reason);
  }
  out += R"(],"time":)";
  append_moment(out, s.time);
  out += fmt::format(R"(,"instruments":{{"wanted":{},"live":{}}},"gaps":{},"trades_per_second":{},)"
                     R"("disk":{{"writable":{},"backlog_rows":{},"refused_rows":{}}},"not_ready":[)",
                     s.states.size(), s.live, h.gaps, h.trades_per_second, live_.disk_good(), h.backlog_rows,
                     engine_.aggregator().stats().refused_rows.load());
  std::size_t n = 0;
  for (std::size_t i = 0; i < s.states.size() && n < not_ready_max; ++i) {
    const InstrumentState& state = s.states[i];
    if (state.state == FeedState::live) continue;
    out += n++ > 0 ? ",{" : "{";
    append_name(out, state.exchange, state.market, state.symbol);
    out += fmt::format(R"(,"state":"{}","reason":)", name_of(state.state));
    append_text(out, printable(state.reason, reason_max));
    out += R"(,"since":)";
    append_moment(out, s.not_live[i]);
    out += '}';
  }
  out += "]}\n";
  co_await slices.turn();
}

asio::awaitable<void> Answers::metrics(std::string& out, Slices& slices) {
  MetricsInput input;
  input.engine = &engine_;
  input.board = &live_.board();
  input.health = live_.health();
  input.ready = reasons().empty();
  input.snapshot = live_.snapshot();
  if (settings_.instrument_metrics) live_.show_interest(std::chrono::steady_clock::now());
  input.silence = live_.silence();
  input.instruments = settings_.instrument_metrics;
  input.streams = streams ? streams() : 0;
  out += metrics_text(input);
  if (!input.instruments) co_return;
  constexpr std::size_t piece = 64;
  for (const InstrumentSeries& series : instrument_series()) {
    append_series_head(out, series);
    for (std::size_t from = 0; from < input.snapshot->states.size(); from += piece) {
      append_series(out, series, *input.snapshot, from, from + piece);
      co_await slices.turn();
    }
  }
}

asio::awaitable<void> Answers::wait_for_open_bars() {
  const auto now = std::chrono::steady_clock::now();
  const bool fresh = live_.snapshot()->open_bars != nullptr && now - live_.open_bars_at() < std::chrono::seconds(3);
  live_.show_interest(now);
  if (fresh) co_return;
  RowFeed& row_feed = engine_.aggregator().row_feed();
  const RowFeed::OpenBars old = row_feed.open_bars();
  row_feed.want_open_bars();
  asio::steady_timer pause(executor_);
  while (row_feed.open_bars() == old && !stopping_ && std::chrono::steady_clock::now() < now + open_bars_wait) {
    pause.expires_after(std::chrono::milliseconds(20));
    co_await pause.async_wait(await_tuple);
  }
  live_.look(wall_now());
}

asio::awaitable<void> Answers::instruments(Spark spark, std::string& out, Slices& slices) {
  co_await wait_for_open_bars();
  const std::shared_ptr<const Snapshot> s = live_.snapshot();
  out += R"({"time":)";
  append_moment(out, s->time);
  out += fmt::format(R"(,"interval_s":{},"version":"{}","instruments":[)", engine_.config().interval.us / 1'000'000,
                     version());
  for (std::size_t i = 0; i < s->states.size(); ++i) {
    const InstrumentState& state = s->states[i];
    if (i > 0) out += ',';
    append_instrument(out, state, s->since[i], s->open_of(state),
                      live_.board().find({{state.exchange, state.market}, state.symbol}), s->time,
                      engine_.config().interval, spark);
    co_await slices.turn();
  }
  out += R"(],"groups":[)";
  (void)groups_.define(engine_.groups());
  for (const std::string& name : groups_.names()) {
    if (out.back() != '[') out += ',';
    (void)groups_.append(out, name, *s, live_.board(), spark);
    co_await slices.turn();
  }
  out += "]}\n";
}

asio::awaitable<void> Answers::connections(std::string& out, Slices& slices) {
  std::vector<ConnectionState> all;
  for (const auto& [where, market] : engine_.markets()) market->look(all);
  const auto now = std::chrono::steady_clock::now();
  const Timestamp wall = wall_now();
  const auto moment = [&](std::chrono::steady_clock::time_point t) {
    if (t.time_since_epoch().count() == 0) return Timestamp{};
    return wall - Duration{std::chrono::duration_cast<std::chrono::microseconds>(now - t).count()};
  };
  out += R"({"connections":[)";
  for (const ConnectionState& c : all) {
    out += out.back() == '[' ? "{\"name\":" : ",{\"name\":";
    append_text(out, c.name);
    out += R"(,"exchange":)";
    append_text(out, c.exchange);
    out += fmt::format(R"(,"market":"{}","host":)", name_of(c.market));
    append_text(out, c.host);
    out += fmt::format(R"(,"state":"{}","instruments":{},"since":)", c.state, c.instruments);
    append_moment(out, moment(c.since));
    out += R"(,"last_message":)";
    append_moment(out, moment(c.last_message));
    out +=
        fmt::format(R"(,"connects":{},"failures":{},"messages":{},"last_reason":)", c.connects, c.failures, c.messages);
    append_text(out, printable(c.last_reason, reason_max));
    out += '}';
    co_await slices.turn();
  }
  out += "]}\n";
}

}  // namespace cvdd::web
