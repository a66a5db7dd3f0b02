// A server that says over real TLS whatever it is told to, however wrong: on loopback, on threads of its own.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "loopback/test_certificate.hpp"

namespace cvdd::attack {

class Wire {
 public:
  Wire(SSL* ssl, std::atomic<std::size_t>& total) : ssl_(ssl), total_(total) {}
  // False once the other side is gone.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const int n = SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
      sent += static_cast<std::size_t>(n);
      total_ += static_cast<std::size_t>(n);
    }
    return true;
  }
  // One record of TLS that brings no data.
  bool new_keys() { return SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(ssl_) == 1; }
  // Up to the end of a header.
  std::string hear() {
    char piece[4'096];
    while (heard_.find("\r\n\r\n") == std::string::npos) {
      const int n = SSL_read(ssl_, piece, sizeof piece);
      if (n <= 0) return {};
      heard_.append(piece, static_cast<std::size_t>(n));
    }
    return std::exchange(heard_, {});
  }
  // Whatever comes, until it ends.
  void listen() {
    char piece[4'096];
    while (SSL_read(ssl_, piece, sizeof piece) > 0) {
    }
  }
  // Agrees to the upgrade that was asked for.
  bool agree(const std::function<std::string(const std::string& key)>& accept_of, const std::string& more = "") {
    return agree_to(hear(), accept_of, more);
  }
  bool agree_to(const std::string& request, const std::function<std::string(const std::string& key)>& accept_of,
                const std::string& more = "") {
    const auto at = request.find("Sec-WebSocket-Key: ");
    if (at == std::string::npos) return false;
    return say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        accept_of(request.substr(at + 19, 24)) + "\r\n" + more + "\r\n");
  }
  std::size_t sent = 0;

 private:
  SSL* ssl_;
  std::atomic<std::size_t>& total_;
  std::string heard_;
};

class TlsServer {
 public:
  using Script = std::function<void(Wire&)>;
  TlsServer(const test::Identity& identity, Script script) : script_(std::move(script)) {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_, identity.key.get());
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("can't listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~TlsServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  void accept() {
    while (!stopping_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd);
    Wire wire(ssl, sent_);
    if (SSL_accept(ssl) == 1) script_(wire);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    const std::lock_guard lock(mutex_);
    open_.remove(fd);
    ::close(fd);
  }
  Script script_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> sent_{0};
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace cvdd::attack
