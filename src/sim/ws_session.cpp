#if defined(__GNUC__) && \
    !defined(__clang__)  // g++ 12 misjudges Asio's coroutine frames and executors when it inlines them
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#endif
#include "cvdd/sim/ws_session.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <set>

namespace cvdd::sim {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t queue_limit = 8 << 20;  // bytes; who reads slower than this is cut off
constexpr unsigned unanswered_pings_limit = 3;

std::chrono::microseconds length(Duration d) { return std::chrono::microseconds(d.us); }

class Session final : public Connection, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Hub> hub, TlsStream stream, Market market, binance::Entry entry)
      : hub_(std::move(hub)),
        socket_(std::move(stream)),
        market_(market),
        door_(entry.door),
        combined_(entry.combined),
        asked_(std::move(entry.streams)),
        wake_(hub_->io),
        keeper_(hub_->io) {
    hub_->connections.insert(this);
    ++hub_->stats.connections;
  }
  ~Session() override { leave(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  asio::awaitable<void> run(HttpRequest request);

  void push(Frame frame) override {
    if (closed_ || farewell_) return;
    queued_ += frame->size();
    queue_.push_back(std::move(frame));
    if (queued_ > queue_limit) return cut(true);
    wake();
  }
  void cut(bool reset) override {
    if (closed_) return;
    closed_ = true;
    boost::system::error_code ignored;
    auto& tcp = beast::get_lowest_layer(socket_).socket();
    if (reset) tcp.set_option(asio::socket_base::linger(true, 0), ignored);  // close then sends RST
    tcp.close(ignored);
    keeper_.cancel();
    wake();
  }
  [[nodiscard]] std::size_t queued() const override { return queued_; }
  [[nodiscard]] bool combined() const override { return combined_; }

 private:
  asio::awaitable<void> write_queue();
  asio::awaitable<void> keep_alive();
  void handle(std::string_view text);
  bool allowed();
  void subscribe(const std::vector<std::string>& streams, std::string_view id);
  void listen(const std::string& stream, bool on);
  void leave();
  void wake() {
    if (waiting_) wake_.cancel();
  }
  // Ends the connection after what is queued was sent.
  void say_farewell(websocket::close_code code, const char* reason) {
    if (farewell_) return;
    farewell_ = websocket::close_reason(code, reason);
    wake();
  }
  void answer(std::string text) { push(std::make_shared<const std::string>(std::move(text))); }

  std::shared_ptr<Hub> hub_;
  websocket::stream<TlsStream> socket_;
  const Market market_;
  const binance::Door door_;
  bool combined_;
  std::vector<std::string> asked_;  // by the address
  asio::steady_timer wake_, keeper_;
  std::deque<Frame> queue_;
  std::size_t queued_ = 0;
  std::set<std::string> streams_;
  std::deque<Clock::time_point> received_;  // the last second's messages
  std::optional<websocket::close_reason> farewell_;
  unsigned unanswered_pings_ = 0;
  bool waiting_ = false, closed_ = false;
};

asio::awaitable<void> Session::run(HttpRequest request) {
  const auto self = shared_from_this();  // the other coroutines hold one each
  beast::get_lowest_layer(socket_).expires_never();
  socket_.set_option(websocket::stream_base::timeout{std::chrono::seconds(30), websocket::stream_base::none(), false});
  socket_.read_message_max(256 * 1024);
  socket_.auto_fragment(false);
  socket_.text(true);
  if (auto [error] = co_await socket_.async_accept(request, quietly); error || closed_) {
    cut(false);
    leave();
    co_return;
  }
  socket_.control_callback([this](websocket::frame_type type, beast::string_view) {
    if (type == websocket::frame_type::pong) unanswered_pings_ = 0;
    if (type != websocket::frame_type::close) static_cast<void>(allowed());
  });
  asio::co_spawn(
      hub_->io, [self]() { return self->write_queue(); }, asio::detached);
  asio::co_spawn(
      hub_->io, [self]() { return self->keep_alive(); }, asio::detached);
  if (!asked_.empty()) subscribe(asked_, "");

  beast::flat_buffer buffer;
  for (;;) {
    auto [error, bytes] = co_await socket_.async_read(buffer, quietly);
    if (error) break;
    if (allowed()) handle({static_cast<const char*>(buffer.data().data()), buffer.size()});
    buffer.consume(buffer.size());
  }
  cut(false);
  leave();
}

asio::awaitable<void> Session::write_queue() {
  while (!closed_) {
    if (queue_.empty() && farewell_) {
      co_await socket_.async_close(*farewell_, quietly);  // ends the reader too
      co_return cut(false);
    }
    if (queue_.empty()) {
      waiting_ = true;
      wake_.expires_at(Clock::time_point::max());
      co_await wake_.async_wait(quietly);
      waiting_ = false;
      continue;
    }
    const Frame frame = std::move(queue_.front());
    queue_.pop_front();
    auto [error, bytes] = co_await socket_.async_write(asio::buffer(*frame), quietly);
    queued_ -= frame->size();
    if (error) co_return cut(false);
  }
}

asio::awaitable<void> Session::keep_alive() {
  const auto end = Clock::now() + length(hub_->options.lifetime);
  while (!closed_ && !farewell_) {
    keeper_.expires_at(std::min(end, Clock::now() + length(hub_->options.ping_every)));
    co_await keeper_.async_wait(quietly);
    if (closed_ || farewell_) co_return;
    if (Clock::now() >= end) co_return say_farewell(websocket::close_code::normal, "lifetime");
    if (++unanswered_pings_ > unanswered_pings_limit) co_return cut(false);
    const std::string payload = std::to_string(wall_clock().us / 1'000);
    auto [error] = co_await socket_.async_ping(websocket::ping_data(payload.data(), payload.size()), quietly);
    if (error) co_return cut(false);
  }
}

// Counts one incoming message; the one too many ends the connection.
bool Session::allowed() {
  if (closed_ || farewell_) return false;
  const auto now = Clock::now();
  while (!received_.empty() && now - received_.front() >= std::chrono::seconds(1)) received_.pop_front();
  received_.push_back(now);
  const ServerOptions& o = hub_->options;
  if (received_.size() <= (market_ == Market::spot ? o.messages_per_second_spot : o.messages_per_second_futures))
    return true;
  ++hub_->stats.limit_violations;
  say_farewell(websocket::close_code::policy_error, "Too many requests");
  return false;
}

void Session::handle(std::string_view text) {
  ++hub_->stats.requests;
  const auto request = binance::parse_request(market_, text);
  switch (request.method) {
    case binance::Method::bad:
      return answer(request.error);
    case binance::Method::subscribe:
      return subscribe(request.streams, request.id);
    case binance::Method::unsubscribe:
      for (const std::string& stream : request.streams)
        if (streams_.erase(stream) > 0) listen(stream, false);
      return answer(binance::acknowledgement(request.id));
    case binance::Method::list:
      return answer(binance::stream_list(std::vector(streams_.begin(), streams_.end()), request.id));
    case binance::Method::set_property:
      combined_ = request.combined;
      return answer(binance::acknowledgement(request.id));
    case binance::Method::get_property:
      return answer(std::string(R"({"result":)") + (combined_ ? "true" : "false") + R"(,"id":)" + request.id + "}");
  }
}

// `id` empty: asked by the address, which is not acknowledged.
void Session::subscribe(const std::vector<std::string>& streams, std::string_view id) {
  std::set<std::string> fresh;
  for (const std::string& stream : streams)
    if (!streams_.contains(stream)) fresh.insert(stream);
  if (streams_.size() + fresh.size() > hub_->options.streams_per_connection) {
    ++hub_->stats.limit_violations;
    answer(binance::error_answer(market_, 2, "Invalid request: too many streams", id.empty() ? "null" : id));
    return say_farewell(websocket::close_code::policy_error, "Invalid request");
  }
  if (!id.empty()) answer(binance::acknowledgement(id));  // before any of their frames
  for (const std::string& stream : fresh) listen(stream, true);
  streams_.merge(fresh);
  hub_->subscribed();
}

void Session::listen(const std::string& stream, bool on) {
  if (!binance::delivers(market_, door_, stream)) return;
  auto& readers = hub_->channel(market_, stream).readers;
  if (on)
    readers.push_back(this);
  else
    std::erase(readers, this);
}

void Session::leave() {
  if (hub_->connections.erase(this) == 0) return;
  for (const std::string& stream : streams_) listen(stream, false);
  streams_.clear();
}

}  // namespace

asio::awaitable<void> run_websocket(std::shared_ptr<Hub> hub, TlsStream stream, HttpRequest request, Market market,
                                    binance::Entry entry) {
  auto session = std::make_shared<Session>(std::move(hub), std::move(stream), market, std::move(entry));
  co_await session->run(std::move(request));
}

}  // namespace cvdd::sim
