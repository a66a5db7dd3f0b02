// The TLS settings every connection shares, and the stream type of this room.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <string>

#include "cvdd/net/transport.hpp"

namespace cvdd {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

class TlsContext {
 public:
  // Throws std::runtime_error naming the file if `ca_file` cannot be read; empty means the system roots alone.
  explicit TlsContext(const std::string& ca_file);

  [[nodiscard]] asio::ssl::context& native() { return context_; }

 private:
  asio::ssl::context context_;
};

// Tells OpenSSL which name or address the certificate must carry, and says the name to the server (SNI).
[[nodiscard]] bool expect_host(SSL* ssl, const std::string& host);
// Why the handshake failed: the verdict on the certificate where there is one, otherwise `error` in words.
[[nodiscard]] std::string tls_error_detail(SSL* ssl, const boost::system::error_code& error);

}  // namespace cvdd
