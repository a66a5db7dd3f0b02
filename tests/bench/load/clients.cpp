#include "load/clients.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace cvdd::load {

Clients::Clients(const std::string& listen, std::size_t pollers, std::size_t streams)
    : port_(static_cast<std::uint16_t>(std::strtoul(listen.substr(listen.rfind(':') + 1).c_str(), nullptr, 10))),
      metrics_(pollers) {
  for (std::size_t i = 0; i < pollers; ++i) threads_.emplace_back([this, i] { poll(i); });
  for (std::size_t i = 0; i < streams; ++i) threads_.emplace_back([this] { listen_on(); });
}

Clients::~Clients() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

int Clients::connected() const {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{2, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void Clients::poll(std::size_t number) {
  const char* const paths[] = {"/metrics", "/api/v1/instruments", "/readyz", "/api/v1/connections",
                               "/api/v1/bars?exchange=binance&market=linear&symbol=BTCUSDT"};
  std::string answer(1 << 16, '\0'), head;
  for (std::size_t n = number; !stopping_; ++n) {
    const std::size_t which = n % std::size(paths);
    const auto begin = std::chrono::steady_clock::now();
    const int fd = connected();
    if (fd < 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const std::string request =
        fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", paths[which]);
    (void)::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::size_t bytes = 0;
    head.clear();
    for (ssize_t got; (got = ::recv(fd, answer.data(), answer.size(), 0)) > 0;) {
      if (head.size() < 12) head.append(answer, 0, static_cast<std::size_t>(got));
      bytes += static_cast<std::size_t>(got);
    }
    ::close(fd);
    const bool good = head.starts_with("HTTP/1.1 200");
    ++(good ? answers_ : refused_);
    if (!good || which != 0) continue;
    const auto took = std::chrono::steady_clock::now() - begin;
    metrics_[number].add({std::chrono::duration_cast<std::chrono::microseconds>(took).count()});
    metrics_bytes_ = bytes;
  }
}

void Clients::listen_on() {
  const int fd = connected();
  if (fd < 0) return;
  const std::string request =
      "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  (void)::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string bytes(1 << 18, '\0');
  while (!stopping_) {
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got > 0) ++messages_;
    if (got == 0) {
      ++ended_;
      break;
    }
  }
  ::close(fd);
}

Clients::Told Clients::told() const {
  Told out{answers_, refused_, messages_, ended_, {}, {}, metrics_bytes_};
  for (const Latency& latency : metrics_) {
    out.metrics_p50 = std::max(out.metrics_p50, latency.quantile(50, 100));
    out.metrics_p99 = std::max(out.metrics_p99, latency.quantile(99, 100));
  }
  return out;
}

}  // namespace cvdd::load
