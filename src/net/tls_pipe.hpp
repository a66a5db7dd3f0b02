// A TLS connection read in large pieces: OpenSSL on the socket, one system call for as many records as are there.
// Belongs to the io thread. Asio waits, and nothing else.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace cvdd {

namespace asio = boost::asio;

class TlsPipe {
 public:
  TlsPipe(asio::ip::tcp::socket socket, SSL_CTX* context);
  ~TlsPipe() { drop(); }
  TlsPipe(const TlsPipe&) = delete;
  TlsPipe& operator=(const TlsPipe&) = delete;
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  asio::awaitable<boost::system::error_code> handshake();

  enum class Outcome : std::uint8_t { done, nothing, ended, broken };
  // Whatever is there, up to `room` bytes, without waiting. `ended`: the other side closed, or was cut off.
  // `again_soon`: whatever comes, it is called again before long, so nobody has to ask the system whether that was all.
  [[nodiscard]] Outcome read(char* to, std::size_t room, std::size_t& got, bool again_soon = false);
  asio::awaitable<boost::system::error_code> readable();
  // Until the next wait nobody is woken by what arrives.
  void leave_alone();

  // Behind what is waiting already; false if too much is.
  [[nodiscard]] bool queue(std::string_view bytes);
  // Sends what it can without waiting: `nothing` if some of it has to wait.
  [[nodiscard]] Outcome flush();
  asio::awaitable<boost::system::error_code> writable();

  // Every wait ends. Nothing can be done with it afterwards.
  void drop();
  [[nodiscard]] const std::string& last_error() const { return error_; }

  static constexpr std::size_t queue_max = std::size_t{1} << 20;

  // What OpenSSL reads from and writes to.
  struct SocketEnd {
    int fd = -1;
    bool skips = false;    // a call that could bring no more
    bool drained = false;  // the last one brought less than it might have
  };

 private:
  [[nodiscard]] Outcome outcome_of(int result);
  [[nodiscard]] boost::system::error_code watch();
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  asio::ip::tcp::socket socket_;  // open while Asio watches the descriptor
  asio::ip::tcp protocol_;
  int fd_ = -1;
  unsigned waits_ = 0;  // that go on
  std::unique_ptr<SocketEnd> end_ = std::make_unique<SocketEnd>();
  std::unique_ptr<SSL, Free> ssl_;
  std::string out_;
  std::string error_;
};

}  // namespace cvdd
