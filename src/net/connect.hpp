// From a URL to an encrypted stream: resolve, connect, TLS. Shared by the WebSocket and the HTTPS request.
#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "cvdd/base/printable.hpp"
#include "cvdd/net/transport.hpp"
#include "net_context.hpp"

namespace cvdd {

// Errors as values: `auto [error, n] = co_await stream.async_read_some(buffer, await_tuple)`.
inline constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

// Name, addresses, proxy, up to where TLS begins; within `deadline`, which stays set on `socket`. `peer` is what to
// remember once TLS has proved who answered.
struct Reached {
  std::string name;
  Endpoints endpoints;
};
[[nodiscard]] asio::awaitable<Result<Reached>> connect_tcp(boost::beast::tcp_stream& socket, NetContext& net,
                                                           const Url& url, SteadyTime deadline, std::string& detail);

// Everything within `deadline`; on failure `detail` says why in one line. Leaves `stream` with no expiry set.
[[nodiscard]] asio::awaitable<Result<void>> connect_tls(TlsStream& stream, NetContext& net, const Url& url,
                                                        SteadyTime deadline, std::string& detail);

// Why a TLS handshake failed, as a cause and in words.
[[nodiscard]] boost::system::error_code handshake_failed(SSL* ssl, const boost::system::error_code& error,
                                                         std::string& detail);

// The Host header: the port is part of it unless it is the scheme's own.
[[nodiscard]] std::string host_header(const Url& url);
// The name and the value of the URL's own header; both empty if it has none.
[[nodiscard]] inline std::pair<std::string_view, std::string_view> header_of(const Url& url) {
  const std::string_view text = url.header;
  const auto colon = std::min(text.find(": "), text.size());
  return {text.substr(0, colon), text.substr(std::min(colon + 2, text.size()))};
}
// The prefix and the target as one path that starts with a slash. Empty if it cannot stand in a request line.
[[nodiscard]] std::string request_target(const Url& url, std::string_view target);
// The other side, or the network between, ended the connection (as against breaking a protocol).
[[nodiscard]] bool is_disconnect(const boost::system::error_code& error);

}  // namespace cvdd
