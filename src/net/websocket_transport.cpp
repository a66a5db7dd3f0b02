// Transport: the upgrade by Beast's HTTP, then frames taken apart where OpenSSL has put them, all that are there at
// once.
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <cstring>
#include <utility>

#include "address.hpp"
#include "connect.hpp"
#include "cvdd/base/flood_limit.hpp"
#include "cvdd/net/ticks.hpp"
#include "frames.hpp"
#include "tls_pipe.hpp"
#include "upgrade.hpp"

namespace cvdd {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t read_message_max = std::size_t{16} << 20;
// What is read, understood and used up before more is read: it stays in the processor's caches meanwhile.
constexpr std::size_t buffer_min = std::size_t{64} << 10;
// So much at once: a burst, and no time to wait for more of it.
constexpr std::size_t burst = std::size_t{32} << 10;
// So much without a rest, and the other connections, and timers, have their turn. Frames and records cost something
// also where they are empty.
constexpr std::size_t turn_max = std::size_t{256} << 10, cost_of_one = 64;
// Frames that bring nothing: pings, and what is empty or nearly so. No exchange sends more than a few in a second.
constexpr std::uint32_t idle_frames_max = 1'024;
// So many ticks without a byte, and the socket is asked to wake us.
constexpr int idle_ticks = 2;

enum Step : std::size_t { reading, writing, closing };

// One connection. Shared with the timer's handler, which may still be queued when the transport is gone.
// Each operation has a deadline of its own; the first to pass closes the socket, which ends them all.
struct Connection : std::enable_shared_from_this<Connection> {
  Connection(const asio::any_io_executor& executor, asio::ip::tcp::socket socket, SSL_CTX* tls)
      : pipe(std::move(socket), tls), timer(executor) {}

  // The timer is only moved forward when it fires: deadlines that follow each message cost nothing per message.
  void watch() {
    const SteadyTime first = *std::min_element(deadlines.begin(), deadlines.end());
    if (first >= armed) return;
    armed = first;
    timer.expires_at(first);
    timer.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
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
    pipe.drop();
    dropped = true;  // SSL_free after this finds no descriptor to write to
  }

