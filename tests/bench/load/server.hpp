// The exchange of the load bench: TLS and WebSocket by hand, so that it costs as little as it can.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "load/prepared.hpp"
#include "sim/certificate.hpp"

namespace cvdd::load {

// One accepted connection that asked for streams: encrypts into memory, sends in large pieces.
class Line {
 public:
  Line(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  ~Line() {
    SSL_free(ssl_);
    ::close(fd_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  bool write(std::string_view bytes, bool record_per_message) {
    if (record_per_message)
      return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0 && flush(64 * 1024);
    plain_.append(bytes);
    if (plain_.size() < 15 * 1024) return true;
    return push();
  }
  bool push() {
    if (!plain_.empty() && SSL_write(ssl_, plain_.data(), static_cast<int>(plain_.size())) <= 0) return false;
    plain_.clear();
    return flush(1);
  }
  bool flush(std::size_t at_least) {
    BIO* out = SSL_get_wbio(ssl_);
    if (BIO_ctrl_pending(out) < at_least) return true;
    char buffer[128 * 1024];
    for (int n; (n = BIO_read(out, buffer, sizeof buffer)) > 0;) {
      for (int sent = 0; sent < n;) {
        const ssize_t now = ::send(fd_, buffer + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += static_cast<int>(now);
      }
    }
    return true;
  }
  // Blocks for plaintext.
  bool read(std::string& into) {
    char buffer[16 * 1024];
    while (true) {
      const int n = SSL_read(ssl_, buffer, sizeof buffer);
      if (n > 0) {
        into.append(buffer, static_cast<std::size_t>(n));
        return true;
      }
      if (SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ) return false;
      if (!flush(1)) return false;
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      BIO_write(SSL_get_rbio(ssl_), buffer, static_cast<int>(got));
    }
  }
  int fd() const { return fd_; }

  std::vector<std::size_t> wanted;  // which of the prepared messages; in the order asked for

 private:
  int fd_;
  SSL* ssl_;
  std::string plain_;
};

// Instrument list, time, and streams for as many connections as come.
class Server {
 public:
  Server();
  // Connections that have asked for streams.
  [[nodiscard]] std::vector<std::shared_ptr<Line>> lines();
  void forget();
  [[nodiscard]] const std::string& ca() const { return certificates_.ca_pem; }
  std::uint16_t port = 0;
  std::atomic<bool> sending{false};  // nothing else is written then

 private:
  void serve(int fd);
  void rest(Line& line, const std::string& request);
  static void upgrade(Line& line, const std::string& key);
  void converse(const std::shared_ptr<Line>& line, std::string& bytes);
  void subscribe(Line& line, const std::string& request) const;

  sim::CertificateSet certificates_;
  SSL_CTX* context_;
  int listener_ = -1;
  const Prepared prepared_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Line>> lines_;
};

}  // namespace cvdd::load
