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
#include <list>
#include <map>
#include <stdexcept>

#include "cvdd/ops/commands.hpp"
#include "cvdd/ops/web_server.hpp"
#include "ops/web/answers.hpp"
#include "ops/web/files.hpp"
#include "ops/web/live.hpp"
#include "ops/web/places.hpp"
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
constexpr std::size_t streams_max = 64;
constexpr std::uint32_t header_max = 16 * 1024;
constexpr std::chrono::seconds answer_max{30};
constexpr std::chrono::milliseconds idle_max{60'000};
constexpr std::chrono::milliseconds tick{250};
constexpr std::size_t requests_max = 1'000;  // on one connection
constexpr std::size_t stream_names_max = 200, at_once = 500;
// Bars that ended earlier come from candles, a month at a time: who wants them asks.
constexpr Duration told_back_to = seconds(86'400);
constexpr std::size_t answer_bytes_max = std::size_t{24} << 20;  // of all that are being sent, each counted once
// What readers cost the io thread, about, and what they may have of it and of the threads beside it: a quarter of a
// processor, and a second of it at once.
constexpr std::chrono::microseconds request_cost{40}, piece_cost{40};
constexpr std::size_t piece = std::size_t{64} << 10;
constexpr int readers_share = 25;
constexpr std::chrono::seconds readers_saved{1}, readers_patience{10};
// One connection's requests: forty at once, twenty a second. All connections that come: a thousand a second.
constexpr std::chrono::milliseconds request_pace{50}, request_burst{2'000}, accept_pace{1}, accept_burst{500};
constexpr int listen_backlog = 256;
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
        places_(!settings_.token.empty()),
        answers_(executor, engine, live_, settings_, readers_, allowance_, giving_up_) {
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
    places_.close_all();
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
    if (!error) acceptor_.listen(listen_backlog, error);
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
        answers_.tidy();
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
      spawn(serve(beast::tcp_stream(std::move(socket))));
      accepts_.spend(accept_pace);
      co_await until_allowed(accepts_);
    }
  }

  asio::awaitable<void> until_allowed(Allowance& allowance) {
    const auto enough = std::chrono::steady_clock::now() + readers_patience;
    asio::steady_timer pause(executor_);
    for (auto more = allowance.wait(); more.count() > 0 && !stopping_; more = allowance.wait()) {
      if (std::chrono::steady_clock::now() > enough) co_return;
      pause.expires_after(std::max<std::chrono::microseconds>(more, std::chrono::milliseconds(1)));
      co_await pause.async_wait(await_tuple);
    }
  }

  asio::awaitable<void> serve(beast::tcp_stream stream) {
    const auto self = shared_from_this();
    error_code unknown;
    const auto address = stream.socket().remote_endpoint(unknown).address();
    Places::Handle place;
    if (unknown || !places_.enter(
                       address, std::chrono::steady_clock::now(), [&stream] { stream.close(); }, place)) {
      co_return;  // closed: who comes again may find room
    }
    struct Leave {
      Places& places;
      Places::Handle place;
      ~Leave() { places.leave(place); }
    };
    const Leave leave{places_, place};
    beast::flat_buffer buffer(header_max * 2);
    Allowance pace(100, request_burst);
    for (std::size_t n = 0; n < requests_max && !stopping_; ++n) {
      http::request_parser<http::empty_body> parser;
      parser.header_limit(header_max);
      parser.body_limit(0);
      if (!co_await hear(stream, buffer, parser, n > 0)) co_return;
      const Request& request = parser.get();
      if (answers_.allowed(request)) place->proven = true;
      if (beast::websocket::is_upgrade(request)) {
        Request upgrade = parser.release();
        co_await begin_stream(stream, std::move(upgrade), place);
        co_return;
      }
      stream.expires_never();
      pace.spend(request_pace);
      co_await until_allowed(pace);
      if (request.target() != "/healthz") co_await until_allowed(allowance_);
      allowance_.spend(request_cost);
      place->waited = false;
      Response response = co_await answers_.answer(request, place->kept);
      place->waited = true;
      place->moved = std::chrono::steady_clock::now();
      const bool more = request.keep_alive() && !stopping_;
      if (!co_await send(stream, place, response, request.method() == http::verb::head, more) || !more) break;
    }
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  // One request's header. False if there is none, and nothing more to be said.
  asio::awaitable<bool> hear(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                             http::request_parser<http::empty_body>& parser, bool another) {
    if (another && buffer.size() == 0) {
      stream.expires_after(idle_max);
      const auto room = buffer.prepare(4'096);
      const auto [failed, some] = co_await stream.async_read_some(room, await_tuple);
      if (failed) co_return false;
      buffer.commit(some);
    }
    stream.expires_after(settings_.request_max);
    const auto [error, got] = co_await http::async_read_header(stream, buffer, parser, await_tuple);
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      co_await refuse(stream, http::status::request_header_fields_too_large, "the header is longer than 16 KiB");
    } else if (error == http::error::body_limit) {
      co_await refuse(stream, http::status::payload_too_large, "requests have no body here");
    } else if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
      co_await refuse(stream, http::status::bad_request, "that is no HTTP request");
    }
    if (error) co_return false;
    // Whatever may be a body would be read as the next request.
    const auto length = parser.content_length();
    if ((!length || *length == 0) && parser.get().count(http::field::transfer_encoding) == 0) co_return true;
    co_await refuse(stream, http::status::payload_too_large, "requests have no body here");
    co_return false;
  }

  // ---- Answers on their way ----

  struct Sending {
    Places::Handle place;
    Body body;
    bool counted = true;
  };

  // Piece by piece, each in its turn. False: it did not arrive.
  asio::awaitable<bool> send(beast::tcp_stream& stream, Places::Handle place, Response& response, bool head_only,
                             bool more) {
    const std::string head = complete_head(response, more);
    const Body body = head_only ? std::make_shared<const std::string>() : response.text;
    struct Sent {
      std::list<Sending>& all;
      std::list<Sending>::iterator mine;
      ~Sent() { all.erase(mine); }
    };
    const Sent sent{sending_, sending_.insert(sending_.end(), {place, body})};
    if (body->size() > piece) close_the_slowest(*sent.mine);
    stream.expires_after(answer_max);
    std::size_t at = std::min(piece, body->size());
    const std::array<asio::const_buffer, 2> first{asio::buffer(head), asio::buffer(*body, at)};
    const auto [failed, some] = co_await asio::async_write(stream, first, await_tuple);
    if (failed) co_return false;
    while (at < body->size()) {
      allowance_.spend(piece_cost);
      co_await until_allowed(allowance_);
      const auto next = asio::buffer(asio::buffer(*body) + at, piece);
      const auto [ended, taken] = co_await asio::async_write(stream, next, await_tuple);
      if (ended) co_return false;
      at += taken;
      place->moved = std::chrono::steady_clock::now();
    }
    co_return true;
  }

  // When those on their way fill what there is for them, who has been taking one for longest has to go.
  void close_the_slowest(const Sending& fresh) {
    while (true) {
      std::map<const std::string*, std::size_t> sizes;
      Sending* oldest = nullptr;
      std::size_t sum = 0;
      for (Sending& each : sending_) {
        if (!each.counted) continue;
        if (sizes.emplace(each.body.get(), 0).second) sum += each.body->size();
        if (oldest == nullptr && each.body != fresh.body && each.body->size() > piece) oldest = &each;
      }
      if (sum <= answer_bytes_max || oldest == nullptr) return;
      oldest->counted = false;
      oldest->place->gone = true;
      oldest->place->close();
    }
  }

  asio::awaitable<void> refuse(beast::tcp_stream& stream, http::status status, const char* why) {
    Response response = error_answer(status, why);
    co_await refuse(stream, response);
  }

  asio::awaitable<void> refuse(beast::tcp_stream& stream, Response& response) {
    const std::string whole = complete_head(response, false) + *response.text;
    stream.expires_after(std::chrono::seconds(2));
    const auto all = asio::buffer(whole);
    co_await asio::async_write(stream, all, await_tuple);
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

  asio::awaitable<void> begin_stream(beast::tcp_stream& stream, Request request, Places::Handle place) {
    const auto raw = request.target();
    const auto target = parse_target(std::string_view(raw.data(), raw.size()));
    if (!target || target->path != "/api/v1/stream") {
      co_await refuse(stream, http::status::not_found, "the stream is at /api/v1/stream");
      co_return;
    }
    // Pages of other sites may open WebSockets to here, which a browser does not keep them from.
    if (!from_here(request)) {
      co_await refuse(stream, http::status::forbidden, "a page of another site may not listen here");
      co_return;
    }
    if (auto refused = answers_.refusal(request, target)) {
      co_await refuse(stream, *refused);
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
    if (streams_.size() >= streams_max || place->kept) {
      co_await refuse(stream, http::status::too_many_requests, "there are 64 streams already");
      co_return;
    }
    const auto made = std::make_shared<StreamClient>(std::move(stream), std::move(names));
    streams_.push_back(made);
    place->stays = true;
    place->close = [made] { made->drop(); };
    co_await made->run(std::move(request));
    std::erase(streams_, made);
  }

  [[nodiscard]] bool from_here(const Request& request) const {
    const auto origin = request[http::field::origin];
    const std::string_view from(origin.data(), origin.size());
    const auto name = from.substr(std::min(from.find("//") + 2, from.size()));
    return origin.empty() || from.ends_with("//" + std::string(request[http::field::host])) ||
           std::find(settings_.hosts.begin(), settings_.hosts.end(), name.substr(0, name.find(':'))) !=
               settings_.hosts.end();
  }

  asio::any_io_executor executor_;
  Engine& engine_;
  Settings settings_;
  tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  Live live_;
  Places places_;
  Streams streams_;
  Told last_told_;
  std::list<Sending> sending_;  // in the order in which they began
  Allowance allowance_{readers_share, readers_saved}, accepts_{100, accept_burst};
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
