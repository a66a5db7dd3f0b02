#include "connect.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <utility>

#include "address.hpp"

namespace cvdd {
namespace {
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// A host that does not answer must be noticed also where nothing is sent for long.
void keep_alive(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);  // small messages, answered by small messages
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int option, int value) {
    (void)::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 30);
  set(TCP_KEEPINTVL, 10);
  set(TCP_KEEPCNT, 3);
  set(TCP_USER_TIMEOUT, 60'000);
}
}  // namespace

asio::awaitable<Result<Reached>> connect_tcp(beast::tcp_stream& socket, NetContext& net, const Url& url,
                                             SteadyTime deadline, std::string& detail) {
  // Through a proxy, its name is looked up and the exchange's is left to it.
  const std::string& host = net.proxy() ? net.proxy()->host : url.host;
  const std::string& port = net.proxy() ? net.proxy()->port : url.port;
  const Result<Endpoints> endpoints = co_await resolve(net, host, port, deadline, detail);
  if (!endpoints) {
    co_return endpoints.error();
  }
  std::string why;
  Result<tcp::socket> connected = co_await race(*endpoints, deadline, why);
  if (!connected) {
    const std::string behind = net.proxy() ? "proxy " + host + ":" + port + ": " : "";
    detail = detail.empty() ? behind + why : detail + "; the addresses of last time: " + behind + why;
    co_return connected.error();
  }
  socket.socket() = std::move(*connected);
  keep_alive(socket.socket());
  socket.expires_at(deadline);
  if (net.proxy()) {
    const Result<void> through = co_await ask_proxy(socket, *net.proxy(), url, detail);
    if (!through) {
      co_return through.error();
    }
  }
  co_return Reached{host + ":" + port, *endpoints};
}

asio::awaitable<Result<void>> connect_tls(TlsStream& stream, NetContext& net, const Url& url, SteadyTime deadline,
                                          std::string& detail) {
  if (!expect_host(stream.native_handle(), url.host)) {
    detail = "not a host name: " + printable(url.host, 100);
    co_return make_error_code(NetError::tls_failed);
  }
  beast::tcp_stream& socket = beast::get_lowest_layer(stream);
  const Result<Reached> reached = co_await connect_tcp(socket, net, url, deadline, detail);
  if (!reached) {
    co_return reached.error();
  }
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, await_tuple);
  if (error == beast::error::timeout) {
    detail = "timed out in the TLS handshake";
    co_return make_error_code(NetError::timed_out);
  }
  if (error) {
    co_return handshake_failed(stream.native_handle(), error, detail);
  }
  socket.expires_never();
  // Only now: what answered has proved that it is who we meant.
  net.remember(reached->name, reached->endpoints);
  co_return Result<void>();
}

error_code handshake_failed(SSL* ssl, const error_code& error, std::string& detail) {
  if (is_disconnect(error)) {
    detail = "closed during the TLS handshake: " + error.message();
    return make_error_code(NetError::closed);
  }
  detail = tls_error_detail(ssl, error);
  return make_error_code(NetError::tls_failed);
}

std::string host_header(const Url& url) {
  std::string text = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  return url.port == "443" ? text : text + ":" + url.port;
}

std::string request_target(const Url& url, std::string_view target) {
  std::string text = url.path;
  if (!target.starts_with('/')) {
    text += target.starts_with('?') && !text.empty() ? "" : "/";
  }
  text += target;
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return fits ? text : std::string();
}

bool is_disconnect(const error_code& error) {
  return error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::connection_aborted || error == asio::error::broken_pipe ||
         error == asio::error::not_connected || error == asio::error::bad_descriptor ||
         error == asio::error::operation_aborted || error == asio::error::timed_out ||
         error == asio::error::host_unreachable || error == asio::error::network_unreachable ||
         error == asio::error::network_down || error == asio::ssl::error::stream_truncated;
}

}  // namespace cvdd
