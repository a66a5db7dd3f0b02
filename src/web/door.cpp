#include "door.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <map>
#include <stdexcept>
#include <utility>

#include "cvdd/config/listen_address.hpp"

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t header_max = 16 * 1024;
constexpr std::chrono::seconds answer_max{30}, idle_max{60}, patience{10};
constexpr std::size_t requests_max = 1'000;                      // on one connection
constexpr std::size_t answer_bytes_max = std::size_t{16} << 20;  // of all that are being sent, each counted once
// What readers cost the io thread, about.
constexpr std::chrono::microseconds connection_cost{60}, request_cost{80}, piece_cost{40};
constexpr std::size_t piece = std::size_t{64} << 10;
// One connection's requests: forty at once, twenty a second. All connections that come: a thousand a second.
constexpr std::chrono::milliseconds request_pace{50}, request_burst{2'000}, accept_pace{1}, accept_burst{500};
constexpr std::chrono::milliseconds shortest_wait{1}, longest_wait{50};
constexpr int listen_backlog = 256;
}  // namespace

Door::Door(Around around)
    : around_(std::move(around)),
      acceptor_(around_.executor),
      places_(!around_.settings.token.empty()),
      accepts_(100, accept_burst) {
  listen();
}

void Door::close() {
  closed_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  places_.close_all();
}

std::uint16_t Door::port() const {
  error_code ignored;
  return acceptor_.local_endpoint(ignored).port();
}

void Door::listen() {
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(around_.settings.listen, host, port)) {
    throw std::runtime_error("[http] listen: \"" + around_.settings.listen + "\" is no address and port");
  }
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  const auto fail = [&] {
    throw std::runtime_error(
        fmt::format("[http] listen: can't listen on {}: {}; choose another address, or \"\" for none",
                    around_.settings.listen, error.message()));
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
                 around_.settings.listen, around_.settings.token.empty() ? "none: whoever reaches it may read" : "set");
  }
}

asio::awaitable<void> Door::accept() {
  while (!closed_) {
    auto [error, socket] = co_await acceptor_.async_accept(await_tuple);
    if (closed_) co_return;
    if (error) {  // no descriptors left, say: a moment later there may be
      asio::steady_timer pause(around_.executor, std::chrono::milliseconds(100));
      co_await pause.async_wait(await_tuple);
      continue;
    }
    around_.spawn(serve(beast::tcp_stream(std::move(socket))));
    accepts_.spend(accept_pace);
    around_.allowance.spend(connection_cost);
    co_await until_allowed(accepts_);
  }
}

// `place`: who was sent away meanwhile waits no more.
asio::awaitable<void> Door::until_allowed(Allowance& allowance, const Places::Place* place) {
  const auto enough = std::chrono::steady_clock::now() + patience;
  asio::steady_timer pause(around_.executor);
  for (auto more = allowance.wait(); more.count() > 0 && !closed_; more = allowance.wait()) {
    if (std::chrono::steady_clock::now() > enough || (place != nullptr && place->gone)) co_return;
    pause.expires_after(std::clamp<std::chrono::microseconds>(more, shortest_wait, longest_wait));
    co_await pause.async_wait(await_tuple);
  }
}

asio::awaitable<void> Door::serve(beast::tcp_stream stream) {
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
  for (std::size_t n = 0; n < requests_max && !closed_; ++n) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(header_max);
    parser.body_limit(0);
    if (!co_await hear(stream, buffer, parser, n > 0)) co_return;
    const Request& request = parser.get();
    if (around_.answers.allowed(request)) place->proven = true;
    if (beast::websocket::is_upgrade(request)) {
      Request upgrade = parser.release();
      co_await around_.upgrade(stream, std::move(upgrade), place);
      co_return;
    }
    stream.expires_never();
    pace.spend(request_pace);
    co_await until_allowed(pace, &*place);
    if (request.target() != "/healthz") co_await until_allowed(around_.allowance, &*place);
    if (place->gone) co_return;
    around_.allowance.spend(request_cost);
    place->waited = false;
    Response response = co_await around_.answers.answer(request, place->kept);
    place->waited = true;
    place->moved = std::chrono::steady_clock::now();
    const bool more = request.keep_alive() && !closed_;
    if (!co_await send(stream, place, response, request.method() == http::verb::head, more) || !more) break;
  }
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

// One request's header. False if there is none, and nothing more to be said.
asio::awaitable<bool> Door::hear(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                                 http::request_parser<http::empty_body>& parser, bool another) {
  if (another && buffer.size() == 0) {
    stream.expires_after(idle_max);
    const auto room = buffer.prepare(4'096);
    const auto [failed, some] = co_await stream.async_read_some(room, await_tuple);
    if (failed) co_return false;
    buffer.commit(some);
  }
  stream.expires_after(around_.settings.request_max);
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

// Piece by piece, each in its turn. False: it did not arrive.
asio::awaitable<bool> Door::send(beast::tcp_stream& stream, Places::Handle place, Response& response, bool head_only,
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
    around_.allowance.spend(piece_cost);
    co_await until_allowed(around_.allowance, &*place);
    const auto next = asio::buffer(asio::buffer(*body) + at, piece);
    const auto [ended, taken] = co_await asio::async_write(stream, next, await_tuple);
    if (ended) co_return false;
    at += taken;
    place->moved = std::chrono::steady_clock::now();
  }
  co_return true;
}

// When those on their way fill what there is for them, who has been taking one for longest has to go.
void Door::close_the_slowest(const Sending& fresh) {
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

asio::awaitable<void> Door::refuse(beast::tcp_stream& stream, http::status status, const char* why) {
  Response response = error_answer(status, why);
  co_await refuse(stream, response);
}

asio::awaitable<void> Door::refuse(beast::tcp_stream& stream, Response& response) {
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

}  // namespace cvdd::web
