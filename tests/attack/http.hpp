// Plain HTTP of a client that may misbehave: blocking sockets with patience, on loopback.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cvdd::attack {

class Connection {
 public:
  // Not good() if nobody accepts. Every call waits for up to `patience`.
  explicit Connection(std::uint16_t port, std::chrono::milliseconds patience = std::chrono::seconds(2));
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] bool good() const { return fd_ >= 0; }
  bool say(std::string_view text);
  // At most `most` bytes; empty: the end, or patience is.
  [[nodiscard]] std::string hear(std::size_t most = 65'536);
  // Throws away what is there, without waiting; false: the end.
  bool drain();
  // A whole answer on a connection that goes on. Its status, or 0; `body`: if it is wanted.
  int ask(const std::string& target, const std::string& more = "", std::string* body = nullptr);

 private:
  int fd_ = -1;
  std::string rest_;
};

[[nodiscard]] std::uint16_t free_port();
[[nodiscard]] std::string get(std::uint16_t port, const std::string& target, int& status);

}  // namespace cvdd::attack
