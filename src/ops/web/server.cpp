// The HTTP server: connections, routes, slices. What is said is made in the other files of this folder.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <set>
#include <stdexcept>

#include "cvdd/core/csv.hpp"
#include "cvdd/ops/commands.hpp"
#include "cvdd/ops/web_server.hpp"
#include "ops/web/assets.hpp"
#include "ops/web/files.hpp"
#include "ops/web/json.hpp"
#include "ops/web/live.hpp"
#include "ops/web/metrics.hpp"
#include "ops/web/query.hpp"
#include "ops/web/stream.hpp"

namespace cvdd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using namespace web;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t connections_max = 128, streams_max = 64, readers_max = 8, slice = 128;
constexpr std::uint32_t header_max = 8 * 1024;
constexpr std::chrono::seconds answer_max{30};
constexpr std::chrono::milliseconds idle_max{60'000};
constexpr std::chrono::milliseconds tick{250}, open_bars_wait{1'500};
constexpr std::chrono::seconds interest{60};
constexpr std::size_t requests_max = 1'000;  // on one connection
constexpr std::size_t not_ready_max = 100, stream_names_max = 200;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

Timestamp wall_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

std::string error_json(std::string_view what) {
  std::string out = R"({"error":)";
  append_text(out, what);
  return out + "}\n";
}
}  // namespace

class WebServer::State : public std::enable_shared_from_this<WebServer::State> {
 public:
  State(const asio::any_io_executor& executor, Engine& engine, Settings settings)
      : executor_(executor),
        engine_(engine),
        settings_(std::move(settings)),
        acceptor_(executor),
        ticker_(executor),
        live_(engine, wall_now()) {
    listen();
    engine_.aggregator().glance().attach();
  }
  void start() {
    spawn(accept());
    spawn(gather());
    spawn(read_the_past());
  }
  void stop() {
    if (std::exchange(stopping_, true)) return;
    error_code ignored;
    acceptor_.close(ignored);
    ticker_.cancel();
    for (beast::tcp_stream* stream : connections_) stream->cancel();
    for (const auto& stream : streams_) stream->drop();
    giving_up_ = true;
  }
  void join() {
    giving_up_ = true;
    readers_.join();
  }
  [[nodiscard]] std::uint16_t port() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

 private:
  void spawn(asio::awaitable<void> what) {
    asio::co_spawn(executor_, std::move(what), [self = shared_from_this()](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
    });
  }
  void listen() {
    std::string host;
    std::uint16_t port = 0;
    if (!split_address(settings_.listen, host, port)) {
      throw std::runtime_error("[http] listen: \"" + settings_.listen + "\" is no address and port");
    }
    error_code error;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    const auto fail = [&] {
      throw std::runtime_error(
          fmt::format("[http] listen: can't listen on {}: {}; choose another address, or \"\" for none",
                      settings_.listen, error.message()));
    };
    if (error) fail();
    const tcp::endpoint endpoint(address, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) fail();
    if (!address.is_loopback()) {
      spdlog::warn("the HTTP server listens beyond loopback listen={} token={}; put a TLS proxy before it",
                   settings_.listen, settings_.token.empty() ? "none: whoever reaches it may read" : "set");
    }
  }

  // ---- Once every quarter of a second ----

  asio::awaitable<void> gather() {
    std::chrono::steady_clock::time_point next_look{};
    while (!stopping_) {
      bool missed = false;
      const auto batches = live_.take_rows(missed);
      if (missed) {
        for (const auto& stream : streams_) stream->drop();  // they come again, and ask for what there is
      }
      for (const Glance::Rows& rows : batches) {
        if (streams_.empty()) break;
        tell_rows(streams_, *rows);
        co_await asio::post(executor_, asio::use_awaitable);
      }
      const auto now = std::chrono::steady_clock::now();
      if (now >= next_look) {
        next_look = now + std::chrono::seconds(1);
        live_.set_health(engine_.last_health());
        live_.look(wall_now());
        if (!streams_.empty()) {
          interested_until_ = now + interest;
          tell_open(streams_, *live_.snapshot(), last_told_);
        }
        if (now < interested_until_) engine_.aggregator().glance().want_open_bars();
        std::erase_if(streams_, [](const auto& s) { return s->gone(); });
      }
      ticker_.expires_after(tick);
      co_await ticker_.async_wait(await_tuple);
    }
  }

  asio::awaitable<void> read_the_past() {
    const Timestamp now = wall_now();
    auto read = [this, now]() -> asio::awaitable<Board> {
      Board board(engine_.config().interval);
      const Duration recent{engine_.config().interval.us * 50};
      read_past(engine_.files(), engine_.config().data_dir, now - seconds(90'000), now, recent, board,
                [this] { return giving_up_.load(); });
      co_return board;
    };
    Board past = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
    live_.set_past(std::move(past));
  }

  // ---- Connections ----

  asio::awaitable<void> accept() {
    while (!stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(await_tuple);
      if (stopping_) co_return;
      if (error) {  // no descriptors left, say: a moment later there may be
        asio::steady_timer pause(executor_, std::chrono::milliseconds(100));
        co_await pause.async_wait(await_tuple);
        continue;
      }
      if (connections_.size() >= connections_max) continue;  // closed: who comes again finds room
      spawn(serve(beast::tcp_stream(std::move(socket))));
    }
  }

  asio::awaitable<void> serve(beast::tcp_stream stream) {
    const auto self = shared_from_this();
    connections_.insert(&stream);
    struct Leave {
      State& state;
      beast::tcp_stream& stream;
      ~Leave() { state.connections_.erase(&stream); }
    };
    const Leave leave{*this, stream};
    beast::flat_buffer buffer(header_max * 2);
    for (std::size_t n = 0; n < requests_max && !stopping_; ++n) {
      http::request_parser<http::empty_body> parser;
      parser.header_limit(header_max);
      parser.body_limit(0);
      stream.expires_after(n == 0 ? settings_.request_max : idle_max);
      const auto [error, got] = co_await http::async_read_header(stream, buffer, parser, await_tuple);
      if (error) {
        if (error == http::error::header_limit || error == http::error::buffer_overflow) {
          co_await refuse(stream, http::status::request_header_fields_too_large, "the header is longer than 8 KiB");
        } else if (error == http::error::body_limit) {
          co_await refuse(stream, http::status::payload_too_large, "requests have no body here");
        } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
                   error != http::error::end_of_stream && error != http::error::partial_message) {
          co_await refuse(stream, http::status::bad_request, "that is no HTTP request");
        }
        co_return;
      }
      const Request& request = parser.get();
      if (request.has_content_length() || parser.chunked()) {
        co_await refuse(stream, http::status::payload_too_large, "requests have no body here");
        co_return;
      }
      if (beast::websocket::is_upgrade(request)) {
        Request upgrade = parser.release();
        co_await begin_stream(stream, std::move(upgrade));
        co_return;
      }
      stream.expires_after(answer_max);
      Response response = co_await answer(request);
      const bool more = request.keep_alive() && !stopping_;
      response.keep_alive(more);
      finish(response, request.method() == http::verb::head);
      http::response_serializer<http::string_body> serializer(response);
      const auto [write_error, written] = request.method() == http::verb::head
                                              ? co_await http::async_write_header(stream, serializer, await_tuple)
                                              : co_await http::async_write(stream, serializer, await_tuple);
      if (write_error || !more) break;
    }
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  asio::awaitable<void> refuse(beast::tcp_stream& stream, http::status status, const char* why) {
    Response response = json(status, error_json(why));
    response.keep_alive(false);
    finish(response, false);
    stream.expires_after(std::chrono::seconds(2));
    co_await http::async_write(stream, response, await_tuple);
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  static void finish(Response& response, bool head) {
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
  static Response text(http::status status, std::string body, const char* type) {
    Response response(status, 11);
    response.set(http::field::content_type, type);
    response.body() = std::move(body);
    return response;
  }
  static Response json(http::status status, std::string body) {
    return text(status, std::move(body), "application/json");
  }

  // ---- Routes ----

  [[nodiscard]] bool allowed(const Request& request, const Target& target) const {
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
      if (one.starts_with("cvdd=") && same_secret(one.substr(5), settings_.token)) return true;
    }
    const auto parameter = target.parameters.find("token");
    return parameter != target.parameters.end() && same_secret(parameter->second, settings_.token);
  }

  asio::awaitable<Response> answer(const Request& request) {
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      Response response = json(http::status::method_not_allowed, error_json("only GET and HEAD are answered here"));
      response.set(http::field::allow, "GET, HEAD");
      co_return response;
    }
    const auto raw = request.target();
    const auto target = parse_target(std::string_view(raw.data(), raw.size()));
    if (!target) co_return json(http::status::bad_request, error_json("the address is not one that is used here"));
    if (target->path == "/healthz") co_return healthz();
    if (!allowed(request, *target)) {
      Response response = json(http::status::unauthorized, error_json("a token is needed: docs/http.md, \"Token\""));
      response.set(http::field::www_authenticate, "Bearer");
      co_return response;
    }
    if (target->path == "/" && target->parameters.contains("token") && !settings_.token.empty()) {
      Response response = text(http::status::see_other, "", "text/plain");
      response.set(http::field::location, "/");
      response.set(http::field::set_cookie,
                   "cvdd=" + settings_.token + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
      co_return response;
    }
    if (target->path == "/readyz")
      co_return readyz(live_.ready() ? http::status::ok : http::status::service_unavailable);
    if (target->path == "/api/v1/health") co_return readyz(http::status::ok);
    if (target->path == "/metrics") co_return metrics();
    if (target->path == "/api/v1/instruments") co_return co_await instruments(*target);
    if (target->path == "/api/v1/bars") co_return co_await bars(*target);
    if (target->path == "/api/v1/connections") co_return connections();
    if (target->path == "/api/v1/stream") {
      Response response = json(http::status::upgrade_required, error_json("this is a WebSocket"));
      response.set(http::field::upgrade, "websocket");
      co_return response;
    }
    co_return asset(request, target->path);
  }

  static Response asset(const Request& request, std::string_view path) {
    if (path == "/") path = "/index.html";
    for (const Asset& a : assets()) {
      if (a.path != path) continue;
      const bool known = request[http::field::if_none_match] == beast::string_view(a.etag.data(), a.etag.size());
      const std::string type = std::string(a.type) + (a.type.starts_with("text/") ? "; charset=utf-8" : "");
      Response response =
          text(known ? http::status::not_modified : http::status::ok, known ? "" : std::string(a.body), type.c_str());
      response.set(http::field::cache_control, "no-cache");
      response.set(http::field::etag, std::string(a.etag));
      return response;
    }
    return json(http::status::not_found, error_json("there is nothing here; the page is at /, the API at /api/v1/"));
  }

  // That the io thread does its rounds shows in its answering.
  Response healthz() const {
    const auto idle = engine_.aggregator().idle();
    Health health;
    health.aggregator_idle = idle;
    if (making_progress(health)) return text(http::status::ok, "ok\n", "text/plain");
    return text(http::status::service_unavailable,
                fmt::format("the aggregator hangs: nothing for {} s\n", idle.count() / 1'000), "text/plain");
  }

  Response readyz(http::status status) const {
    const Snapshot& s = *live_.snapshot();
    const Health& h = live_.health();
    std::string out = fmt::format(R"({{"ready":{},"time":)", live_.ready());
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
      append_moment(out, s.since[i]);
      out += '}';
    }
    return json(status, out + "]}\n");
  }

  Response metrics() {
    MetricsInput input;
    input.engine = &engine_;
    input.board = &live_.board();
    input.health = live_.health();
    input.ready = live_.ready();
    input.silence = live_.silence();
    input.instruments = settings_.instrument_metrics;
    input.streams = streams_.size();
    return text(http::status::ok, metrics_text(input), "text/plain; version=0.0.4; charset=utf-8");
  }

  // Whoever asks first waits until the aggregator has told of its open bars.
  asio::awaitable<void> wait_for_open_bars() {
    const auto now = std::chrono::steady_clock::now();
    const bool fresh = now < interested_until_ && live_.snapshot()->open_bars != nullptr;
    interested_until_ = now + interest;
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

  asio::awaitable<Response> instruments(const Target& target) {
    co_await wait_for_open_bars();
    const auto asked = target.parameters.find("spark");
    const bool spark = asked == target.parameters.end() || asked->second != "0";
    const std::shared_ptr<const Snapshot> s = live_.snapshot();
    std::string out = R"({"time":)";
    append_moment(out, s->time);
    out += fmt::format(R"(,"interval_s":{},"version":"{}","instruments":[)", engine_.config().interval.us / 1'000'000,
                       CVDD_VERSION);
    for (std::size_t i = 0; i < s->states.size(); ++i) {
      const InstrumentState& state = s->states[i];
      if (i > 0) out += ',';
      append_instrument(out, state, s->since[i], s->open_of(state),
                        live_.board().find({{state.exchange, state.market}, state.symbol}), s->time, spark);
      if (i % slice == slice - 1) co_await asio::post(executor_, asio::use_awaitable);
    }
    co_return json(http::status::ok, out + "]}\n");
  }

  Response connections() const {
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
      out += fmt::format(R"(,"connects":{},"failures":{},"messages":{},"last_reason":)", c.connects, c.failures,
                         c.messages);
      append_text(out, c.last_reason);
      out += '}';
    }
    return json(http::status::ok, out + "]}\n");
  }

  asio::awaitable<Response> bars(const Target& target) {
    std::string error;
    auto query = parse_bars_query(target, wall_now() + seconds(1), error);
    if (!query) co_return json(http::status::bad_request, error_json(error));
    if (reading_ >= readers_max) {
      co_return json(http::status::too_many_requests, error_json("too many questions about the files at once"));
    }
    struct Count {
      std::size_t& n;
      explicit Count(std::size_t& c) : n(++c) {}
      ~Count() { --n; }
    };
    const Count count(reading_);
    auto read = [this, q = *query]() -> asio::awaitable<BarsFound> {
      co_return read_bars(engine_.files(), engine_.config().data_dir, q, [this] { return giving_up_.load(); });
    };
    const BarsFound found = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
    if (!found.error.empty()) co_return json(http::status::bad_request, error_json(found.error));
    std::string out;
    if (query->csv) {
      out.append(csv_header()).append("\n");
      for (std::size_t i = 0; i < found.rows.size(); ++i) {
        append_row(out, found.rows[i]);
        if (i % slice == slice - 1) co_await asio::post(executor_, asio::use_awaitable);
      }
      Response response = text(http::status::ok, std::move(out), "text/csv; charset=utf-8");
      if (found.next) response.set("X-Next-From", format_time(*found.next));
      co_return response;
    }
    out = "{";
    append_name(out, query->exchange, found.market, query->symbol);
    const Instrument* instrument = nullptr;
    for (const InstrumentState& s : live_.snapshot()->states) {
      if (s.symbol == query->symbol && s.exchange == query->exchange && s.market == found.market)
        instrument = s.instrument;
    }
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
    co_return json(http::status::ok, std::move(out));
  }

  // ---- Streams ----

  asio::awaitable<void> begin_stream(beast::tcp_stream& stream, Request request) {
    const auto raw = request.target();
    const auto target = parse_target(std::string_view(raw.data(), raw.size()));
    if (!target || target->path != "/api/v1/stream") {
      co_await refuse(stream, http::status::not_found, "the stream is at /api/v1/stream");
      co_return;
    }
    if (!allowed(request, *target)) {
      co_await refuse(stream, http::status::unauthorized, "a token is needed: docs/http.md, \"Token\"");
      co_return;
    }
    std::optional<std::vector<InstrumentName>> names;
    const auto asked = target->parameters.find("instruments");
    if (asked != target->parameters.end()) {
      names = parse_names(asked->second, stream_names_max);
      if (!names || names->empty()) {
        co_await refuse(stream, http::status::bad_request,
                        "instruments: expected up to 200 like exchange:market:symbol, with commas between them");
        co_return;
      }
    }
    if (streams_.size() >= streams_max) {
      co_await refuse(stream, http::status::too_many_requests, "there are 64 streams already");
      co_return;
    }
    const auto made = std::make_shared<StreamClient>(std::move(stream), std::move(names));
    streams_.push_back(made);
    last_told_.clear();  // who is new is told of all
    co_await made->run(std::move(request));
    std::erase(streams_, made);
  }

  asio::any_io_executor executor_;
  Engine& engine_;
  Settings settings_;
  tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  Live live_;
  std::set<beast::tcp_stream*> connections_;
  std::vector<std::shared_ptr<StreamClient>> streams_;
  Told last_told_;
  std::chrono::steady_clock::time_point interested_until_{};
  std::size_t reading_ = 0;
  bool stopping_ = false;
  std::atomic<bool> giving_up_{false};
  asio::thread_pool readers_{1};
};

WebServer::WebServer(boost::asio::any_io_executor executor, Engine& engine, Settings settings)
    : state_(std::make_shared<State>(executor, engine, std::move(settings))) {}
WebServer::~WebServer() {
  state_->stop();
  state_->join();
}
void WebServer::start() { state_->start(); }
void WebServer::stop() { state_->stop(); }
std::uint16_t WebServer::port() const { return state_->port(); }

}  // namespace cvdd
