#include "load/yardsticks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <simdjson.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "cvdd/base/latency.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/pipeline/wakeup.hpp"
#include "load/prepared.hpp"
#include "net/frames.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace cvdd::load {

namespace {
std::uint64_t sum_of(simdjson::ondemand::parser& parser, simdjson::padded_string_view text, std::uint64_t& time) {
  simdjson::ondemand::document document;
  std::uint64_t id = 0;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS) return 0;
  auto data = document["data"];
  std::string_view price, size;
  if (data["a"].get(id) != simdjson::SUCCESS || data["p"].get(price) != simdjson::SUCCESS ||
      data["q"].get(size) != simdjson::SUCCESS || data["T"].get(time) != simdjson::SUCCESS) {
    return 0;
  }
  return id + price.size() + size.size();
}

SSL_CTX* client_context(const std::string& ca) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return context;
}
const char ask[] = R"({"method":"SUBSCRIBE","params":["all"],"id":1})";

// Of all connections together; to an eighth, as each of them is kept.
std::int64_t quantile(std::span<const Latency> latencies, std::uint64_t percent) {
  std::uint64_t all = 0;
  for (const Latency& latency : latencies) all += latency.count();
  for (std::int64_t us = 1;; us += std::max<std::int64_t>(1, us / 16)) {
    std::uint64_t so_far = 0;
    for (const Latency& latency : latencies) so_far += latency.up_to({us});
    if (so_far * 100 >= all * percent) return us;
  }
}

void tell(std::span<const Latency> latencies) {
  fmt::print(stderr, "event_to_ledger_p50_us={} event_to_ledger_p99_us={}\n", quantile(latencies, 50),
             quantile(latencies, 99));
}

}  // namespace

namespace {
// One thread that takes what all connections hand over, as the daemon's aggregator does.
class Hop {
 public:
  explicit Hop(std::size_t connections) {
    for (std::size_t i = 0; i < connections; ++i) channels_.push_back(std::make_unique<Channel>());
    thread_ = std::thread([this] { take(); });
  }
  ~Hop() {
    stopping_ = true;
    wakeup_.ring();
    thread_.join();
  }
  Hop(const Hop&) = delete;
  Hop& operator=(const Hop&) = delete;
  void push(std::size_t connection, std::span<const Record> records) {
    while (!records.empty()) {
      records = records.subspan(channels_[connection]->push(records));
      wakeup_.ring();
      if (!records.empty()) std::this_thread::yield();
    }
  }
  [[nodiscard]] const Latency& latency() const { return latency_; }

 private:
  [[nodiscard]] bool any() const {
    return stopping_ || std::any_of(channels_.begin(), channels_.end(), [](const auto& c) { return !c->empty(); });
  }
  void take() {
    while (!stopping_) {
      for (const auto& channel : channels_) {
        const auto batch = channel->front(4'096);
        const std::int64_t now = wall_us();
        for (const Record& record : batch) latency_.add(Timestamp{now} - record.time());
        channel->release(batch.size());
      }
      wakeup_.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(1), [this] { return any(); });
    }
  }
  std::vector<std::unique_ptr<Channel>> channels_;
  Wakeup wakeup_;
  Latency latency_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// What OpenSSL allows on one connection: its read-ahead, one buffer, frames walked where they lie.
class FloorConnection {
 public:
  // Connected and subscribed, or not good().
  FloorConnection(SSL_CTX* context, std::uint16_t port) : ssl_(SSL_new(context)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    SSL_set_fd(ssl_, fd);
    SSL_set_read_ahead(ssl_, 1);
    SSL_set_default_read_buffer_len(ssl_, 8 * 1024);
    if (SSL_connect(ssl_) != 1) return;
    const std::string request =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    SSL_write(ssl_, request.data(), static_cast<int>(request.size()));
    while (std::string_view(buffer_.data(), end_).find("\r\n\r\n") == std::string_view::npos) {
      const int got = SSL_read(ssl_, buffer_.data() + end_, 4096);
      if (got <= 0) return;
      end_ += static_cast<std::size_t>(got);
    }
    end_ = 0;
    std::string frame;
    append_frame(frame, Opcode::text, ask, 1);
    SSL_write(ssl_, frame.data(), static_cast<int>(frame.size()));
    good_ = true;
  }
  [[nodiscard]] bool good() const { return good_; }
  void do_not_wait() const { ::fcntl(SSL_get_fd(ssl_), F_SETFL, O_NONBLOCK); }

