#include "ops/web/answers.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "cvdd/core/csv.hpp"
#include "ops/web/files.hpp"
#include "ops/web/json.hpp"
#include "ops/web/metrics.hpp"

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t readers_max = 8, slice = 128, not_ready_max = 100;
constexpr std::chrono::milliseconds open_bars_wait{1'500};
}  // namespace

Timestamp wall_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

Response text_answer(http::status status, std::string body, const char* type) {
  Response response(status, 11);
  response.set(http::field::content_type, type);
  response.body() = std::move(body);
  return response;
}

Response json_answer(http::status status, std::string body) {
  return text_answer(status, std::move(body), "application/json");
}

Response error_answer(http::status status, std::string_view what) {
  std::string out = R"({"error":)";
  append_text(out, what);
  return json_answer(status, out + "}\n");
}

void complete(Response& response, bool head) {
  response.set(http::field::server, std::string("cvdd/") + CVDD_VERSION);
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
               "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  if (response.find(http::field::cache_control) == response.end()) {
    response.set(http::field::cache_control, "no-store");
  }
  response.prepare_payload();
  if (head) {
    const auto size = response.body().size();
    response.body().clear();
    response.content_length(size);
  }
}

Answers::Answers(asio::any_io_executor executor, Engine& engine, Live& live, const WebServer::Settings& settings,
                 asio::thread_pool& readers, const std::atomic<bool>& stopping)
    : executor_(std::move(executor)),
      engine_(engine),
      live_(live),
      settings_(settings),
      session_(session_of(settings.token)),
      readers_(readers),
      stopping_(stopping) {}

bool Answers::meant(const Request& request) const {
  const auto host = request[http::field::host];
  return !settings_.token.empty() || host.empty() ||
         host_allowed(std::string_view(host.data(), host.size()), settings_.hosts);
}

bool Answers::allowed(const Request& request) const {
  if (settings_.token.empty()) return true;
  const auto given = [&](http::field name) {
    const auto value = request[name];
    return std::string_view(value.data(), value.size());
  };
  const std::string_view authorization = given(http::field::authorization);
  if (authorization.starts_with("Bearer ") && same_secret(authorization.substr(7), settings_.token)) return true;
  for (std::string_view rest = given(http::field::cookie); !rest.empty();) {
    std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with("cvdd=") && same_secret(one.substr(5), session_)) return true;
  }
  return false;
}

asio::awaitable<Response> Answers::answer(const Request& request) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = error_answer(http::status::method_not_allowed, "only GET and HEAD are answered here");
    response.set(http::field::allow, "GET, HEAD");
    co_return response;
  }
  const auto raw = request.target();
  const auto target = parse_target(std::string_view(raw.data(), raw.size()));
  if (!target) co_return error_answer(http::status::bad_request, "the address is not one that is used here");
  if (target->path == "/healthz") co_return healthz();
  if (!meant(request)) {
    co_return error_answer(http::status::misdirected_request,
                           "this name is not one of this server's: use its address, or name it in [http] hosts");
  }
  if (target->path == "/" && target->parameters.contains("token") && !settings_.token.empty()) {
    co_return let_in(target->parameters.at("token"));
  }
  const bool data = target->path == "/readyz" || target->path == "/metrics" || target->path.starts_with("/api/");
  if (data && !allowed(request)) {
    Response response = error_answer(http::status::unauthorized, "a token is needed: \"Authorization: Bearer TOKEN\"");
    response.set(http::field::www_authenticate, "Bearer");
    co_return response;
  }
  if (target->path == "/readyz") {
    const bool ready = live_.reasons(wall_now()).empty();
    co_return readyz(ready ? http::status::ok : http::status::service_unavailable);
  }
  if (target->path == "/api/v1/health") co_return readyz(http::status::ok);
  if (target->path == "/metrics") co_return metrics();
  if (target->path == "/api/v1/instruments") co_return co_await instruments(*target);
  if (target->path == "/api/v1/bars") co_return co_await bars(*target);
  if (target->path == "/api/v1/connections") co_return connections();
  if (target->path == "/api/v1/stream") {
    Response response = error_answer(http::status::upgrade_required, "this is a WebSocket");
    response.set(http::field::upgrade, "websocket");
    co_return response;
  }
  co_return asset(request, target->path);
}

