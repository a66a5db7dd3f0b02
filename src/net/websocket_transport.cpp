// Transport over Beast. The one expensive file to compile: keep Beast's WebSocket out of every other.
#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "connect.hpp"

namespace cvdd {

namespace {
namespace beast = boost::beast;
namespace websocket = beast::websocket;

class WebSocketTransport final : public Transport {
 public:
  WebSocketTransport(asio::any_io_executor executor, std::shared_ptr<TlsContext> tls)
      : tls_(std::move(tls)), ws_(executor, tls_->native()) {}

  asio::awaitable<Result<void>> connect(const Url& url, std::string_view target, SteadyTime deadline) override {
    if (const auto opened = co_await connect_tls(ws_.next_layer(), url, deadline, detail_); !opened) {
      co_return opened.error();
    }
    beast::get_lowest_layer(ws_).expires_at(deadline);
    // Deadlines are ours: Beast's own WebSocket timers would run beside them.
    websocket::stream_base::timeout none{};
    none.handshake_timeout = none.idle_timeout = websocket::stream_base::none();
    none.keep_alive_pings = false;
    ws_.set_option(none);
    ws_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, std::string("cvdd/") + CVDD_VERSION);
    }));
    ws_.read_message_max(std::size_t{16} << 20);
    ws_.control_callback([this](websocket::frame_type, beast::string_view) { touch(); });
    // Named, because g++ 12 destroys temporaries of a co_await expression twice.
    const std::string host = host_header(url);
    const std::string path = request_target(url, target);
    if (path.empty()) co_return NetError::protocol;
    websocket::response_type response;
    const auto [error] = co_await ws_.async_handshake(response, host, path, await_tuple);
    if (error) {
      if (error == websocket::error::upgrade_declined) {
        detail_ = "HTTP " + std::to_string(response.result_int());
        const auto retry = response[beast::http::field::retry_after];
        if (!retry.empty()) detail_ += ", Retry-After " + std::string(retry);
        for (const char c : response.body().substr(0, 200)) detail_ += (c >= ' ' && c < 0x7F) ? c : ' ';
        co_return NetError::upgrade_refused;
      }
      co_return translate(error);
    }
    touch();
    co_return Result<void>{};
  }

  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    buffer_.clear();
    beast::get_lowest_layer(ws_).expires_at(deadline);
    const auto [error, size] = co_await ws_.async_read(buffer_, await_tuple);
    if (error) co_return translate(error);
    touch();
    message_[0] = {static_cast<const char*>(buffer_.cdata().data()), size};
    co_return std::span<const std::string_view>(message_);
  }

  // The socket has one deadline, and it is the reader's: a writer that makes no progress is caught by it too, since
  // nothing is answered then. So `deadline` only matters while nobody reads.
  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime) override {
    ws_.text(true);
    const auto [error, size] = co_await ws_.async_write(asio::buffer(text.data(), text.size()), await_tuple);
    if (error) co_return translate(error);
    co_return Result<void>{};
  }

  asio::awaitable<void> close(SteadyTime deadline) override {
    auto& socket = beast::get_lowest_layer(ws_);
    if (ws_.is_open()) {
      socket.expires_at(deadline);
      (void)co_await ws_.async_close(websocket::close_code::normal, await_tuple);
    }
    socket.close();
  }

  [[nodiscard]] SteadyTime last_frame() const override { return last_frame_; }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  void touch() { last_frame_ = std::chrono::steady_clock::now(); }

  // Causes instead of library codes; the library's words stay in the detail.
  boost::system::error_code translate(const boost::system::error_code& error) {
    detail_ = error.message();
    if (error == beast::error::timeout) return NetError::timed_out;
    if (error == websocket::error::closed) {
      detail_ = "close code " + std::to_string(ws_.reason().code) + " " + std::string(ws_.reason().reason.c_str());
      return NetError::closed;
    }
    if (error.category() == make_error_code(websocket::error::closed).category()) return NetError::protocol;
    return NetError::closed;
  }

  std::shared_ptr<TlsContext> tls_;
  websocket::stream<TlsStream> ws_;
  beast::flat_buffer buffer_;
  std::array<std::string_view, 1> message_;
  std::string detail_;
  SteadyTime last_frame_ = std::chrono::steady_clock::now();
};
}  // namespace

std::unique_ptr<Transport> make_transport(asio::any_io_executor executor, std::shared_ptr<TlsContext> tls) {
  return std::make_unique<WebSocketTransport>(std::move(executor), std::move(tls));
}

}  // namespace cvdd
