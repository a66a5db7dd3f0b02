// Transport over Beast. The one expensive file to compile: keep Beast's WebSocket out of every other.
#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <tuple>
#include <utility>

#include "connect.hpp"

namespace cvdd {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using WebSocket = websocket::stream<TlsStream>;

constexpr std::size_t read_message_max = std::size_t{16} << 20;

// One connection. Shared with the timer's handler, which may still be queued when the transport is gone.
//
// The deadlines of reader and writer are kept here and not in Beast's tcp_stream: its `expires_at` sets both directions
// at once, must not be called while both are busy, and between two parts of one read a writer's deadline would replace
// the reader's. Here each operation has its own; the first to pass closes the socket, which ends them all.
struct Connection : std::enable_shared_from_this<Connection> {
  Connection(const asio::any_io_executor& executor, asio::ssl::context& tls) : ws(executor, tls), timer(executor) {}

  // The timer is only moved forward when it fires: deadlines that follow each message cost nothing per message.
  void watch() {
    const SteadyTime first = *std::min_element(deadlines.begin(), deadlines.end());
    if (first >= armed) {
      return;
    }
    armed = first;
    timer.expires_at(first);
    timer.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (error || !self) {
        return;
      }
      self->armed = SteadyTime::max();
      if (*std::min_element(self->deadlines.begin(), self->deadlines.end()) <= std::chrono::steady_clock::now()) {
        self->late = true;
        self->drop();
      } else {
        self->watch();
      }
    });
  }

  void drop() {
    armed = SteadyTime::max();
    timer.cancel();
    beast::close_socket(beast::get_lowest_layer(ws));
  }

  WebSocket ws;
  asio::steady_timer timer;
  std::array<SteadyTime, 3> deadlines{SteadyTime::max(), SteadyTime::max(), SteadyTime::max()};  // by Step
  SteadyTime armed = SteadyTime::max();
  SteadyTime last_frame = std::chrono::steady_clock::now();
  bool late = false;
};

enum Step : std::size_t { reading, writing, closing };

