// The data directory: dated CSV files, `latest.csv`, and what they say when the daemon starts.
// The CSV files are the database; nothing else is kept. Owned and used by the aggregator thread alone.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/app/file_sink.hpp"
#include "cvdd/core/types.hpp"

namespace cvdd {

struct InstrumentKey {
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  friend auto operator<=>(const InstrumentKey&, const InstrumentKey&) = default;
};

// What the files say of one instrument.
struct LastKnown {
  Row row;              // its newest bar, at its highest revision
  std::string last_id;  // of its newest trade, maybe of an earlier bar; empty if there never was one
  Timestamp last_id_bar;
};
using Remembered = std::map<InstrumentKey, LastKnown>;

class CsvStore {
 public:
  CsvStore(FileSink& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  // Creates the directory, and reads back, for every instrument in the files, its newest bar at its highest revision.
  // Days are looked through from the newest back until one brings nothing new, `days_max` at most.
  // A last line without newline is a torn write: it is cut off. Throws std::runtime_error saying what, where and what
  // to do, if a file is not ours or can't be read.
  [[nodiscard]] Remembered open(std::size_t days_max = 400);

  // The interval of the bars in the files: the smallest distance of two bars of one instrument. Empty: not known.
  [[nodiscard]] std::optional<Duration> interval_found() const { return interval_found_; }
  // Bytes of a torn last line that `open` cut off.
  [[nodiscard]] std::uint64_t torn_bytes() const { return torn_bytes_; }

  // Writes rows to their day's files, each file's rows by one write, and moves latest.csv to the newest day.
  // Returns 0 or errno. What could not be written is kept in memory, in order, and goes first next time.
  int write(std::span<const Row> rows);
  [[nodiscard]] std::size_t backlog_rows() const { return backlog_.size(); }
  // Rows refused because the backlog was full: the oldest are kept.
  [[nodiscard]] std::uint64_t refused_rows() const { return refused_rows_; }

  static constexpr std::size_t backlog_rows_max = 2'000'000;

 private:
  void read_day(const std::string& name, Remembered& newest, bool& anything_new);
  void take_line(const std::string& name, std::uint64_t line_number, std::string_view line,
                 Remembered& newest, bool& anything_new);
  int write_day(const std::string& day, const std::string& text);
  [[nodiscard]] std::string path_of(const std::string& name) const { return directory_ + "/" + name; }

  FileSink& files_;
  std::string directory_;
  std::optional<Duration> interval_found_;
  std::vector<Row> backlog_;
  std::string newest_day_;
  std::uint64_t torn_bytes_ = 0, refused_rows_ = 0;
  std::map<InstrumentKey, Timestamp> previous_bar_;  // while `open` reads
};

}  // namespace cvdd
