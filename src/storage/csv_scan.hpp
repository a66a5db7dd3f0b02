// What a data file says, found in one pass: of every instrument its newest row and its newest row with a trade, as
// places in the file. A large file is looked through in pieces, side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/storage/day_file.hpp"
#include "cvdd/storage/file_sink.hpp"

namespace cvdd {

// Where a line stands in its file.
struct Place {
  std::uint64_t begin = 0;
  std::uint32_t size = 0;
};

// The fields of a line that finding the newest rows needs, without parsing it. `key`: exchange,market,symbol.
struct Outline {
  std::string_view time, key;  // key: the fields behind the time that say whose row it is
  std::uint64_t rev = 0;
  bool traded = false;  // has a last_id
};
// `likely`: the key that the line has, probably. Empty if the line can be no row.
[[nodiscard]] std::optional<Outline> outline_of(std::string_view line, std::string_view likely = {},
                                                int key_fields = 3);

// The newest lines of one instrument in one file. Times are compared as text: they have one width.
struct NewestLines {
  std::string key;
  std::array<char, 20> first_time{}, time{}, traded_time{};  // zeros: none yet
  std::uint64_t rev = 0;
  Place line, traded_line;
  std::size_t follower = 0;  // whose row came next the last time

  [[nodiscard]] bool any_traded() const { return traded_line.size > 0; }
};

// Rows of a minute come in the order of the minute before it, so nearly always the next row is of whom the last one's
// follower was; and of the lines only their places are kept.
class FileScan {
 public:
  // `whole_parse`: a line counts only if all of it is a row that we would have written. `head`: the first line is the
  // file's header.
  FileScan(bool whole_parse, bool head, const RowFormat& format)
      : format_(&format), whole_parse_(whole_parse), head_(head) {}

  // Reads lines from `begin` on, which is the beginning of one, up to `end` or to the end of the file. 0 or errno.
  [[nodiscard]] int read(FileSink& files, const std::string& path, std::uint64_t begin, std::uint64_t end);
  // What the piece behind this one says; nothing, if this one had to stop.
  void join(const FileScan& next);

  [[nodiscard]] const std::vector<NewestLines>& instruments() const { return instruments_; }
  [[nodiscard]] const std::string& torn() const { return torn_; }             // after the last newline
  [[nodiscard]] std::uint64_t foreign_line() const { return foreign_line_; }  // number of the first; 0: there is none
  [[nodiscard]] std::uint64_t end() const { return end_; }                    // of what was read
  // The smallest distance of two bars of one instrument.
  [[nodiscard]] std::optional<Duration> interval() const { return interval_; }

 private:
  void take(std::string_view line, std::uint64_t begin);
  std::size_t likely() const { return instruments_.empty() ? 0 : instruments_[last_].follower; }
  NewestLines& instrument(std::string_view key);
  void note_distance(std::string_view from, std::string_view to);

  const RowFormat* format_;
  bool whole_parse_, head_;
  bool stopped_ = false;  // at what can be no row, and hides what follows
  std::optional<Duration> interval_;
  std::uint64_t foreign_line_ = 0, lines_ = 0, end_ = 0;
  std::string torn_;
  std::vector<NewestLines> instruments_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::size_t last_ = 0;
  std::string last_from_, last_to_;
};

// All of a file, by up to `readers` threads, each of which reads no less than `piece_min` bytes. 0 or errno.
[[nodiscard]] int scan_file(FileSink& files, const std::string& path, bool whole_parse, std::size_t readers,
                            std::uint64_t piece_min, std::optional<FileScan>& out,
                            const RowFormat& format = format_of(RowTable::cvd));

}  // namespace cvdd
