#include "cvdd/net/transport.hpp"

namespace cvdd {
namespace {

class NetCategory final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "net"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<NetError>(value)) {
      case NetError::resolve_failed:
        return "host name not found";
      case NetError::connect_failed:
        return "no address accepted the connection";
      case NetError::tls_failed:
        return "TLS failed";
      case NetError::upgrade_refused:
        return "the server refused the WebSocket";
      case NetError::timed_out:
        return "timed out";
      case NetError::closed:
        return "connection closed";
      case NetError::protocol:
        return "the server broke the protocol";
      case NetError::proxy_failed:
        return "the proxy refused the connection";
    }
    return "unknown network error";
  }
};

}  // namespace

const boost::system::error_category& net_category() {
  static const NetCategory category;
  return category;
}

boost::system::error_code make_error_code(NetError error) { return {static_cast<int>(error), net_category()}; }

}  // namespace cvdd
