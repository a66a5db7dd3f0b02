// The seams to the network: one WebSocket, one HTTPS GET. Above them everything is ours and runs in the simulation
// unchanged; below them is Beast and OpenSSL, in this room alone. Used on the io thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cvdd {

namespace asio = boost::asio;
template <class T>
using Result = boost::system::result<T>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Where a URL points: "wss://host:port/prefix". Empty optional if the text is no such URL.
struct Url {
  std::string scheme;  // "wss" or "https"
  std::string host;
  std::string port;  // given or the scheme's default
  std::string path;  // prefix, without a trailing slash; may be empty
  // "Name: value", said with every request to it; empty: none. No part of the text that a URL is.
  std::string header;
};
[[nodiscard]] bool parse_url(std::string_view text, Url& out);

// What went wrong on the network, as causes an operator understands. Each value is retried unless it says otherwise.
enum class NetError {
  resolve_failed = 1,  // the host name has no address
  connect_failed,      // no address accepted the connection
  tls_failed,          // the certificate or host name is not valid, or no common protocol; long back-off
  upgrade_refused,     // the server answered the WebSocket handshake with something else
  timed_out,           // the deadline of this step passed
  closed,              // the other side closed
  protocol,            // the other side broke the protocol
  proxy_failed,        // the proxy refused, or is none
};
[[nodiscard]] const boost::system::error_category& net_category();
[[nodiscard]] boost::system::error_code make_error_code(NetError error);

// An HTTP answer that refuses: what the exchange wants us to know.
struct HttpRefusal {
  unsigned status = 0;
  std::optional<std::chrono::seconds> retry_after;  // from now; as seconds or as a date
  std::string body;                                 // its beginning, fit for one line
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Resolve, connect, TLS (SNI, host name verified), WebSocket handshake, each within `deadline`.
  virtual asio::awaitable<Result<void>> connect(const Url& url, std::string_view target, SteadyTime deadline) = 0;
  // All complete messages that are there, at least one; the views are valid until the next read.
  virtual asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) = 0;
  virtual asio::awaitable<Result<void>> write(std::string_view text, SteadyTime deadline) = 0;
  // A ping frame, for exchanges that want to see some.
  virtual asio::awaitable<Result<void>> ping(SteadyTime deadline) = 0;
  // Says goodbye if it can within `deadline`, and lets go of the socket.
  virtual asio::awaitable<void> close(SteadyTime deadline) = 0;
  // When the last frame of any kind (pings included) arrived.
  [[nodiscard]] virtual SteadyTime last_frame() const = 0;
  // After connect failed with upgrade_refused.
  [[nodiscard]] virtual std::optional<HttpRefusal> last_refusal() const { return std::nullopt; }
  // The detail of the last error, in one line ("certificate verify failed: self-signed certificate").
  [[nodiscard]] virtual const std::string& last_error_detail() const = 0;
};

struct HttpResponse {
  unsigned status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpGet {
 public:
  virtual ~HttpGet() = default;
  // `target` is path and query, appended to the URL's prefix; what stands behind a line's end is JSON, and is posted:
  // some exchanges are asked so. Bodies above `body_max` bytes are an error.
  virtual asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime deadline,
                                                    std::size_t body_max) = 0;
  [[nodiscard]] virtual const std::string& last_error_detail() const = 0;
};

// What an answer that is not what was asked for says, in one line: "HTTP 301, Location https://…: its beginning".
[[nodiscard]] std::string words_of(const HttpResponse& response);

// A mistake of theirs must not keep us away for weeks.
inline constexpr std::chrono::seconds retry_after_max{86'400};
// `Retry-After`: seconds, or a date less the answer's own `Date`; at most retry_after_max. Empty if it is neither.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::string_view date);

struct NetSettings {
  std::string ca_file;  // PEM roots beside the system's; may be empty
  std::string proxy;    // "http://[user:password@]host:port" for everything; may be empty
  // After a wake-up a connection waits up to this long for more messages; 0: not at all.
  std::chrono::milliseconds coalesce = std::chrono::milliseconds(50);
};
// What all connections share: TLS 1.2 or newer, system roots plus `ca_file`, peer and host name always verified; the
// proxy; the last good addresses of each host.
class NetContext;
// Throws std::runtime_error naming the file if `ca_file` cannot be read, or saying what is wrong with `proxy`.
[[nodiscard]] std::shared_ptr<NetContext> make_net_context(const NetSettings& settings);
[[nodiscard]] std::unique_ptr<Transport> make_transport(asio::any_io_executor executor,
                                                        std::shared_ptr<NetContext> tls);
[[nodiscard]] std::unique_ptr<HttpGet> make_http_get(asio::any_io_executor executor, std::shared_ptr<NetContext> tls);

}  // namespace cvdd

template <>
struct boost::system::is_error_code_enum<cvdd::NetError> : std::true_type {};