  // Each message that one call brought: when it was made, and what time it is then, which is asked once for all of
  // them. False at the end.
  template <class Each>
  bool take(Each each) {
    int got = 0;
    while ((got = SSL_read(ssl_, buffer_.data() + end_, static_cast<int>(buffer_.size() - end_ - 256))) > 0) {
      end_ += static_cast<std::size_t>(got);
      if (SSL_has_pending(ssl_) == 0 || end_ >= buffer_.size() / 2) break;
    }
    const bool waits = got <= 0 && SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ;
    walk_.walk({buffer_.data(), end_}, batch_);
    const std::int64_t now = wall_us();
    for (const std::string_view m : batch_.messages) {
      std::uint64_t time = 0;
      sum += sum_of(parser_, simdjson::padded_string_view(m.data(), m.size(), m.size() + simdjson::SIMDJSON_PADDING),
                    time);
      each(static_cast<std::int64_t>(time), now);
    }
    std::memmove(buffer_.data(), buffer_.data() + batch_.consumed, end_ - batch_.consumed);
    end_ -= batch_.consumed;
    return got > 0 || waits;
  }
  std::uint64_t sum = 0;

 private:
  SSL* ssl_;
  bool good_ = false;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
  std::size_t end_ = 0;
  simdjson::ondemand::parser parser_;
  FrameWalk walk_{1 << 20};
  FrameWalk::Batch batch_;
};
}  // namespace

int floor_client(std::uint16_t port, const std::string& ca, std::size_t connections, bool hops) {
  SSL_CTX* context = client_context(ca);
  std::vector<std::thread> threads;
  std::vector<Latency> latencies(connections);
  std::optional<Hop> hop;
  if (hops) hop.emplace(connections);
  std::atomic<std::uint64_t> total{0};
  for (std::size_t n = 0; n < connections; ++n) {
    threads.emplace_back([&, n] {
      Latency& latency = latencies[n];
      FloorConnection connection(context, port);
      if (!connection.good()) return;
      std::vector<Record> records;
      for (bool more = true; more;) {
        const auto later = [&](std::int64_t time, std::int64_t) {
          records.push_back(Record::mark(RecordKind::trade, 0, {time}));
        };
        const auto now = [&](std::int64_t time, std::int64_t at) { latency.add({at - time}); };
        more = hop ? connection.take(later) : connection.take(now);
        if (hop) hop->push(n, records);
        records.clear();
      }
      total += connection.sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  tell(hop ? std::span(&hop->latency(), 1) : std::span<const Latency>(latencies));
  return total.load() == 42 ? 3 : 0;
}

int ticking_floor_client(std::uint16_t port, const std::string& ca, std::size_t connections) {
  SSL_CTX* context = client_context(ca);
  std::vector<std::unique_ptr<FloorConnection>> all;
  for (std::size_t n = 0; n < connections; ++n) {
    all.push_back(std::make_unique<FloorConnection>(context, port));
    if (!all.back()->good()) return 1;
    all.back()->do_not_wait();
  }
  Latency latency;
  std::uint64_t sum = 0;
  for (bool more = true; more;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const auto& connection : all) {
      more = more && connection->take([&](std::int64_t time, std::int64_t now) { latency.add({now - time}); });
      sum += connection->sum;
    }
  }
  tell(std::span(&latency, 1));
  return sum == 42 ? 3 : 0;
}

namespace {
asio::awaitable<void> naive_connection(asio::ssl::context& tls, std::uint16_t port, std::uint64_t& sum,
                                       Latency& latency) {
  using Ws = beast::websocket::stream<beast::ssl_stream<beast::tcp_stream>>;
  Ws ws(co_await asio::this_coro::executor, tls);
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  co_await beast::get_lowest_layer(ws).async_connect(where, asio::use_awaitable);
  co_await ws.next_layer().async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_await ws.async_handshake("localhost", "/", asio::use_awaitable);
  const std::string request = ask;
  co_await ws.async_write(asio::buffer(request), asio::use_awaitable);
  simdjson::ondemand::parser parser;
  beast::flat_buffer buffer;
  buffer.reserve(64 * 1024);
  while (true) {
    co_await ws.async_read(buffer, asio::use_awaitable);
    buffer.reserve(buffer.size() + simdjson::SIMDJSON_PADDING);
    std::uint64_t time = 0;
    const simdjson::padded_string_view text(static_cast<const char*>(buffer.cdata().data()), buffer.size(),
                                            buffer.size() + simdjson::SIMDJSON_PADDING);
    sum += sum_of(parser, text, time);
    latency.add({wall_us() - static_cast<std::int64_t>(time)});
    buffer.clear();
  }
}

}  // namespace

int naive_client(std::uint16_t port, const std::string& ca, std::size_t connections) {
  asio::io_context io(1);
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(ca);
  tls.set_verify_mode(asio::ssl::verify_peer);
  std::uint64_t sum = 0;
  Latency latency;
  for (std::size_t i = 0; i < connections; ++i) {
    asio::co_spawn(io, naive_connection(tls, port, sum, latency), [](const std::exception_ptr&) {});
  }
  io.run();
  tell(std::span(&latency, 1));
  return sum == 42 ? 3 : 0;
}

}  // namespace cvdd::load