  TlsPipe pipe;
  asio::steady_timer timer;
  std::array<SteadyTime, 3> deadlines{SteadyTime::max(), SteadyTime::max(), SteadyTime::max()};  // by Step
  SteadyTime armed = SteadyTime::max();
  SteadyTime last_frame = std::chrono::steady_clock::now();
  bool late = false, dropped = false;
  // What was read: [begin, end) of the buffer is not understood yet.
  std::vector<char> buffer = std::vector<char>(buffer_min);
  std::size_t begin = 0, end = 0;
  FrameWalk walk{read_message_max};
  FrameWalk::Batch batch;
  FloodLimit idle_frames{idle_frames_max};
  int quiet_ticks = idle_ticks;
  bool in_burst = false;
  std::size_t turn = 0;  // bytes, and what frames and records cost, since it last rested
  std::string farewell;  // why the other side closed, once it did
  bool closed = false;
};

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

std::uint32_t random_mask() {
  std::uint32_t mask = 0;
  unsigned char bytes[sizeof mask];
  (void)RAND_bytes(bytes, sizeof bytes);
  std::memcpy(&mask, bytes, sizeof mask);
  return mask;
}

class WebSocketTransport final : public Transport {
 public:
  WebSocketTransport(asio::any_io_executor executor, std::shared_ptr<NetContext> net)
      : executor_(std::move(executor)), net_(std::move(net)), ticks_(Ticks::of(executor_)) {}
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
    beast::tcp_stream tcp(executor_);
    const Result<Reached> reached = co_await connect_tcp(tcp, *net_, url, deadline, detail_);
    if (!reached) co_return reached.error();
    const auto connection =
        std::make_shared<Connection>(executor_, tcp.release_socket(), net_->native().native_handle());
    connection_ = connection;
    if (!expect_host(connection->pipe.ssl(), url.host)) {
      detail_ = "not a host name: " + printable(url.host, 100);
      connection->drop();
      co_return make_error_code(NetError::tls_failed);
    }
    const Deadline limit(*connection, reading, deadline);
    const error_code error = co_await connection->pipe.handshake();
    if (error) {
      error_code cause = make_error_code(NetError::timed_out);
      if (connection->late)
        detail_ = "timed out in the TLS handshake";
      else
        cause = handshake_failed(connection->pipe.ssl(), error, detail_);
      connection->drop();
      co_return cause;
    }
    // Only now: what answered has proved that it is who we meant.
    net_->remember(reached->name, reached->endpoints);
    const Result<void> upgraded = co_await upgrade(*connection, url, path);
    if (!upgraded) {
      connection->drop();
      co_return upgraded.error();
    }
    connection->last_frame = std::chrono::steady_clock::now();
    co_return Result<void>();
  }

  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    const auto connection = connection_;
    if (!connection) {
      detail_ = "not connected";
      co_return make_error_code(NetError::closed);
    }
    Connection& c = *connection;
    const Deadline limit(c, reading, deadline);
    while (true) {
      if (c.closed) {
        detail_ = c.farewell;
        co_return make_error_code(NetError::closed);
      }
      co_await rest(c);
      if (c.dropped) co_return failure(c, TlsPipe::Outcome::ended, "waiting for a message");
      understand(c);
      if (!c.idle_frames.add(c.batch.idle, std::chrono::steady_clock::now())) {
        detail_ = "more than " + std::to_string(idle_frames_max) + " frames without data in a second";
        co_return make_error_code(NetError::protocol);
      }
      c.turn += cost_of_one * (c.batch.messages.size() + c.batch.controls.size());
      if (!c.batch.messages.empty()) co_return std::span<const std::string_view>(c.batch.messages);
      if (c.batch.error != nullptr) {
        detail_ = c.batch.error;
        co_return make_error_code(NetError::protocol);
      }
      if (c.batch.more) c.turn += turn_max / 16;  // fragments that make no message yet
      if (c.closed || c.batch.more) continue;
      const TlsPipe::Outcome outcome = co_await more(c);
      if (outcome == TlsPipe::Outcome::done) continue;
      co_return failure(c, outcome, "waiting for a message");
    }
  }

  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime deadline) override {
    co_return co_await send_frame(Opcode::text, text, deadline);
  }
  asio::awaitable<Result<void>> ping(SteadyTime deadline) override {
    co_return co_await send_frame(Opcode::ping, {}, deadline);
  }

  asio::awaitable<void> close(SteadyTime deadline) override {
    const auto connection = connection_;
    if (!connection) co_return;
    if (!connection->dropped && !connection->closed) {
      const Deadline limit(*connection, closing, deadline);
      const std::string normal("\x03\xe8", 2);  // 1000
      (void)co_await send(*connection, Opcode::close, normal);
      if (!connection->dropped) (void)SSL_shutdown(connection->pipe.ssl());
    }
    connection->drop();
  }

  [[nodiscard]] SteadyTime last_frame() const override { return connection_ ? connection_->last_frame : SteadyTime(); }
  [[nodiscard]] std::optional<HttpRefusal> last_refusal() const override { return refusal_; }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  asio::awaitable<Result<void>> send_frame(Opcode opcode, std::string_view text, SteadyTime deadline) {
    const auto connection = connection_;
    if (!connection) {
      detail_ = "not connected";
      co_return make_error_code(NetError::closed);
    }
    const Deadline limit(*connection, writing, deadline);
    co_return co_await send(*connection, opcode, text);
  }

  void let_go() noexcept {
    if (connection_) {
      connection_->drop();
      connection_.reset();
    }
  }

  // All whole frames that were read; what they ask for is answered.
  void understand(Connection& c) {
    c.walk.walk({c.buffer.data() + c.begin, c.end - c.begin}, c.batch);
    c.begin += c.batch.consumed;
    if (c.batch.consumed > 0) c.last_frame = std::chrono::steady_clock::now();
    bool answered = false;
    for (const ControlFrame& control : c.batch.controls) {
      if (control.kind == ControlFrame::Kind::pong) continue;
      const bool ping = control.kind == ControlFrame::Kind::ping;
      frame_.clear();
      append_frame(frame_, ping ? Opcode::pong : Opcode::close, control.payload.substr(0, ping ? 125 : 2),
                   random_mask());
      // Who pings without end and reads no answer gets none.
      answered = c.pipe.queue(frame_) || answered;
      if (!ping) say_why(c, control.payload);
    }
    if (answered) (void)c.pipe.flush();
  }

  // Who had its turn lets the others have theirs.
  asio::awaitable<void> rest(Connection& c) {
    if (c.turn < turn_max) co_return;
    c.turn = 0;
    co_await asio::post(executor_, asio::use_awaitable);
  }

  static void say_why(Connection& c, std::string_view payload) {
    c.closed = true;
    c.farewell = "closed with code ";
    if (payload.size() < 2) {
      c.farewell += "1005";
      return;
    }
    c.farewell += std::to_string(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
    if (payload.size() > 2) c.farewell += ": " + printable(payload.substr(2), 200);
  }

  // Waits for bytes and takes what is there. After a wake-up it lets a moment pass, so that the next one serves many
  // messages, of all connections: their ticks are the same. A burst is read without waiting until nothing is left.
  asio::awaitable<TlsPipe::Outcome> more(Connection& c) {
    make_room(c);
    const auto coalesce = net_->coalesce();
    while (!c.dropped) {
      if (c.pipe.has_queued()) (void)c.pipe.flush();  // a pong that found no room
      const bool ticking = coalesce.count() > 0 && c.quiet_ticks < idle_ticks;
      if (c.in_burst) {
        c.pipe.fetch();
      } else {
        if (!ticking && !c.pipe.ready()) {
          const error_code error = co_await c.pipe.arrival();
          if (error) co_return TlsPipe::Outcome::ended;
          c.turn = 0;
        }
        if (coalesce.count() > 0) {
          if (c.quiet_ticks == 0) c.pipe.leave_alone();
          co_await ticks_.next(c.pipe, coalesce);
          c.turn = 0;
          const auto given_up = co_await asio::this_coro::cancellation_state;
          if (given_up.cancelled() != asio::cancellation_type::none) co_return TlsPipe::Outcome::ended;
        }
      }
      std::size_t got = 0;
      const std::size_t room = std::min(c.buffer.size() - c.end, turn_max);
      const std::uint64_t records = c.pipe.records();
      const TlsPipe::Outcome outcome = c.pipe.read(c.buffer.data() + c.end, room, got);
      c.end += got;
      c.turn += got + cost_of_one * (c.pipe.records() - records);
      c.in_burst = got >= burst || (c.in_burst && got > 0) || c.end == c.buffer.size();
      if (got > 0) {
        c.quiet_ticks = ticking || c.in_burst ? 0 : idle_ticks - 1;
        co_return TlsPipe::Outcome::done;
      }
      // Done without a byte: records that brought none, and there are more.
      if (outcome != TlsPipe::Outcome::nothing && outcome != TlsPipe::Outcome::done) co_return outcome;
      if (ticking) ++c.quiet_ticks;
      co_await rest(c);
    }
    co_return TlsPipe::Outcome::ended;
  }

  // What was understood makes place for what comes; a message that is longer than the buffer gets a longer one, as fast
  // as it comes and not as its header says.
  static void make_room(Connection& c) {
    if (c.begin > 0) {
      std::memmove(c.buffer.data(), c.buffer.data() + c.begin, c.end - c.begin);
      c.end -= c.begin;
      c.begin = 0;
    }
    if (c.end == c.buffer.size()) {
      c.buffer.resize(std::max(std::min(c.batch.wanted, c.buffer.size() * 2), c.buffer.size() + buffer_min));
    } else if (c.buffer.size() > buffer_min && c.end < buffer_min && c.batch.wanted <= buffer_min) {
      c.buffer.resize(buffer_min);
      c.buffer.shrink_to_fit();
    }
  }

  asio::awaitable<Result<void>> send(Connection& c, Opcode opcode, std::string_view text) {
    std::string frame;
    append_frame(frame, opcode, text, random_mask());
    if (!c.pipe.queue(frame)) {
      detail_ = "the other side does not read what is sent to it";
      co_return make_error_code(NetError::closed);
    }
    co_return co_await send_queued(c);
  }

  asio::awaitable<Result<void>> send_queued(Connection& c) {
    while (true) {
      if (c.dropped) co_return failure(c, TlsPipe::Outcome::ended, "sending");
      const TlsPipe::Outcome outcome = c.pipe.flush();
      if (outcome == TlsPipe::Outcome::done) co_return Result<void>();
      if (outcome != TlsPipe::Outcome::nothing) co_return failure(c, outcome, "sending");
      const error_code error = co_await c.pipe.writable();
      if (error) co_return failure(c, TlsPipe::Outcome::ended, "sending");
    }
  }

  asio::awaitable<Result<void>> upgrade(Connection& c, const Url& url, const std::string& path) {
    const std::string key = random_websocket_key();
    if (!c.pipe.queue(upgrade_request(url, path, key))) co_return make_error_code(NetError::protocol);
    const Result<void> sent = co_await send_queued(c);
    if (!sent) co_return sent.error();
    UpgradeReader reader;
    while (!reader.done()) {
      c.begin += reader.put({c.buffer.data() + c.begin, c.end - c.begin});
      if (reader.done()) break;
      make_room(c);
      std::size_t got = 0;
      if (!c.pipe.has_more()) c.pipe.fetch();
      TlsPipe::Outcome outcome = c.pipe.read(c.buffer.data() + c.end, c.buffer.size() - c.end, got);
      c.end += got;
      if (got > 0 || outcome == TlsPipe::Outcome::done) continue;
      if (outcome == TlsPipe::Outcome::nothing) {
        const error_code waited = co_await c.pipe.arrival();
        if (!waited) continue;
        outcome = TlsPipe::Outcome::ended;
      }
      if (c.late || c.dropped || !reader.has_header()) co_return failure(c, outcome, "in the WebSocket handshake");
      reader.end();  // a refusal's body may end so
    }
    if (!reader.wrong().empty()) {
      detail_ = reader.wrong() + " in the WebSocket handshake";
      co_return make_error_code(NetError::protocol);
    }
    co_return judge(reader.answer(), key);
  }

  [[nodiscard]] Result<void> judge(const UpgradeAnswer& answer, const std::string& key) {
    refusal_ = read_upgrade_answer(answer, key, detail_);
    if (!refusal_) return detail_.empty() ? Result<void>() : Result<void>(make_error_code(NetError::protocol));
    const auto told = [&](http::field name, std::size_t max) {
      const auto value = answer[name];
      if (value.empty()) return std::string();
      return ", " + std::string(http::to_string(name)) + " " + printable({value.data(), value.size()}, max);
    };
    detail_ = "HTTP " + std::to_string(refusal_->status) + told(http::field::location, 200) +
              told(http::field::retry_after, 100);
    if (refusal_->retry_after == retry_after_max) detail_ += " (a day is the most that is waited)";
    if (!refusal_->body.empty()) detail_ += ": " + refusal_->body;
    return make_error_code(NetError::upgrade_refused);
  }

  // Causes instead of library codes; the library's words stay in the detail.
  [[nodiscard]] error_code failure(Connection& c, TlsPipe::Outcome outcome, const char* doing) {
    if (c.late) {
      detail_ = std::string("timed out ") + doing;
      return make_error_code(NetError::timed_out);
    }
    detail_ = (c.pipe.last_error().empty() ? "closed" : c.pipe.last_error()) + " " + doing;
    return make_error_code(outcome == TlsPipe::Outcome::broken ? NetError::protocol : NetError::closed);
  }

  asio::any_io_executor executor_;
  std::shared_ptr<NetContext> net_;
  Ticks& ticks_;
  std::shared_ptr<Connection> connection_;
  std::string detail_, frame_;
  std::optional<HttpRefusal> refusal_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(asio::any_io_executor executor, std::shared_ptr<NetContext> tls) {
  return std::make_unique<WebSocketTransport>(std::move(executor), std::move(tls));
}

}  // namespace cvdd
