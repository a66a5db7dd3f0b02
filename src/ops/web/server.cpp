// The HTTP server: connections and streams. What is said is made in the other files of this folder.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
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
#include <cstring>
#include <set>
#include <stdexcept>

#include "cvdd/ops/commands.hpp"
#include "cvdd/ops/web_server.hpp"
#include "ops/web/answers.hpp"
#include "ops/web/files.hpp"
#include "ops/web/live.hpp"
#include "ops/web/query.hpp"
#include "ops/web/stream.hpp"

namespace cvdd {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using namespace web;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t connections_max = 128, streams_max = 64;
constexpr std::uint32_t header_max = 8 * 1024;
constexpr std::chrono::seconds answer_max{30};
constexpr std::chrono::milliseconds idle_max{60'000};
constexpr std::chrono::milliseconds tick{250};
constexpr std::size_t requests_max = 1'000;  // on one connection
constexpr std::size_t stream_names_max = 200, at_once = 500;
// Bars that ended earlier come from candles, a month at a time: who wants them asks.
constexpr Duration told_back_to = seconds(86'400);
constexpr std::size_t answer_bytes_max = std::size_t{128} << 20;  // of all that are being sent

}  // namespace

class WebServer::State : public std::enable_shared_from_this<WebServer::State> {
 public:
  State(const asio::any_io_executor& executor, Engine& engine, Settings settings)
      : executor_(executor),
        engine_(engine),
        settings_(std::move(settings)),
        acceptor_(executor),
        ticker_(executor),
        live_(engine, wall_now()),
        answers_(executor, engine, live_, settings_, readers_, giving_up_) {
    answers_.streams = [this] { return streams_.size(); };
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
    // Whatever goes wrong here: collecting goes on.
    asio::co_spawn(executor_, std::move(what), [self = shared_from_this()](const std::exception_ptr& e) {
      if (!e) return;
      try {
        std::rethrow_exception(e);
      } catch (const std::exception& error) {
        spdlog::error("the HTTP server has lost a task reason=\"{}\"", error.what());
      }
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
        const Timestamp oldest = wall_now() - told_back_to - engine_.config().interval - engine_.config().interval;
        for (std::size_t from = 0; from < rows->size(); from += at_once) {
          const std::size_t to = std::min(rows->size(), from + at_once);
          live_.add(rows, from, to);
          // Rows of one batch are in the order of their bars.
          const auto piece = std::span<const Row>(*rows).subspan(from, to - from);
          const auto recent = std::ranges::partition_point(piece, [&](const Row& row) { return row.time < oldest; });
          tell_rows(streams_, {recent, piece.end()});
          co_await asio::post(executor_, asio::use_awaitable);
        }
      }
      const auto now = std::chrono::steady_clock::now();
      if (now >= next_look) {
        next_look = now + std::chrono::seconds(1);
        live_.set_health(engine_.last_health(), wall_now());
        live_.look(wall_now());
        if (!streams_.empty()) {
          live_.show_interest(now);
          co_await tell_of_open_bars();
        } else {
          last_told_ = {};
        }
        if (live_.interested(now)) engine_.aggregator().glance().want_open_bars();
        std::erase_if(streams_, [](const auto& s) { return s->gone(); });
      }
      ticker_.expires_after(tick);
      co_await ticker_.async_wait(await_tuple);
    }
  }

  // Piece by piece, from one snapshot. Who comes meanwhile is told the next time.
  asio::awaitable<void> tell_of_open_bars() {
    const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
    Streams old, fresh;
    for (const auto& stream : streams_) (std::exchange(stream->fresh, false) ? fresh : old).push_back(stream);
    for (std::size_t from = 0; from < snapshot->states.size() && !stopping_; from += at_once) {
      const std::size_t to = std::min(snapshot->states.size(), from + at_once);
      tell_open(old, fresh, *snapshot, from, to, last_told_);
      co_await asio::post(executor_, asio::use_awaitable);
    }
  }

  asio::awaitable<void> read_the_past() {
    const Timestamp now = wall_now();
    auto read = [this, now]() -> asio::awaitable<Board> {
      Board board(engine_.config().interval);
      const Duration recent{engine_.config().interval.us * 50};
      const int error = read_past(engine_.files(), engine_.config().data_dir, now - seconds(90'000), now, recent, board,
                                  [this] { return giving_up_.load(); });
      if (error != 0) {
        spdlog::warn("the page's list begins without its past: the files can't be read reason=\"{}\"",
                     std::strerror(error));
      }
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
      if (n > 0 && buffer.size() == 0) {
        stream.expires_after(idle_max);
        const auto room = buffer.prepare(4'096);
        const auto [failed, some] = co_await stream.async_read_some(room, await_tuple);
        if (failed) co_return;
        buffer.commit(some);
      }
      stream.expires_after(settings_.request_max);
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
      // Whatever may be a body would be read as the next request.
      const auto length = parser.content_length();
      if ((length && *length > 0) || request.count(http::field::transfer_encoding) > 0) {
        co_await refuse(stream, http::status::payload_too_large, "requests have no body here");
        co_return;
      }
      if (beast::websocket::is_upgrade(request)) {
        Request upgrade = parser.release();
        co_await begin_stream(stream, std::move(upgrade));
        co_return;
      }
      stream.expires_never();
      Response response = co_await answers_.answer(request);
      if (answer_bytes_ + response.body().size() > answer_bytes_max) {
        response = error_answer(http::status::too_many_requests, "too many large answers at once");
      }
      struct Held {
        std::size_t& sum;
        std::size_t size;
        Held(std::size_t& s, std::size_t n) : sum(s), size(n) { sum += size; }
        ~Held() { sum -= size; }
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
      };
      const Held held(answer_bytes_, response.body().size());
      stream.expires_after(answer_max);
      const bool more = request.keep_alive() && !stopping_;
      response.keep_alive(more);
      complete(response, request.method() == http::verb::head);
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
    Response response = error_answer(status, why);
    response.keep_alive(false);
    complete(response, false);
    stream.expires_after(std::chrono::seconds(2));
    co_await http::async_write(stream, response, await_tuple);
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    // What was still on its way is taken, or the answer would be cut off with it.
    std::array<char, 4'096> rest;
    const auto room = asio::buffer(rest);
    stream.expires_after(std::chrono::seconds(1));
    for (std::size_t taken = 0; taken < 64 * 1'024;) {
      const auto [failed, some] = co_await stream.async_read_some(room, await_tuple);
      if (failed) co_return;
      taken += some;
    }
  }

  // ---- Streams ----

  asio::awaitable<void> begin_stream(beast::tcp_stream& stream, Request request) {
    const auto raw = request.target();
    const auto target = parse_target(std::string_view(raw.data(), raw.size()));
    if (!target || target->path != "/api/v1/stream") {
      co_await refuse(stream, http::status::not_found, "the stream is at /api/v1/stream");
      co_return;
    }
    // Pages of other sites may open WebSockets to here, which a browser does not keep them from.
    const auto origin = request[http::field::origin];
    const auto host = request[http::field::host];
    const std::string_view from(origin.data(), origin.size());
    const auto name = from.substr(std::min(from.find("//") + 2, from.size()));
    const bool ours = from.ends_with("//" + std::string(host)) ||
                      std::find(settings_.hosts.begin(), settings_.hosts.end(), name.substr(0, name.find(':'))) !=
                          settings_.hosts.end();
    if (!origin.empty() && !ours) {
      co_await refuse(stream, http::status::forbidden, "a page of another site may not listen here");
      co_return;
    }
    if (!answers_.meant(request)) {
      co_await refuse(stream, http::status::misdirected_request, "this name is not one of this server's: [http] hosts");
      co_return;
    }
    if (!answers_.allowed(request)) {
      co_await refuse(stream, http::status::unauthorized, "a token is needed: \"Authorization: Bearer TOKEN\"");
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
  Streams streams_;
  Told last_told_;
  std::size_t answer_bytes_ = 0;  // of answers that are being sent
  bool stopping_ = false;
  std::atomic<bool> giving_up_{false};
  asio::thread_pool readers_{3};  // the past of the list, one download, and charts beside them
  Answers answers_;
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
