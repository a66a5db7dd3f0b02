// One accepted socket: TLS, then REST answers one after the other, or the upgrade to a WebSocket.
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <sstream>
#include <string>

#include "coroutines.hpp"
#include "ws_session.hpp"

namespace cvdd::sim {
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

// Lets Hub::stop close a socket that is still at REST.
class Registered {
 public:
  Registered(Hub& hub, tcp::socket& socket) : hub_(hub), socket_(socket) { hub_.rest_sockets.insert(&socket_); }
  ~Registered() { hub_.rest_sockets.erase(&socket_); }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

 private:
  Hub& hub_;
  tcp::socket& socket_;
};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

http::response<http::string_body> respond(Hub& hub, const HttpRequest& request, Address& address) {
  Answer answer;
  const Protocol* protocol = owner_of(address);
  bool wait = false;
  const bool asked = request.method() == http::verb::get || !address.body.empty();
  if (!asked || protocol == nullptr) {
    answer = {protocol == nullptr ? 404U : 405U, "{}", 0};
  } else {
    const Timestamp now = wall_clock();
    Hub::Wait& asked = hub.waits[protocol->name()];
    // What was on its way already can't be helped.
    if (asked.told + seconds(4) < now && now < asked.until) {
      ++hub.stats.impolite;
      hub.stats.rude = address.path + " of " + std::string(protocol->name()) + ", " +
                       std::to_string((now - asked.told).us / 1'000) + " ms after it was told to wait";
    }
    wait = hub.rest_fault == RestFault::too_many || hub.rest_fault == RestFault::banned;
    if (wait && now >= asked.until) asked = {now, now + hub.rest_wait};
    answer = hub.answer(address);
    if (hub.rest_fault != RestFault::none) ++hub.stats.rest_refused;
    if (wait) answer = {hub.rest_fault == RestFault::banned ? 418U : 429U, R"({"code":-1003,"msg":"Too many"})", 0};
    if (hub.rest_fault == RestFault::broken) answer = {503, "upstream connect error", 0};
    if (hub.rest_fault == RestFault::nonsense) answer.body = R"({"result":[1,{"list":"none"}],"data":7})";
  }
  http::response<http::string_body> response(static_cast<http::status>(answer.status), request.version());
  response.set(http::field::content_type, "application/json;charset=UTF-8");
  if (protocol != nullptr) {
    response.set("X-MBX-USED-WEIGHT-1M", std::to_string(hub.charge(*protocol, address, answer.weight)));
  }
  if (wait) response.set(http::field::retry_after, std::to_string(hub.rest_wait.us / 1'000'000));
  response.keep_alive(request.keep_alive());
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

// The beginning of the answer, and then the end of the connection, or a byte a second.
asio::awaitable<void> spoil(Hub& hub, TlsStream& stream, http::response<http::string_body>& response) {
  const bool slow = hub.rest_fault == RestFault::slow;
  std::ostringstream text;
  text << response;
  const std::string all = text.str();
  std::size_t sent = std::min(all.size(), slow ? std::size_t{40} : all.size() - response.body().size() / 2 - 1);
  const std::string begin = all.substr(0, sent);
  auto [error, bytes] = co_await asio::async_write(stream, asio::buffer(begin), quietly);
  asio::steady_timer second(hub.io);
  while (slow && !error && !hub.stopped && sent < all.size()) {
    second.expires_after(std::chrono::seconds(1));
    co_await second.async_wait(quietly);
    const std::string one = all.substr(sent++, 1);
    stream.next_layer().expires_after(std::chrono::seconds(60));
    auto [failed, written] = co_await asio::async_write(stream, asio::buffer(one), quietly);
    if (failed) break;
  }
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<Hub> hub, tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  TlsStream stream(beast::tcp_stream(std::move(socket)), hub->tls);
  std::optional<Registered> registered(std::in_place, *hub, stream.next_layer().socket());
  if (hub->stopped) co_return;

  stream.next_layer().expires_after(std::chrono::seconds(30));
  if (auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, quietly); error) co_return;
  beast::flat_buffer buffer;
  while (!hub->stopped) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(64 * 1024);
    stream.next_layer().expires_after(std::chrono::seconds(60));
    auto [read_error, read_bytes] = co_await http::async_read(stream, buffer, parser, quietly);
    if (read_error) break;
    HttpRequest request = parser.release();
    std::string target(view(request.target()));
    if (request.method() == http::verb::post) target += "\n" + request.body();
    auto address = parse_address(target, view(request[http::field::host]));
    if (beast::websocket::is_upgrade(request)) {
      const Protocol* protocol = owner_of(address);
      const ConversationLimits limits{hub->options.streams_per_connection};
      if (auto talk = protocol != nullptr ? protocol->open(address, hub->tape.get(), limits) : nullptr) {
        registered.reset();
        co_await run_websocket(std::move(hub), std::move(stream), std::move(request), *protocol, std::move(talk));
        co_return;
      }
    }
    ++hub->stats.rest_requests;
    auto response = respond(*hub, request, address);
    if (hub->rest_fault == RestFault::slow || hub->rest_fault == RestFault::half) {
      co_await spoil(*hub, stream, response);
      break;
    }
    auto [write_error, written] = co_await http::async_write(stream, response, quietly);
    if (write_error || response.need_eof()) break;
  }
  if (hub->stopped) co_return;
  stream.next_layer().expires_after(std::chrono::seconds(2));
  co_await stream.async_shutdown(quietly);
}

}  // namespace cvdd::sim
