#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ip/address.hpp>
#include <stdexcept>

#include "net_context.hpp"

namespace cvdd {

NetContext::NetContext(const NetSettings& settings)
    : context_(asio::ssl::context::tls_client), coalesce_(settings.coalesce) {
  const std::string& ca_file = settings.ca_file;
  if (!settings.proxy.empty()) {
    proxy_ = parse_proxy(settings.proxy);
    // Not the text itself: it may hold a password.
    if (!proxy_) throw std::runtime_error("net.proxy is not \"http://[user:password@]host:port\"");
  }
  if (SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION) != 1) {
    throw std::runtime_error("OpenSSL refuses TLS 1.2 as the lowest version");
  }
  context_.set_verify_mode(asio::ssl::verify_peer);
  boost::system::error_code error;
  // A system without roots is no reason to stop: a `ca_file` may be all that is wanted, and without either of them
  // each connection fails with a verdict that says so.
  context_.set_default_verify_paths(error);
  if (!ca_file.empty()) {
    context_.load_verify_file(ca_file, error);
    if (error) {
      throw std::runtime_error("cannot read CA certificates from " + ca_file + ": " + error.message());
    }
  }
}

bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
  boost::system::error_code not_an_address;
  (void)asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;  // SNI carries names only
  }
  // A name in the subject alone proves nothing any more (RFC 9110, 4.3.4).
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  // The function behind SSL_set_tlsext_host_name, whose macro casts in the old style.
  std::string name = host;
  return X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

std::string tls_error_detail(SSL* ssl, const boost::system::error_code& error) {
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict);
  }
  return "TLS handshake failed: " + error.message();
}

std::shared_ptr<NetContext> make_net_context(const NetSettings& settings) {
  return std::make_shared<NetContext>(settings);
}

}  // namespace cvdd
