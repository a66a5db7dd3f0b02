#include "connect.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <charconv>
#include <sstream>
#include <utility>
#include <vector>

namespace cvdd {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Endpoints = std::vector<tcp::endpoint>;

// While there is another address to try: a host whose IPv6 leads nowhere must not cost the whole deadline.
constexpr std::chrono::seconds address_share_max{2};

// Lives until the look-up ends, which may be long after the coroutine that asked has given up.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
  tcp::resolver resolver;
  asio::steady_timer done;
  error_code error;
  Endpoints endpoints;
  bool finished = false;
};

// The families in turn, beginning with the one the system prefers.
[[nodiscard]] Endpoints interleave_families(Endpoints all) {
  const auto other = std::stable_partition(
      all.begin(), all.end(), [first_is_v6 = !all.empty() && all.front().address().is_v6()](const auto& endpoint) {
        return endpoint.address().is_v6() == first_is_v6;
      });
  Endpoints ordered;
  auto a = all.begin();
  auto b = other;
  while (a != other || b != all.end()) {
    if (a != other) {
      ordered.push_back(*a++);
    }
    if (b != all.end()) {
      ordered.push_back(*b++);
    }
  }
  return ordered;
}

[[nodiscard]] asio::awaitable<Result<Endpoints>> resolve(const Url& url, SteadyTime deadline, std::string& detail) {
  error_code not_an_address;
  const auto address = asio::ip::make_address(url.host, not_an_address);
  if (!not_an_address) {
    unsigned short port = 0;
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
    co_return Endpoints{tcp::endpoint(address, port)};
  }
  // The system's look-up cannot be interrupted. So the coroutine waits for a timer, which the look-up's end cancels.
  const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->done.expires_at(deadline);
  lookup->resolver.async_resolve(url.host, url.port, tcp::resolver::numeric_service,
                                 [lookup](const error_code& error, const tcp::resolver::results_type& results) {
                                   lookup->error = error;
                                   for (const auto& entry : results) {
                                     lookup->endpoints.push_back(entry.endpoint());
                                   }
                                   lookup->finished = true;
                                   lookup->done.cancel();
                                 });
  co_await lookup->done.async_wait(await_tuple);
  if (!lookup->finished) {
    lookup->resolver.cancel();
    detail = "timed out looking up " + url.host;
    co_return make_error_code(NetError::timed_out);
  }
  if (lookup->error || lookup->endpoints.empty()) {
    detail = "cannot look up " + url.host + ": " + (lookup->error ? lookup->error.message() : "no address");
    co_return make_error_code(NetError::resolve_failed);
  }
  co_return interleave_families(std::move(lookup->endpoints));
}

[[nodiscard]] std::string to_text(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

[[nodiscard]] asio::awaitable<Result<void>> connect_any(beast::tcp_stream& stream, const Endpoints& endpoints,
                                                        SteadyTime deadline, std::string& detail) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = static_cast<SteadyTime::duration::rep>(endpoints.size() - i);
    const SteadyTime until =
        left == 1 ? deadline : now + std::min<SteadyTime::duration>(address_share_max, (deadline - now) / left);
    error_code ignored;
    stream.socket().close(ignored);
    stream.expires_at(until);
    auto [error] = co_await stream.async_connect(endpoints[i], await_tuple);
    if (!error) {
      // Small messages, answered by small messages: nothing to gain from collecting them.
      stream.socket().set_option(tcp::no_delay(true), error);
      co_return Result<void>();
    }
    const bool late = error == beast::error::timeout;
    detail = "cannot connect to " + to_text(endpoints[i]) + ": " + (late ? "timed out" : error.message());
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return make_error_code(NetError::timed_out);
    }
  }
  co_return make_error_code(NetError::connect_failed);
}

}  // namespace

asio::awaitable<Result<void>> connect_tls(TlsStream& stream, const Url& url, SteadyTime deadline, std::string& detail) {
  if (!expect_host(stream.native_handle(), url.host)) {
    detail = "not a host name: " + printable(url.host, 100);
    co_return make_error_code(NetError::tls_failed);
  }
  const Result<Endpoints> endpoints = co_await resolve(url, deadline, detail);
  if (!endpoints) {
    co_return endpoints.error();
  }
  beast::tcp_stream& socket = beast::get_lowest_layer(stream);
  const Result<void> connected = co_await connect_any(socket, *endpoints, deadline, detail);
  if (!connected) {
    co_return connected.error();
  }
  socket.expires_at(deadline);
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, await_tuple);
  if (error == beast::error::timeout) {
    detail = "timed out in the TLS handshake";
    co_return make_error_code(NetError::timed_out);
  }
  if (is_disconnect(error)) {
    detail = "closed during the TLS handshake: " + error.message();
    co_return make_error_code(NetError::closed);
  }
  if (error) {
    detail = tls_error_detail(stream.native_handle(), error);
    co_return make_error_code(NetError::tls_failed);
  }
  socket.expires_never();
  co_return Result<void>();
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

std::string printable(std::string_view text, std::size_t max) {
  std::string out;
  for (const char c : text.substr(0, max)) {
    out += c >= ' ' && c < 0x7f ? c : ' ';
  }
  return out;
}

}  // namespace cvdd
