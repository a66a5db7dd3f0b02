#include "record_limit.hpp"

namespace cvdd {

namespace {
int index_of_limit() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
}  // namespace

RecordLimit::RecordLimit(SSL* ssl, std::function<void()> exceeded) : ssl_(ssl), exceeded_(std::move(exceeded)) {
  SSL_set_ex_data(ssl_, index_of_limit(), this);
  SSL_set_info_callback(ssl_, &RecordLimit::told);
}

RecordLimit::~RecordLimit() {
  SSL_set_info_callback(ssl_, nullptr);
  SSL_set_ex_data(ssl_, index_of_limit(), nullptr);
}

// OpenSSL tells of each message that is not data, and of nothing else: who sends data pays nothing for this.
void RecordLimit::told(const SSL* ssl, int where, int) {
  auto* const limit = static_cast<RecordLimit*>(SSL_get_ex_data(ssl, index_of_limit()));
  if (limit != nullptr && (where & (SSL_CB_LOOP | SSL_CB_READ_ALERT)) != 0) limit->count();
}

void RecordLimit::count() {
  if (limit_.add(1, std::chrono::steady_clock::now()) || std::exchange(broken_, true)) return;
  if (exceeded_) exceeded_();
}

}  // namespace cvdd
