// The data directory: dated CSV files, `latest.csv`, the redo journal, and what they say when the daemon starts.
// The CSV files are the database; the journal only completes a batch that a crash tore (docs/files.md).
// Owned and used by the aggregator thread alone.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/context.hpp"
#include "cvdd/ledger/flow.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"
#include "cvdd/storage/day_file.hpp"
#include "cvdd/storage/file_sink.hpp"
#include "cvdd/storage/journal.hpp"

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
  std::optional<Row> traded;  // the row that says so
  // Its newest bars, oldest first, each at its highest revision, the newest last: what came too late for them may still
  // come, and where bars lack trades that might be had, those since then, with the one before them. Empty: not
  // recalled.
  std::vector<Row> recent;
  // Of the flow file: the rows of those bars at their highest revision; where it has none, the newest of each bucket.
  std::vector<FlowRow> flow;
  // Of the context file: its newest row there.
  std::optional<ContextRow> context;
  // After which id the instrument's trades go on; empty: its ids don't tell.
  [[nodiscard]] std::optional<std::uint64_t> resumes_after(const Instrument& instrument) const {
    if (instrument.ids != Ids::sequence) return std::nullopt;
    const auto id = sequence_id(last_id);
    // The newest trade by its time is not always the one with the highest id.
    return id ? std::optional(newest_numbering(recent, *id, {}).highest) : std::nullopt;
  }
};
using Remembered = std::map<InstrumentKey, LastKnown>;

class CsvStore {
 public:
  // `sync`: what was written is to be synced; see take_sync_requests. `lock`: refuse a directory that another process
  // writes to.
  struct Options {
    bool sync = true;
    bool lock = true;
  };
  CsvStore(FileSink& files, std::string directory, Options options)
      : files_(files), directory_(std::move(directory)), options_(options) {}
  CsvStore(FileSink& files, std::string directory) : CsvStore(files, std::move(directory), Options{}) {}

  // Creates the directory, locks it, completes a batch that a crash tore, and reads back, for every instrument in the
  // files, its newest bar at its highest revision. Days are looked through from the newest back until one brings
  // nothing new, `days_max` at most; who has no row in those is known by `last-rows.csv`. Files that hold what we did
  // not write are never written to again.
  // Throws std::runtime_error saying what, where and what to do.
  [[nodiscard]] Remembered open(std::size_t days_max = 400);

  // Looks at the last `bars` bars once more for instruments of which some say gap, and at those of the time `always`
  // before the newest for all. Reads no more than `recall_bytes_max` from the end of the files; what lies before stays
  // as it is.
  void recall(Remembered& newest, Duration interval, std::size_t bars, Duration always);
  static constexpr std::uint64_t recall_bytes_max = std::uint64_t{64} << 20;

  // Rows of instruments that have ended, some of them their last, and what the flow files have of those bars:
  // remembered for as long as it takes. Other rows of `flow` are passed over.
  void keep(std::span<const Row> ended, std::span<const FlowRow> flow);

  // The interval of the bars in the files: the smallest distance of two bars of one instrument. Empty: not known.
  [[nodiscard]] std::optional<Duration> interval_found() const { return interval_found_; }

  // Writes rows to their day's files, each file's rows by one write, and moves latest.csv (latest-flow.csv …) to the
  // newest; makes it again if it is gone. `flow`, `context`: rows of those files, in the same batch. Returns 0 or
  // errno. What could not be written is kept in memory, in order, and goes first next time.
  int write(std::span<const Row> rows, std::span<const FlowRow> flow = {}, std::span<const ContextRow> context = {});
  // Rows waiting in memory for the disk.
  [[nodiscard]] std::size_t backlog_rows() const { return backlog_rows_; }
  // Rows refused because the backlog was full: the oldest are kept.
  [[nodiscard]] std::uint64_t refused_rows() const { return refused_rows_; }

  // Files whose appended bytes await a sync, each with its length: to be synced away from this thread, and the result
  // (0 or errno) told. After a failure the rows since the last good sync go to a new file: a second sync of the same
  // file would say "good" about pages that the kernel has dropped.
  struct SyncRequest {
    std::string path;
    std::uint64_t upto = 0;
    int error = 0;
  };
  [[nodiscard]] std::vector<SyncRequest> take_sync_requests();
  void synced(const SyncRequest& result);

  // One line each, for who operates this: what was found, completed, left alone.
  [[nodiscard]] std::vector<std::string> take_notes();

  // Text of rows kept in memory when the disk is full: 16 hours of 1,000 instruments.
  static constexpr std::size_t backlog_bytes_max = std::size_t{256} << 20;

 private:
  // What rows wait for, and are written together: a table's day.
  using Day = std::pair<RowTable, std::string>;
  struct Batch {
    std::string text;
    std::size_t rows = 0;
  };
  struct Unsynced {
    std::uint64_t from = 0;  // offset of `text`
    std::string text;
  };
  // src/storage/csv_recovery.cpp
  void take_lock();
  void complete_torn_batch();
  void redo(const JournalPart& part);
  [[nodiscard]] std::vector<DayFile> list_files(RowTable table);
  // The newest row of each key of a file, and the newest with a trade.
  template <class R>
  struct Found {
    std::optional<R> row, traded;
    bool any_traded = false;
  };
  template <class R>
  [[nodiscard]] std::vector<Found<R>> newest_of(const DayFile& file, std::optional<R> (*parse)(std::string_view));
  // Days from the newest back, until `read` has found nothing new in one, and the link to the newest.
  template <class Read>
  void read_days(RowTable table, std::size_t days_max, Read read);
  void read_file(const DayFile& file, Remembered& newest, bool& anything_new);
  void read_flow_file(const DayFile& file, Remembered& newest, bool& anything_new);
  void read_context_file(const DayFile& file, Remembered& newest, bool& anything_new);
  [[nodiscard]] std::vector<std::string> tails(RowTable table, bool (*last)(std::string_view text));
  void recall_flow(Remembered& newest);
  static bool remember(Remembered& newest, Row row, std::optional<Row> traded);
  void cut_torn_line(const DayFile& file, std::uint64_t end, std::string_view torn);
  void retire(const DayFile& file, const std::string& why);

  // src/storage/last_rows.cpp
  void remember_for_long(Remembered& newest);
  void read_last_rows(Remembered& newest);
  void write_last_rows(const Remembered& newest);
  void note_not_kept(int error);

  void queue(const Day& day, const std::string& text);
  int write_batches();
  [[nodiscard]] DayFile current(const Day& day) const;
  [[nodiscard]] int place(const Day& day, JournalPart& part);
  int written(const Day& day, const JournalPart& part);
  int point_to(const DayFile& file, const std::string& name);
  [[nodiscard]] std::string path_of(const std::string& name) const { return directory_ + "/" + name; }

  FileSink& files_;
  std::string directory_;
  Options options_;
  std::optional<Duration> interval_found_;
  std::map<Day, Batch> backlog_;
  std::size_t backlog_rows_ = 0, backlog_bytes_ = 0;
  std::map<Day, std::uint32_t> parts_;          // the part that is written to, if not 0
  std::map<std::string, std::uint64_t> sizes_;  // file → bytes after our last write
  std::map<std::string, Unsynced> unsynced_;    // file → what the disk has not confirmed
  std::vector<std::string> to_sync_;            // files
  std::map<RowTable, DayFile> newest_file_;
  std::uint64_t refused_rows_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace cvdd
