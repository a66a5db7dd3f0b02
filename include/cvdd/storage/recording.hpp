// Recordings as streams of messages: JSON lines, plain, gzip or zstd, several files merged by time of receipt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

class TextSource;

// What a line is: `note` is what cvdd itself adds (docs/capture.md).
enum class LineKind : std::uint8_t { in, out, open, close, note, other };

struct RecordedMessage {
  std::optional<Timestamp> received;
  std::string text;
  std::uint64_t connection = 0;  // its number in this recording
  LineKind kind = LineKind::in;
};

// One file. Lines that are not understood are counted and passed over; none stops it.
class RecordingReader {
 public:
  // Throws std::runtime_error naming the file if it can't be opened.
  explicit RecordingReader(const std::string& path);
  ~RecordingReader();
  RecordingReader(RecordingReader&&) noexcept;
  // The next incoming message; false at the end. Throws if the file itself is broken.
  [[nodiscard]] bool next(RecordedMessage& out);
  // The next line of whatever kind that has a message.
  [[nodiscard]] bool next_line(RecordedMessage& out);
  [[nodiscard]] std::uint64_t broken_lines() const { return broken_; }
  // Who wrote it did not come to its end: there is nothing behind the last line.
  [[nodiscard]] bool torn() const;

 private:
  bool read_line();
  std::string path_;
  std::unique_ptr<TextSource> source_;
  std::string part_;            // of the text, as it was read
  std::size_t part_begin_ = 0;  // of what is not used yet
  std::string line_;
  std::uint64_t broken_ = 0;
};

// Several files as one, by time of receipt; a message without time keeps the one before it in its file.
class MergedRecordings {
 public:
  explicit MergedRecordings(std::span<const std::string> paths);
  [[nodiscard]] bool next(RecordedMessage& out);
  [[nodiscard]] std::uint64_t broken_lines() const;

 private:
  struct Source {
    RecordingReader reader;
    RecordedMessage head;
    Timestamp time;
    bool more = false;
  };
  std::vector<std::unique_ptr<Source>> sources_;
};

// A whole file, decompressed if it is gzip or zstd; at most 256 MiB. Throws std::runtime_error naming the file.
[[nodiscard]] std::string read_whole_file(const std::string& path);

}  // namespace cvdd
