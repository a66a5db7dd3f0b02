// WebSocket frames (RFC 6455) of a server, taken apart where they lie: whole messages are views, nothing is copied
// unless a message comes in fragments. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd {

// What came beside messages.
struct ControlFrame {
  enum class Kind : std::uint8_t { ping, pong, close } kind = Kind::ping;
  std::string_view payload;
};

class FrameWalk {
 public:
  // `message_max`: bytes of one message, fragments together.
  explicit FrameWalk(std::size_t message_max) : message_max_(message_max) {}

  struct Batch {
    std::vector<std::string_view> messages;  // good until the bytes are, and until the next walk
    std::vector<ControlFrame> controls;      // in their order; the same
    std::size_t consumed = 0;                // bytes of whole frames
    std::size_t wanted = 0;                  // bytes that the next frame needs in all, if that much is known; else 0
    bool more = false;                       // frames_max were taken, and there may be whole ones behind them
    std::size_t idle = 0;                    // frames that bring nothing, or next to it: see idle_below
    const char* error = nullptr;             // the protocol is broken: what follows can't be understood
  };
  static constexpr std::size_t frames_max = 1'024;
  // A trade needs more bytes than this. Idle are control frames, and what is shorter; an empty fragment that only ends
  // a message is not, since some servers write so.
  static constexpr std::size_t idle_below = 16;
  // All whole frames of `bytes`, up to frames_max. After a close frame nothing more is looked at.
  void walk(std::string_view bytes, Batch& out);

 private:
  [[nodiscard]] const char* unfit(unsigned char head, std::uint64_t length) const;
  void take(unsigned char head, std::string_view payload, Batch& out);
  [[nodiscard]] bool idle(unsigned char head, std::size_t length) const;
  std::size_t message_max_;
  std::string fragments_;  // of the message that goes on
  bool in_fragments_ = false;
  std::deque<std::string> whole_;  // put together in this walk
};

enum class Opcode : std::uint8_t { text = 1, close = 8, ping = 9, pong = 10 };
// Appends one whole frame as a client must send it; `mask` should be unpredictable.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask);

}  // namespace cvdd
