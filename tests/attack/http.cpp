#include "attack/http.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace cvdd::attack {

namespace {
sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}
}  // namespace

Connection::Connection(std::uint16_t port, std::chrono::milliseconds patience)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{patience.count() / 1'000, patience.count() % 1'000 * 1'000};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
  ::close(fd_);
  fd_ = -1;
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

bool Connection::say(std::string_view text) {
  return fd_ >= 0 && ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string Connection::hear(std::size_t most) {
  std::string out(most, '\0');
  const ssize_t got = fd_ < 0 ? -1 : ::recv(fd_, out.data(), out.size(), 0);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

bool Connection::drain() {
  char piece[65'536];
  ssize_t got = 0;
  while (fd_ >= 0 && (got = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT)) > 0) {
  }
  return fd_ >= 0 && got < 0;
}

int Connection::ask(const std::string& target, const std::string& more, std::string* body) {
  if (!say("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n")) return 0;
  std::size_t end = rest_.npos;
  while ((end = rest_.find("\r\n\r\n")) == rest_.npos) {
    const std::string some = hear();
    if (some.empty()) return 0;
    rest_ += some;
  }
  const auto length = rest_.find("Content-Length: ");
  std::size_t left = length < end ? std::strtoull(rest_.c_str() + length + 16, nullptr, 10) : 0;
  const int status = std::atoi(rest_.c_str() + 9);
  rest_.erase(0, end + 4);
  const auto take = [&] {
    const std::size_t some = std::min(left, rest_.size());
    if (body != nullptr) body->append(rest_, 0, some);
    rest_.erase(0, some);
    left -= some;
  };
  for (take(); left > 0; take()) {
    rest_ = hear(std::min<std::size_t>(left, 1 << 18));
    if (rest_.empty()) return 0;
  }
  return status;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string get(std::uint16_t port, const std::string& target, int& status) {
  Connection connection(port, std::chrono::seconds(15));
  std::string body;
  status = connection.ask(target, "Connection: close\r\n", &body);
  return body;
}

}  // namespace cvdd::attack