// The token is asked for once, and kept by the browser in another form.
Response Answers::let_in(const std::string& token) const {
  const bool good = same_secret(token, settings_.token);
  Response response = text_answer(http::status::see_other, "", "text/plain");
  response.set(http::field::location, good ? "/" : "/?wrong");
  if (good) {
    response.set(http::field::set_cookie, "cvdd=" + session_ + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
  }
  return response;
}

Response Answers::asset(const Request& request, std::string_view path) {
  if (path == "/") path = "/index.html";
  for (const Asset& a : assets()) {
    if (a.path != path) continue;
    const bool known = request[http::field::if_none_match] == beast::string_view(a.etag.data(), a.etag.size());
    const std::string type = std::string(a.type) + (a.type.starts_with("text/") ? "; charset=utf-8" : "");
    Response response = text_answer(known ? http::status::not_modified : http::status::ok,
                                    known ? "" : std::string(a.body), type.c_str());
    response.set(http::field::cache_control, "no-cache");
    response.set(http::field::etag, std::string(a.etag));
    return response;
  }
  return error_answer(http::status::not_found, "there is nothing here; the page is at /, the API at /api/v1/");
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

Response Answers::readyz(http::status status) const {
  const Snapshot& s = *live_.snapshot();
  const Health& h = live_.health();
  const std::vector<std::string> reasons = live_.reasons(wall_now());
  std::string out = fmt::format(R"({{"ready":{},"reasons":[)", reasons.empty());
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
    append_text(out, state.reason);
    out += R"(,"since":)";
    append_moment(out, s.not_live[i]);
    out += '}';
  }
  return json_answer(status, out + "]}\n");
}

Response Answers::metrics() {
  MetricsInput input;
  input.engine = &engine_;
  input.board = &live_.board();
  input.health = live_.health();
  input.ready = live_.reasons(wall_now()).empty();
  input.snapshot = live_.snapshot();
  if (settings_.instrument_metrics) live_.show_interest(std::chrono::steady_clock::now());
  input.silence = live_.silence();
  input.instruments = settings_.instrument_metrics;
  input.streams = streams ? streams() : 0;
  return text_answer(http::status::ok, metrics_text(input), "text/plain; version=0.0.4; charset=utf-8");
}

// Whoever asks first waits until the aggregator has told of its open bars.
asio::awaitable<void> Answers::wait_for_open_bars() {
  const auto now = std::chrono::steady_clock::now();
  const bool fresh = live_.snapshot()->open_bars != nullptr && now - live_.open_bars_at() < std::chrono::seconds(3);
  live_.show_interest(now);
  if (fresh) co_return;
  Glance& glance = engine_.aggregator().glance();
  const Glance::OpenBars old = glance.open_bars();
  glance.want_open_bars();
  asio::steady_timer pause(executor_);
  while (glance.open_bars() == old && !stopping_ && std::chrono::steady_clock::now() < now + open_bars_wait) {
    pause.expires_after(std::chrono::milliseconds(20));
    co_await pause.async_wait(await_tuple);
  }
  live_.look(wall_now());
}

asio::awaitable<Response> Answers::instruments(const Target& target) {
  co_await wait_for_open_bars();
  const auto asked = target.parameters.find("spark");
  const std::string wanted = asked == target.parameters.end() ? "base" : asked->second;
  const Spark spark = wanted == "0" ? Spark::none : wanted == "quote" ? Spark::quote : Spark::base;
  const std::shared_ptr<const Snapshot> s = live_.snapshot();
  std::string out = R"({"time":)";
  append_moment(out, s->time);
  out += fmt::format(R"(,"interval_s":{},"version":"{}","instruments":[)", engine_.config().interval.us / 1'000'000,
                     CVDD_VERSION);
  for (std::size_t i = 0; i < s->states.size(); ++i) {
    const InstrumentState& state = s->states[i];
    if (i > 0) out += ',';
    append_instrument(out, state, s->since[i], s->open_of(state),
                      live_.board().find({{state.exchange, state.market}, state.symbol}), s->time,
                      engine_.config().interval, spark);
    if (i % slice == slice - 1) co_await asio::post(executor_, asio::use_awaitable);
  }
  co_return json_answer(http::status::ok, out + "]}\n");
}

Response Answers::connections() const {
  std::vector<ConnectionState> all;
  for (const auto& [where, market] : engine_.markets()) market->look(all);
  const auto now = std::chrono::steady_clock::now();
  const Timestamp wall = wall_now();
  const auto moment = [&](std::chrono::steady_clock::time_point t) {
    if (t.time_since_epoch().count() == 0) return Timestamp{};
    return wall - Duration{std::chrono::duration_cast<std::chrono::microseconds>(now - t).count()};
  };
  std::string out = R"({"connections":[)";
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
    append_text(out, c.last_reason);
    out += '}';
  }
  return json_answer(http::status::ok, out + "]}\n");
}

