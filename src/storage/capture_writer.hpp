// A capture's lines and files: JSON, zstd, a new file every hour, and the oldest away when there are too many. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture_entry.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd {

// The line of a recording, appended. Bytes that are no UTF-8 can't stand in JSON: U+FFFD takes their place.
void append_line(std::string& out, Timestamp time, std::uint32_t connection, std::string_view direction,
                 std::string_view message);

class Compressor;

class CaptureWriter {
 public:
  // Throws std::runtime_error as Capture does.
  CaptureWriter(const CaptureSettings& settings, FileSink& files);
  ~CaptureWriter();

  // Makes lines of the entries and gives them to the disk once enough have come, or `now` is a second later. 0 or
  // errno.
  [[nodiscard]] int write(std::string_view entries, Timestamp now);
  // All of it, as the end of its file.
  [[nodiscard]] int finish();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] int open_file(Timestamp now);
  [[nodiscard]] int close_file();
  [[nodiscard]] int flush(bool end);
  void take(const CaptureEntryHead& head, std::string_view bytes);
  void remember(std::string_view note);
  void begin_lines(Timestamp now);
  void make_room(Timestamp now);
  [[nodiscard]] std::vector<std::string> ours() const;

  const CaptureSettings& settings_;
  FileSink& files_;
  std::unique_ptr<Compressor> packer_;
  std::string lines_, packed_;
  std::string path_;  // of the file at hand; empty: none
  Timestamp rotate_at_, flushed_;
  std::uint64_t in_file_ = 0, bytes_ = 0;
  // What a file needs to be read without those before it.
  std::optional<RunNote> run_;
  std::map<std::uint32_t, std::string> instruments_, connections_;
  PendingNames names_;
};

}  // namespace cvdd
