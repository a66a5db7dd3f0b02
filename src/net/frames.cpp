#include "frames.hpp"

#include <cstring>

namespace cvdd {

namespace {
constexpr unsigned char last_fragment = 0x80, reserved = 0x70, masked = 0x80;
constexpr std::size_t control_max = 125;

std::uint64_t number_at(const char* bytes, unsigned count) {
  std::uint64_t n = 0;
  for (unsigned i = 0; i < count; ++i) n = n << 8 | static_cast<unsigned char>(bytes[i]);
  return n;
}
}  // namespace

void FrameWalk::walk(std::string_view bytes, Batch& out) {
  out.messages.clear();
  out.controls.clear();
  out.consumed = out.wanted = out.idle = 0;
  out.error = nullptr;
  out.more = false;
  whole_.clear();
  for (std::size_t n = 0; bytes.size() - out.consumed >= 2; ++n) {
    if (n == frames_max) {
      out.more = true;
      return;
    }
    const char* const frame = bytes.data() + out.consumed;
    const std::size_t there = bytes.size() - out.consumed;
    const auto head = static_cast<unsigned char>(frame[0]), second = static_cast<unsigned char>(frame[1]);
    if ((second & masked) != 0) {
      out.error = "a masked frame from a server";
      return;
    }
    const unsigned length_bytes = (second & 0x7FU) == 126 ? 2 : (second & 0x7FU) == 127 ? 8 : 0;
    if (there < 2 + length_bytes) return;
    const std::uint64_t length = length_bytes == 0 ? second & 0x7FU : number_at(frame + 2, length_bytes);
    if ((length_bytes == 2 && length < 126) || (length_bytes == 8 && length < 65'536)) {
      out.error = "a frame's length is not written the shortest way";
      return;
    }
    if (length > message_max_) {
      out.error = "a frame is too long";
      return;
    }
    // Judged before its payload is waited for.
    out.error = unfit(head, length);
    if (out.error != nullptr) return;
    const std::size_t total = 2 + length_bytes + static_cast<std::size_t>(length);
    if (there < total) {
      out.wanted = total;
      return;
    }
    out.idle += idle(head, static_cast<std::size_t>(length)) ? 1U : 0U;
    take(head, {frame + 2 + length_bytes, static_cast<std::size_t>(length)}, out);
    out.consumed += total;
    if (!out.controls.empty() && out.controls.back().kind == ControlFrame::Kind::close) return;
  }
}

const char* FrameWalk::unfit(unsigned char head, std::uint64_t length) const {
  const bool fin = (head & last_fragment) != 0;
  const unsigned opcode = head & 0x0FU;
  if ((head & reserved) != 0) return "a frame with reserved bits";
  if (opcode >= 8) {
    if (!fin || length > control_max) return "a control frame that is too long or in fragments";
    if (opcode == 8 && length == 1) return "a close frame with half a code";
    return opcode > 10 ? "a frame of unknown kind" : nullptr;
  }
  if (opcode > 2) return "a frame of unknown kind";
  if ((opcode == 0) != in_fragments_) return "a fragment out of place";
  return fragments_.size() + length > message_max_ ? "a message is too long" : nullptr;
}

bool FrameWalk::idle(unsigned char head, std::size_t length) const {
  if ((head & 0x0FU) >= 8) return true;
  const bool ends = (head & last_fragment) != 0 && (head & 0x0FU) == 0;
  return length < idle_below && !(ends && fragments_.size() >= idle_below);
}

void FrameWalk::take(unsigned char head, std::string_view payload, Batch& out) {
  const bool fin = (head & last_fragment) != 0;
  const unsigned opcode = head & 0x0FU;
  if (opcode >= 8) {
    out.controls.push_back({static_cast<ControlFrame::Kind>(opcode == 9    ? ControlFrame::Kind::ping
                                                            : opcode == 10 ? ControlFrame::Kind::pong
                                                                           : ControlFrame::Kind::close),
                            payload});
    return;
  }
  if (opcode != 0 && fin) {
    out.messages.push_back(payload);
    return;
  }
  fragments_.append(payload);
  in_fragments_ = !fin;
  if (!fin) return;
  whole_.push_back(std::move(fragments_));
  fragments_.clear();
  out.messages.push_back(whole_.back());
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask) {
  out += static_cast<char>(last_fragment | static_cast<unsigned char>(opcode));
  if (payload.size() < 126) {
    out += static_cast<char>(masked | payload.size());
  } else {
    const bool small = payload.size() <= 0xFFFF;
    out += static_cast<char>(masked | (small ? 126U : 127U));
    for (int shift = small ? 8 : 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xFFU);
  }
  char key[4];
  std::memcpy(key, &mask, sizeof key);
  out.append(key, sizeof key);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
}

}  // namespace cvdd
