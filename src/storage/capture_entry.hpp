// What waits to be written to a capture, one behind the other in a buffer. Private to it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

enum class CaptureEntryKind : std::uint8_t { in, out, open, close, note, records };

struct CaptureEntryHead {
  Timestamp time;
  std::uint64_t size = 0;  // of what follows
  std::uint32_t connection = 0;
  CaptureEntryKind kind = CaptureEntryKind::in;
};

inline void append_entry(std::string& buffer, const CaptureEntryHead& head, std::string_view bytes) {
  buffer.append(reinterpret_cast<const char*>(&head), sizeof head);
  buffer += bytes;
}
// Takes the first entry off; false: there is none.
inline bool take_entry(std::string_view& buffer, CaptureEntryHead& head, std::string_view& bytes) {
  if (buffer.size() < sizeof head) return false;
  std::memcpy(&head, buffer.data(), sizeof head);
  bytes = buffer.substr(sizeof head, head.size);
  buffer.remove_prefix(sizeof head + head.size);
  return true;
}

}  // namespace cvdd
