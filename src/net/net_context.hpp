// What every connection shares: TLS settings, the proxy, addresses that were good; and the stream type of this room.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/net/transport.hpp"

namespace cvdd {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

struct Proxy {
  std::string host, port;
  std::string authorization;         // value of Proxy-Authorization; empty: none. A secret: never printed.
  std::vector<std::string> secrets;  // in all the forms in which somebody may repeat them
};
// Empty if the text is no proxy address. User and password may be percent-encoded.
[[nodiscard]] std::optional<Proxy> parse_proxy(std::string_view text);

// A look-up that is going on, on a thread of its own. `finished` is set last.
struct Lookup {
  boost::system::error_code error;
  Endpoints endpoints;
  std::atomic<bool> finished{false};
};

class NetContext {
 public:
  explicit NetContext(const NetSettings& settings);

  [[nodiscard]] asio::ssl::context& native() { return context_; }
  [[nodiscard]] const std::optional<Proxy>& proxy() const { return proxy_; }
  [[nodiscard]] std::chrono::milliseconds coalesce() const { return coalesce_; }

  // For when the name service fails. Bounded: beyond `hosts_max` names nothing new is kept.
  void remember(const std::string& host_and_port, const Endpoints& good);
  [[nodiscard]] Endpoints remembered(const std::string& host_and_port) const;
  static constexpr std::size_t hosts_max = 64;

  // At most one look-up a host at a time, so that a name service that hangs costs one thread a host.
  [[nodiscard]] std::shared_ptr<Lookup> lookup_of(const std::string& name) const {
    const auto found = lookups_.find(name);
    return found == lookups_.end() ? nullptr : found->second;
  }
  void begin_lookup(const std::string& name, std::shared_ptr<Lookup> lookup) { lookups_[name] = std::move(lookup); }
  void end_lookup(const std::string& name) { lookups_.erase(name); }

  // The seam for tests: answers instead of the system's resolver, if set.
  std::function<Endpoints(const std::string& host, const std::string& port)> resolve_by;

 private:
  asio::ssl::context context_;
  std::optional<Proxy> proxy_;
  std::chrono::milliseconds coalesce_;
  std::map<std::string, Endpoints> addresses_;
  std::map<std::string, std::shared_ptr<Lookup>> lookups_;
};

// Tells OpenSSL which name or address the certificate must carry, and says the name to the server (SNI).
[[nodiscard]] bool expect_host(SSL* ssl, const std::string& host);
// Why the handshake failed: the verdict on the certificate where there is one, otherwise `error` in words.
[[nodiscard]] std::string tls_error_detail(SSL* ssl, const boost::system::error_code& error);

}  // namespace cvdd