// The deadline of one operation, for as long as it runs.
class Deadline {
 public:
  Deadline(Connection& connection, Step step, SteadyTime until) : slot_(connection.deadlines[step]) {
    slot_ = until;
    connection.watch();
  }
  ~Deadline() { slot_ = SteadyTime::max(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  SteadyTime& slot_;
};

class WebSocketTransport final : public Transport {
 public:
  WebSocketTransport(asio::any_io_executor executor, std::shared_ptr<NetContext> tls)
      : executor_(std::move(executor)), tls_(std::move(tls)) {}
  ~WebSocketTransport() override { let_go(); }
  WebSocketTransport(const WebSocketTransport&) = delete;
  WebSocketTransport& operator=(const WebSocketTransport&) = delete;

  asio::awaitable<Result<void>> connect(const Url& url, std::string_view target, SteadyTime deadline) override {
    let_go();
    detail_.clear();
    refusal_.reset();
    const std::string path = request_target(url, target);
    if (path.empty()) {
      detail_ = "not a request target: " + printable(target, 200);
      co_return make_error_code(NetError::protocol);
    }
    const auto connection = std::make_shared<Connection>(executor_, tls_->native());
    connection_ = connection;
    WebSocket& ws = connection->ws;
    const Result<void> opened = co_await connect_tls(ws.next_layer(), *tls_, url, deadline, detail_);
    if (!opened) {
      connection->drop();
      co_return opened.error();
    }
    // Without an idle limit of Beast's own: it would run beside ours.
    ws.set_option(
        websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
    ws.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, std::string("cvdd/") + CVDD_VERSION);
    }));
    ws.read_message_max(read_message_max);
    ws.text(true);
    ws.auto_fragment(false);
    ws.control_callback([seen = connection.get()](websocket::frame_type, beast::string_view) {
      seen->last_frame = std::chrono::steady_clock::now();
    });
    websocket::response_type response;
    const std::string host = host_header(url);
    error_code error;
    {
      const Deadline limit(*connection, reading, deadline);
      std::tie(error) = co_await ws.async_handshake(response, host, path, await_tuple);
    }
    if (!error) {
      connection->last_frame = std::chrono::steady_clock::now();
      co_return Result<void>();
    }
    error_code cause;
    if (error == websocket::error::upgrade_declined) {
      const auto retry = response[beast::http::field::retry_after], date = response[beast::http::field::date];
      refusal_ = {response.result_int(), parse_retry_after({retry.data(), retry.size()}, {date.data(), date.size()}),
                  printable(response.body(), 200)};
      detail_ = "HTTP " + std::to_string(refusal_->status);
      if (!retry.empty()) {
        detail_ += ", Retry-After " + printable(std::string_view(retry.data(), retry.size()), 100);
      }
      if (!refusal_->body.empty()) {
        detail_ += ": " + refusal_->body;
      }
      cause = make_error_code(NetError::upgrade_refused);
    } else {
      cause = translate(*connection, error, "in the WebSocket handshake");
    }
    connection->drop();
    co_return cause;
  }

  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    const auto connection = connection_;
    if (!connection) {
      detail_ = "not connected";
      co_return make_error_code(NetError::closed);
    }
    buffer_.clear();  // keeps its memory for the next message
    const Deadline limit(*connection, reading, deadline);
    const auto [error, size] = co_await connection->ws.async_read(buffer_, await_tuple);
    if (error) {
      co_return translate(*connection, error, "waiting for a message");
    }
    connection->last_frame = std::chrono::steady_clock::now();
    message_[0] = {static_cast<const char*>(buffer_.cdata().data()), size};
    co_return std::span<const std::string_view>(message_);
  }

  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime deadline) override {
    const auto connection = connection_;
    if (!connection) {
      detail_ = "not connected";
      co_return make_error_code(NetError::closed);
    }
    const Deadline limit(*connection, writing, deadline);
    const auto [error, size] = co_await connection->ws.async_write(asio::buffer(text.data(), text.size()), await_tuple);
    if (error) {
      co_return translate(*connection, error, "sending");
    }
    co_return Result<void>();
  }

  asio::awaitable<void> close(SteadyTime deadline) override {
    const auto connection = connection_;
    if (!connection) {
      co_return;
    }
    if (connection->ws.is_open()) {
      const Deadline limit(*connection, closing, deadline);
      (void)co_await connection->ws.async_close(websocket::close_code::normal, await_tuple);
    }
    connection->drop();
  }

  [[nodiscard]] SteadyTime last_frame() const override { return connection_ ? connection_->last_frame : SteadyTime(); }
  [[nodiscard]] std::optional<HttpRefusal> last_refusal() const override { return refusal_; }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  void let_go() noexcept {
    if (connection_) {
      connection_->drop();
      connection_.reset();
    }
  }

  // Causes instead of library codes; the library's words stay in the detail.
  [[nodiscard]] error_code translate(Connection& connection, const error_code& error, const char* doing) {
    if (connection.late) {
      detail_ = std::string("timed out ") + doing;
      return make_error_code(NetError::timed_out);
    }
    if (error == websocket::error::closed) {
      const auto& reason = connection.ws.reason();
      detail_ = "closed with code " + std::to_string(reason.code);
      if (!reason.reason.empty()) {
        detail_ += ": " + printable(std::string_view(reason.reason.data(), reason.reason.size()), 200);
      }
      return make_error_code(NetError::closed);
    }
    detail_ = error.message() + " " + doing;
    const bool ended = is_disconnect(error) || error == beast::http::error::end_of_stream;
    return make_error_code(ended ? NetError::closed : NetError::protocol);
  }

  asio::any_io_executor executor_;
  std::shared_ptr<NetContext> tls_;
  std::shared_ptr<Connection> connection_;
  beast::flat_buffer buffer_;
  std::array<std::string_view, 1> message_;
  std::string detail_;
  std::optional<HttpRefusal> refusal_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(asio::any_io_executor executor, std::shared_ptr<NetContext> tls) {
  return std::make_unique<WebSocketTransport>(std::move(executor), std::move(tls));
}

}  // namespace cvdd
