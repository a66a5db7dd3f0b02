// The messages of the load bench: one aggTrade frame for each of 120 instruments, whose id and time are set in place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/sim/tape.hpp"

namespace cvdd::load {

inline constexpr std::size_t symbols = 120;

[[nodiscard]] std::vector<sim::TapeInstrument> instruments();
// A WebSocket text frame of less than 64 KiB, as servers send it.
[[nodiscard]] std::string server_frame(std::string_view text);
[[nodiscard]] std::int64_t wall_us();

struct Prepared {
  Prepared();
  // The next message of an instrument, made at `us`.
  const std::string& next(std::size_t symbol, std::int64_t us);

  std::vector<std::string> names;  // of the streams

 private:
  struct Frame {
    std::string text;
    std::size_t id_at = 0, time_at = 0;
    std::uint64_t id = 1'000'000'000;
  };
  std::vector<Frame> frames_;
};

}  // namespace cvdd::load
