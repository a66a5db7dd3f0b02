#include "load/server.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "sim/binance_protocol.hpp"

namespace cvdd::load {

Server::Server() : certificates_(sim::make_certificates()), context_(SSL_CTX_new(TLS_server_method())) {
  BIO* bio = BIO_new_mem_buf(certificates_.leaf_pem.data(), static_cast<int>(certificates_.leaf_pem.size()));
  X509* leaf = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(certificates_.key_pem.data(), static_cast<int>(certificates_.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  SSL_CTX_use_certificate(context_, leaf);
  SSL_CTX_use_PrivateKey(context_, key);
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_, 64);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  std::thread([this] {
    for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) std::thread([this, fd] { serve(fd); }).detach();
  }).detach();
}

std::vector<std::shared_ptr<Line>> Server::lines() {
  const std::lock_guard lock(mutex_);
  return lines_;
}

void Server::forget() {
  const std::lock_guard lock(mutex_);
  for (const auto& line : lines_) ::shutdown(line->fd(), SHUT_RDWR);
  lines_.clear();
}

void Server::serve(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // One that paces by the acknowledgements it gets (bbr) holds back messages for a client that reads every 10 ms, and
  // sends them on the client's processor time when it does.
  for (const char* const control : {"cubic", "reno"}) {
    if (::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, static_cast<socklen_t>(std::strlen(control))) == 0)
      break;
  }
  SSL* ssl = SSL_new(context_);
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
  SSL_set_accept_state(ssl);
  const auto line = std::make_shared<Line>(fd, ssl);
  std::string text;
  while (line->read(text)) {
    const auto end = text.find("\r\n\r\n");
    if (end == text.npos) continue;
    const auto key = text.find("Sec-WebSocket-Key: ");
    if (key == text.npos) {
      rest(*line, text);
      text.clear();
      continue;
    }
    upgrade(*line, text.substr(key + 19, 24));
    text.erase(0, end + 4);
    return converse(line, text);
  }
}

void Server::rest(Line& line, const std::string& request) {
  std::string body = fmt::format(R"({{"serverTime":{}}})", wall_us() / 1'000);
  if (request.find("exchangeInfo") != request.npos) {
    const auto all = instruments();
    body = sim::binance::exchange_info(Market::linear, all, {wall_us()});
  } else if (request.find("/time") == request.npos) {
    body = "[]";
  }
  line.write(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body), true);
  line.flush(1);
  ::shutdown(line.fd(), SHUT_WR);
}

void Server::upgrade(Line& line, const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE], encoded[64];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  line.write(fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: {}\r\n\r\n",
                         std::string_view(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(length))),
             true);
  line.flush(1);
}

// Acknowledges what is asked for; the first request makes it a line to send on. Small frames only.
void Server::converse(const std::shared_ptr<Line>& line, std::string& bytes) {
  bool asked = false;
  do {
    while (bytes.size() >= 6) {
      std::size_t size = bytes[1] & 0x7F, head = 2;
      if (size == 126) {
        size =
            static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8 | static_cast<unsigned char>(bytes[3]);
        head = 4;
      }
      if (bytes.size() < head + 4 + size) break;
      std::string payload = bytes.substr(head + 4, size);
      for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes[head + i % 4]);
      bytes.erase(0, head + 4 + size);
      const auto id = payload.find("\"id\":");
      if (id == payload.npos || sending.load()) continue;
      subscribe(*line, payload);
      const std::string number = payload.substr(id + 5, payload.find_first_of(",}", id) - id - 5);
      line->write(server_frame(fmt::format(R"({{"result":null,"id":{}}})", number)), true);
      line->flush(1);
      if (std::exchange(asked, true)) continue;
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    }
  } while (!sending.load() && line->read(bytes));
}

// Of the streams named that there are; a request without one that there is asks for all.
void Server::subscribe(Line& line, const std::string& request) const {
  if (request.find("SUBSCRIBE") == request.npos || request.find("LIST_SUBSCRIPTIONS") != request.npos) return;
  for (std::size_t i = 0; i < prepared_.names.size(); ++i) {
    if (request.find('"' + prepared_.names[i] + '"') != request.npos) line.wanted.push_back(i);
  }
  if (request.find("\"all\"") == request.npos) return;
  for (std::size_t i = 0; i < prepared_.names.size(); ++i) line.wanted.push_back(i);
}

}  // namespace cvdd::load
