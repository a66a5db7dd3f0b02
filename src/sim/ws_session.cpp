#include "ws_session.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <set>

#include "coroutines.hpp"

namespace cvdd::sim {
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t queue_limit = 8 << 20;  // bytes; who reads slower than this is cut off
constexpr unsigned unanswered_pings_limit = 3;

std::chrono::microseconds length(Duration d) { return std::chrono::microseconds(d.us); }

class Session final : public Connection, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Hub> hub, TlsStream stream, const Protocol& protocol, std::unique_ptr<Conversation> talk)
      : hub_(std::move(hub)),
        socket_(std::move(stream)),
        protocol_(protocol),
        talk_(std::move(talk)),
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
    if (mute_ || silent_ || hub_->muted) return;
    if (swallow_ > 0) return static_cast<void>(--swallow_);
    if (swap_ > 0 && !held_) {
      --swap_;
      held_ = std::move(frame);
      return;
    }
    if (repeat_ > 0) {
      --repeat_;
      send(frame);
    }
    send(std::move(frame));
    if (held_) send(std::exchange(held_, nullptr));
  }
  void befall(LineFault fault) override {
    switch (fault) {
      case LineFault::reset:
        return cut(true);
      case LineFault::end:
        return say_farewell(websocket::close_code::going_away, "");
      case LineFault::silent:
        silent_ = true;
        return beast::get_lowest_layer(socket_).cancel();
      case LineFault::mute:
        mute_ = true;
        return;
      case LineFault::swallow:
        ++swallow_;
        return;
      case LineFault::repeat:
        repeat_ += 20;
        return;
      case LineFault::swap:
        swap_ += 10;
        return;
      case LineFault::count_:
        return;
    }
  }
  [[nodiscard]] std::string_view exchange() const override { return protocol_.name(); }
  void cut(bool reset) override {
    if (closed_) return;
    closed_ = true;
    boost::system::error_code ignored;
    auto& tcp = beast::get_lowest_layer(socket_).socket();
    if (reset) tcp.set_option(asio::socket_base::linger(true, 0), ignored);  // close then sends RST
    tcp.close(ignored);
    keeper_.cancel();
    second_.cancel();
    wake();
  }
  [[nodiscard]] std::size_t queued() const override { return queued_; }
  [[nodiscard]] bool wraps() const override { return talk_->wraps(); }

 private:
  void send(Frame frame) {
    if (closed_ || farewell_ || silent_) return;
    queued_ += frame->size();
    queue_.push_back(std::move(frame));
    if (queued_ > queue_limit) return cut(true);
    wake();
  }
  asio::awaitable<void> write_queue();
  asio::awaitable<void> keep_alive();
  asio::awaitable<void> let_time_pass();
  bool allowed();
  void act(const Said& said);
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
  std::shared_ptr<Hub> hub_;
  websocket::stream<TlsStream> socket_;
  const Protocol& protocol_;
  std::unique_ptr<Conversation> talk_;
  asio::steady_timer wake_, keeper_, second_{hub_->io};
  std::deque<Frame> queue_;
  std::size_t queued_ = 0;
  std::set<std::string> topics_;
  std::deque<Clock::time_point> received_;  // the last second's messages
  std::optional<websocket::close_reason> farewell_;
  unsigned unanswered_pings_ = 0;
  bool waiting_ = false, closed_ = false;
  bool mute_ = false, silent_ = false;
  unsigned swallow_ = 0, repeat_ = 0, swap_ = 0;
  Frame held_;  // its place is taken by the next
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
    if (type == websocket::frame_type::ping) talk_->pinged(wall_clock());
    if (type != websocket::frame_type::close) static_cast<void>(allowed());
  });
  asio::co_spawn(
      hub_->io, [self]() { return self->write_queue(); }, asio::detached);
  asio::co_spawn(
      hub_->io, [self]() { return self->keep_alive(); }, asio::detached);
  asio::co_spawn(
      hub_->io, [self]() { return self->let_time_pass(); }, asio::detached);
  Said opening;
  talk_->opened(opening);
  act(opening);

  beast::flat_buffer buffer;
  for (;;) {
    auto [error, bytes] = co_await socket_.async_read(buffer, quietly);
    if (error) break;
    if (allowed()) {
      ++hub_->stats.requests;
      Said said;
      talk_->hear({static_cast<const char*>(buffer.data().data()), buffer.size()}, wall_clock(), said);
      act(said);
    }
    buffer.consume(buffer.size());
  }
  while (silent_ && !closed_) {  // the socket stays open, and nobody looks at it
    second_.expires_after(std::chrono::seconds(1));
    co_await second_.async_wait(quietly);
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
    if (silent_) co_return;
    if (error) co_return cut(false);
  }
}

asio::awaitable<void> Session::keep_alive() {
  const auto end = Clock::now() + length(hub_->options.lifetime);
  while (!closed_ && !farewell_) {
    keeper_.expires_at(std::min(end, Clock::now() + length(hub_->options.ping_every)));
    co_await keeper_.async_wait(quietly);
    if (closed_ || farewell_ || silent_) co_return;
    if (Clock::now() >= end) co_return say_farewell(websocket::close_code::normal, "lifetime");
    if (++unanswered_pings_ > unanswered_pings_limit) co_return cut(false);
    const std::string payload = std::to_string(wall_clock().us / 1'000);
    auto [error] = co_await socket_.async_ping(websocket::ping_data(payload.data(), payload.size()), quietly);
    if (silent_) co_return;
    if (error) co_return cut(false);
  }
}

asio::awaitable<void> Session::let_time_pass() {
  while (!closed_ && !farewell_) {
    second_.expires_after(std::chrono::seconds(1));
    co_await second_.async_wait(quietly);
    if (closed_ || farewell_ || silent_) co_return;
    Said said;
    talk_->tick(wall_clock(), said);
    act(said);
  }
}

// Counts one incoming message; the one too many ends the connection.
bool Session::allowed() {
  if (closed_ || farewell_) return false;
  const auto now = Clock::now();
  while (!received_.empty() && now - received_.front() >= std::chrono::seconds(1)) received_.pop_front();
  received_.push_back(now);
  if (received_.size() <= talk_->messages_per_second()) return true;
  ++hub_->stats.limit_violations;
  say_farewell(websocket::close_code::policy_error, "Too many requests");
  return false;
}

void Session::act(const Said& said) {
  if (said.violation) ++hub_->stats.limit_violations;
  for (const std::string& answer : said.answers) send(std::make_shared<const std::string>(answer));
  for (const std::string& topic : said.leave) {
    if (topics_.erase(topic) > 0) std::erase(hub_->channel(topic).readers, this);
  }
  for (const std::string& topic : said.listen) {
    if (topics_.insert(topic).second) hub_->channel(topic).readers.push_back(this);
  }
  if (!said.listen.empty()) hub_->subscribed();
  if (!said.farewell.empty()) say_farewell(websocket::close_code::policy_error, said.farewell.c_str());
}

void Session::leave() {
  if (hub_->connections.erase(this) == 0) return;
  for (const std::string& topic : topics_) std::erase(hub_->channel(topic).readers, this);
  topics_.clear();
}

}  // namespace

asio::awaitable<void> run_websocket(std::shared_ptr<Hub> hub, TlsStream stream, HttpRequest request,
                                    const Protocol& protocol, std::unique_ptr<Conversation> talk) {
  auto session = std::make_shared<Session>(std::move(hub), std::move(stream), protocol, std::move(talk));
  co_await session->run(std::move(request));
}

}  // namespace cvdd::sim
