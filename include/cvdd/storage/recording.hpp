// Recordings as streams of messages: JSON lines, plain or gzip, several files merged by time of receipt.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

struct RecordedMessage {
  std::optional<Timestamp> received;
  std::string text;
};

// One file. Lines that are not understood are counted and passed over; none stops it.
class RecordingReader {
 public:
  // Throws std::runtime_error naming the file if it can't be opened.
  explicit RecordingReader(const std::string& path);
  // The next incoming message; false at the end. Throws if the file itself is broken.
  [[nodiscard]] bool next(RecordedMessage& out);
  [[nodiscard]] std::uint64_t broken_lines() const { return broken_; }

 private:
  bool read_line();
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
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

// A whole file, decompressed if it is gzip; at most 256 MiB. Throws std::runtime_error naming the file.
[[nodiscard]] std::string read_whole_file(const std::string& path);

}  // namespace cvdd