asio::awaitable<Response> Answers::bars(const Target& target) {
  std::string error;
  auto query = parse_bars_query(target, wall_now() + seconds(1), error);
  if (!query) co_return error_answer(http::status::bad_request, error);
  if (reading_ >= readers_max) {
    co_return error_answer(http::status::too_many_requests, "too many questions about the files at once");
  }
  if (query->csv && downloading_ > 0) {
    co_return error_answer(http::status::too_many_requests, "a download is being made, and one at a time is enough");
  }
  struct Count {
    std::size_t& n;
    explicit Count(std::size_t& c) : n(++c) {}
    ~Count() { --n; }
  };
  const Count count(reading_);
  std::size_t charts = 0;
  const Count downloads(query->csv ? downloading_ : charts);
  auto read = [this, q = *query]() -> asio::awaitable<BarsFound> {
    // Who wants a file waits for it; a page asks again from where it was told to.
    const std::chrono::seconds time_max(q.csv ? 60 : 3);
    co_return read_bars(engine_.files(), engine_.config().data_dir, q, time_max, [this] { return stopping_.load(); });
  };
  const BarsFound found = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
  if (!found.error.empty()) {
    co_return error_answer(found.many_markets ? http::status::bad_request : http::status::service_unavailable,
                           found.error);
  }
  Market market = found.market;
  std::string out;
  if (query->csv) {
    out.append(csv_header()).append("\n");
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      append_row(out, found.rows[i]);
      if (i % slice == slice - 1) co_await asio::post(executor_, asio::use_awaitable);
    }
    Response response = text_answer(http::status::ok, std::move(out), "text/csv; charset=utf-8");
    if (found.next) response.set("X-Next-From", format_time(*found.next));
    co_return response;
  }
  out = "{";
  // Without a row the market is known only if somebody collects it.
  const Instrument* instrument = nullptr;
  for (const InstrumentState& s : live_.snapshot()->states) {
    if (s.symbol != query->symbol || s.exchange != query->exchange) continue;
    if (!query->market && found.rows.empty()) market = s.market;
    if (s.market == market) instrument = s.instrument;
  }
  append_name(out, query->exchange, market, query->symbol);
  out += R"(,"base":)";
  append_text(out, instrument != nullptr ? instrument->base : "");
  out += R"(,"quote":)";
  append_text(out, instrument != nullptr ? instrument->quote : "");
  out += fmt::format(R"(,"interval_s":{},"columns":{},"bars":[)", engine_.config().interval.us / 1'000'000,
                     short_columns());
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    if (i > 0) out += ',';
    append_row_json(out, found.rows[i], true);
    if (i % slice == slice - 1) co_await asio::post(executor_, asio::use_awaitable);
  }
  out += found.next ? fmt::format("],\"next\":\"{}\"}}\n", format_time(*found.next)) : "],\"next\":null}\n";
  co_return json_answer(http::status::ok, std::move(out));
}

}  // namespace cvdd::web
