// From the collector's files into a store, as often as one likes. The positions in the store say what it has already;
// if they are lost, everything is read again and is there once all the same. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/engine/source.hpp"
#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

struct LoadCounts {
  std::uint64_t rows = 0, rejected = 0, files = 0, broken_files = 0;
  std::uint64_t bytes = 0;  // of text read
};

// Takes the lines of a piece of a day file apart. The first line of a file is its header; throws SourceError if it is
// not the one that this version knows. `place`: offset of `text` in the file.
void rows_from(std::string_view text, const SourceFile& file, std::uint64_t place, const std::string& collector,
               std::vector<StoreRow>& rows, std::vector<Rejected>& rejected);

// Writes `what`; a row that the database refuses is kept in `rejected` instead, and the others are written all the
// same. Returns how many that were. Throws what else goes wrong; what was written until then is written.
std::uint64_t write_isolating(Store& store, const Write& what);

class Loader {
 public:
  struct Settings {
    std::string directory, collector;
    std::size_t piece_bytes = std::size_t{4} << 20;  // of text in one transaction: about 20,000 rows
  };
  Loader(Store& store, Settings settings) : store_(store), settings_(std::move(settings)) {}

  // Reads whatever is new, file by file; returns when there is nothing more, or `stop` says so. A file that can't be
  // read is told to `complain` once, left, and tried again when it changes. Throws StoreError; what was not committed
  // is read again by the next pass.
  void pass(const std::atomic<bool>& stop);

  [[nodiscard]] const LoadCounts& counts() const { return counts_; }
  // Bytes of text that the files hold beyond what the store has, as far as they tell.
  [[nodiscard]] std::uint64_t bytes_to_do();
  std::function<void(const std::string&)> complain = [](const std::string&) {};
  std::function<void()> progress = [] {};  // after every transaction

 private:
  // Lines of a file, taken apart. No bytes: there are no more.
  struct Piece {
    std::vector<StoreRow> rows;
    std::vector<Rejected> rejected;
    std::size_t bytes = 0;
    Position behind;
  };
  [[nodiscard]] Piece next_piece(SourceReader& reader, const SourceFile& file, Position from) const;
  void write(const Piece& piece, const SourceFile& file);
  void look_through(const std::atomic<bool>& stop);
  void read(const SourceFile& file, const std::atomic<bool>& stop);
  [[nodiscard]] bool is_unchanged(const SourceFile& file) const;
  void know_positions();

  Store& store_;
  Settings settings_;
  bool known_ = false;
  Positions positions_;
  std::map<std::string, SourceFile> finished_;  // as they were when they had been read to their end
  LoadCounts counts_;
};

}  // namespace cvdd::engine
