// From a host name to a connected socket: look-up, race of the addresses, proxy. Steps of connect_tls.
#pragma once

#include "connect.hpp"

namespace cvdd {

// The host's addresses, IPv6 and IPv4 in turn. If the name service fails, those that were good last time.
[[nodiscard]] asio::awaitable<Result<Endpoints>> resolve(NetContext& net, const std::string& host,
                                                         const std::string& port, SteadyTime deadline,
                                                         std::string& detail);
[[nodiscard]] Endpoints interleave_families(Endpoints all);

// The first address that accepts. The next one is tried when one fails, and at the latest after 250 ms (RFC 8305): an
// address family that leads nowhere costs no more than that.
[[nodiscard]] asio::awaitable<Result<asio::ip::tcp::socket>> race(Endpoints endpoints, SteadyTime deadline,
                                                                  std::string& detail);

// HTTP CONNECT to `url`'s host over a connected socket that has its expiry set.
[[nodiscard]] asio::awaitable<Result<void>> ask_proxy(boost::beast::tcp_stream& socket, const Proxy& proxy,
                                                      const Url& url, std::string& detail);

}  // namespace cvdd
