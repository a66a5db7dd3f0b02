// A certificate authority and one server certificate, made in memory. Nothing is written to disk; any thread.
#pragma once

#include <string>

namespace cvdd::sim {

struct CertificateSet {
  std::string ca_pem;    // to trust
  std::string leaf_pem;  // what the server shows
  std::string key_pem;   // the leaf's private key
};

// For localhost, 127.0.0.1, ::1 and the exchanges' own host names. Throws std::runtime_error.
[[nodiscard]] CertificateSet make_certificates();

}  // namespace cvdd::sim
