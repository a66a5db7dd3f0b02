// Recordings (docs: JSON lines of what connections said) as frames to play again. Pure but for reading files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/sim/tape.hpp"

namespace cvdd::sim {

struct RecordedFrame {
  Timestamp received;
  Market market = Market::spot;
  std::string topic;  // on which it is published
  std::shared_ptr<const std::string> text;
};

struct Recording {
  std::vector<RecordedFrame> frames;        // by time
  std::vector<TapeInstrument> instruments;  // what can be said of the symbols that occur
};

// Reads and merges files, each "MARKET:PATH" or a path whose name tells the market. Lines that are no frame of a
// stream are skipped. Throws std::runtime_error for a file that cannot be read.
[[nodiscard]] Recording load_recordings(std::span<const std::string> entries);

// A whole file, decompressed if it is gzip. Throws std::runtime_error.
[[nodiscard]] std::string read_whole(const std::string& path);

[[nodiscard]] Market market_of_file(std::string_view entry, std::string& path);
// Which market an exchangeInfo body describes.
[[nodiscard]] Market market_of_instruments(std::string_view body);

}  // namespace cvdd::sim
