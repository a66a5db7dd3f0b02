// A TLS connection read in large pieces: OpenSSL on the socket, one system call for as many records as are there.
// Belongs to the io thread. Asio waits, and nothing else.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/net/ticks.hpp"
#include "record_limit.hpp"

namespace cvdd {

class TlsPipe final : public TickReader {
 public:
  TlsPipe(asio::ip::tcp::socket socket, SSL_CTX* context);
  ~TlsPipe() { drop(); }
  TlsPipe(const TlsPipe&) = delete;
  TlsPipe& operator=(const TlsPipe&) = delete;
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  asio::awaitable<boost::system::error_code> handshake();

  enum class Outcome : std::uint8_t { done, nothing, ended, broken };
  // One system call: takes what arrived into memory, behind what is there still, where read() finds it.
  void fetch() override;
  // Whatever was fetched, decrypted, up to `room` bytes or records_max records; asks the system itself only if the last
  // call filled the memory there is for it. `ended`: the other side closed, or was cut off. `broken` also if nearly
  // nothing but records without data comes.
  [[nodiscard]] Outcome read(char* to, std::size_t room, std::size_t& got);
  // Records that read() has taken, ever.
  [[nodiscard]] std::uint64_t records() const { return records_; }
  // read() stopped before the end: the rest is here already.
  [[nodiscard]] bool has_more() const { return end_->begin < end_->end || SSL_has_pending(ssl_.get()) == 1; }
  // read() has something to tell without anybody waiting: bytes, or how it ended.
  [[nodiscard]] bool ready() const { return end_->begin < end_->end || end_of_reading_ != Outcome::done; }
  // Until something arrives, which is fetched then.
  asio::awaitable<boost::system::error_code> arrival();
  // Until the next wait nobody is woken by what arrives.
  void leave_alone();

  // Behind what is waiting already; false if too much is.
  [[nodiscard]] bool queue(std::string_view bytes);
  // Sends what it can without waiting: `nothing` if some of it has to wait.
  [[nodiscard]] Outcome flush();
  [[nodiscard]] bool has_queued() const { return !out_.empty(); }
  asio::awaitable<boost::system::error_code> writable();

  // Every wait ends. Nothing can be done with it afterwards.
  void drop();
  [[nodiscard]] const std::string& last_error() const { return error_; }

  static constexpr std::size_t queue_max = std::size_t{1} << 20;
  static constexpr unsigned records_max = 1'024;                      // that one read takes
  static constexpr std::size_t handshake_max = std::size_t{1} << 20;  // bytes of a handshake

  // What OpenSSL reads from and writes to.
  struct SocketEnd {
    static constexpr std::size_t room = std::size_t{64} << 10;
    int fd = -1;  // -1: dropped
    // [begin, end) came from the system and was not taken yet.
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(room);
    std::size_t begin = 0, end = 0;
    bool drained = false;                 // the last call brought less than it might have
    int error = 0;                        // errno of a call that failed: told behind what came before it
    std::size_t allowed = handshake_max;  // bytes that OpenSSL may take, until the handshake is done
    bool handshaking = true;
  };

 private:
  [[nodiscard]] Outcome outcome_of(int result);
  [[nodiscard]] boost::system::error_code watch();
  [[nodiscard]] Outcome read_on(char* to, std::size_t room, std::size_t& got);
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  asio::ip::tcp::socket socket_;  // open while Asio watches the descriptor
  asio::ip::tcp protocol_;
  unsigned waits_ = 0;  // that go on
  std::unique_ptr<SocketEnd> end_ = std::make_unique<SocketEnd>();
  std::unique_ptr<SSL, Free> ssl_;
  std::optional<RecordLimit> limit_;
  std::uint64_t records_ = 0;
  std::string out_;
  std::string error_;
  Outcome end_of_reading_ = Outcome::done;  // anything else: what followed the last good bytes
};

}  // namespace cvdd
