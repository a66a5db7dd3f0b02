// TLS records that bring no data: new keys, tickets, alerts. A peer may send them; one that sends nothing else would
// keep OpenSSL, and so the thread, busy for ever.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <string>
#include <utility>

#include "cvdd/base/flood_limit.hpp"

namespace cvdd {

class RecordLimit {
 public:
  static constexpr unsigned per_second = 256;

  // From now on, which is after the handshake, and for as long as it lives; `ssl` must live longer. `exceeded` is
  // called once, in the middle of one of OpenSSL's calls.
  RecordLimit(SSL* ssl, std::function<void()> exceeded);
  ~RecordLimit();
  RecordLimit(const RecordLimit&) = delete;
  RecordLimit& operator=(const RecordLimit&) = delete;
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] static std::string words() {
    return "more than " + std::to_string(per_second) + " TLS records without data in a second";
  }

 private:
  static void told(const SSL* ssl, int where, int value);
  void count();
  SSL* const ssl_;
  std::function<void()> exceeded_;
  FloodLimit limit_{per_second};
  bool broken_ = false;
};

}  // namespace cvdd
