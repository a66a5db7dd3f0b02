// A row as a message of the stream: subject, headers, body; and the broker's answer. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

inline constexpr std::string_view subjects = "cvd.v1.>";

// "cvd.v1.EXCHANGE.MARKET.SYMBOL", of what stands beside the bars with ".context" or ".flow"; what a subject's token
// can't hold is percent-encoded.
[[nodiscard]] std::string subject_of(const StoreRow& row);
// Rows that have this in common are published one after another.
[[nodiscard]] std::string order_of(const StoreRow& row);
// "COLLECTOR/EXCHANGE/MARKET/SYMBOL/TIME/REV", of what stands beside with "/context" or "/flow/BUCKET": by which the
// broker knows what it has already.
[[nodiscard]] std::string message_id(const StoreRow& row);

// What JetStream answers to a published message.
struct PubAnswer {
  bool stored = false;
  bool duplicate = false;
  std::uint64_t sequence = 0;
  std::string error;  // if it was not stored
};
// `no_responders`: the answer said that nobody listens to the subject.
[[nodiscard]] PubAnswer parse_pub_answer(std::string_view body, bool no_responders);

}  // namespace cvdd::engine
