#include "nats_error.hpp"

#include <fmt/format.h>

#include "cvdd/base/printable.hpp"

namespace cvdd::engine {

namespace {
std::string words(natsStatus status, int code) {
  natsStatus last = NATS_OK;
  const char* const detail = nats_GetLastError(&last);
  std::string text = natsStatus_GetText(status);
  if (detail != nullptr && *detail != '\0' && last == status) text += ": " + printable(detail, 200);
  if (code != 0) text += fmt::format(" (JetStream error {})", code);
  return text;
}

}  // namespace

BrokerError nats_failure(const std::string& what, natsStatus status, int code) {
  using Kind = BrokerError::Kind;
  const std::string text = what + ": " + words(status, code);
  if (status == NATS_CONNECTION_AUTH_FAILED) {
    return {Kind::refused, text + "; put the right [nats] user and password, or credentials, into the configuration"};
  }
  if (status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_WANTED ||
      status == NATS_SECURE_CONNECTION_REQUIRED) {
    return {Kind::refused,
            text + "; use tls:// exactly where the servers do, and [nats] ca_file for an authority of your own"};
  }
  if (code == JSStreamNotFoundErr || code == JSConsumerNotFoundErr) return {Kind::no_stream, text};
  if (code == JSNotEnabledErr || code == JSNotEnabledForAccountErr) {
    return {Kind::no_jetstream, text + "; enable JetStream on the servers and for this account"};
  }
  if (status == NATS_NO_RESPONDERS) {
    return {Kind::no_jetstream, text + "; is JetStream enabled on the servers, and do most of them run?"};
  }
  if (status == NATS_NO_SERVER || status == NATS_TIMEOUT || status == NATS_IO_ERROR) {
    return {Kind::unreachable, text + "; do the servers run, and can they be reached from here?"};
  }
  return {Kind::other, text};
}

void nats_check(natsStatus status, const char* what) {
  if (status != NATS_OK) throw nats_failure(what, status);
}

}  // namespace cvdd::engine
