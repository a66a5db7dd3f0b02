// The collector's day files as the engine reads them: plain while they are written, packed (.gz, .zst) when somebody
// has packed them; whole lines only, from a place that is checked. Nothing here writes to the data directory. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/engine/layout.hpp"

namespace cvdd::engine {

enum class Packing : std::uint8_t { none, gzip, zstd };

// One file of rows. Packing it does not make it another: `name` is what it was called when it was written.
struct SourceFile {
  std::string name;  // "cvd-2026-11-20.csv", "flow-2026-11-20.1.csv"
  RowKind kind = RowKind::cvd;
  std::string day;  // "2026-11-20"
  std::uint32_t part = 0;
  Packing packing = Packing::none;
  std::string path;
  std::uint64_t size = 0;  // bytes on the disk
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
};
// Nothing was written to it between the two looks at it.
[[nodiscard]] bool is_same(const SourceFile& a, const SourceFile& b);

// Its name taken apart; `size` and what follows unset. Empty if it is no file of rows.
[[nodiscard]] std::optional<SourceFile> source_from(std::string_view file_name);

// The files of rows in `directory`, oldest day first, a day's bars before what stands beside them, its parts in order;
// where a file is there plain and packed, the plain one. Throws std::runtime_error if the directory can't be read.
[[nodiscard]] std::vector<SourceFile> list_sources(const std::string& directory);

// How far a file was read: bytes of its unpacked text, always behind a newline, and a checksum of what stands before
// there (4 KiB at most), by which a file that was begun anew is told from one that grew.
struct Position {
  std::uint64_t offset = 0;
  std::uint32_t print = 0;
  friend bool operator==(const Position&, const Position&) = default;
};
using Positions = std::map<std::string, Position>;  // by SourceFile::name

// A file can't be read: damaged, cut off, gone, refused. What, where, and what to do.
struct SourceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The unpacked bytes of a file, in order. Memory is bounded whatever the file says.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to `room` bytes; 0 at the end. Throws SourceError.
  virtual std::size_t read(char* to, std::size_t room) = 0;
  // The next read begins `offset` bytes behind the beginning; only before the first read.
  virtual void skip_to(std::uint64_t offset) = 0;
};
[[nodiscard]] std::unique_ptr<ByteStream> open_stream(const SourceFile& file);

// Whether this build can unpack it.
[[nodiscard]] bool can_unpack(Packing packing);

// The bytes that a packed file says it holds; empty if it does not say, or is plain. Never trusted for more than to
// leave a file alone that was read to this end before.
[[nodiscard]] std::optional<std::uint64_t> stated_size(const SourceFile& file);

class SourceReader {
 public:
  // Opens `file` at `from`. If what stands before there is not what stood there then, it is read from its beginning
  // (rows have keys: what is read twice is there once), and restarted() says so. A packed file is unpacked once to its
  // end before its first row is believed, since its checksum comes last. Throws SourceError.
  SourceReader(const SourceFile& file, Position from);

  // Whole lines with their newlines, `bytes_max` or little more; empty if there is none any more. What is behind the
  // last newline is left for later. The text is on the disk before it is returned (fdatasync), so that nothing that
  // the engine passes on can vanish from the file at a power loss. Good until the next call.
  [[nodiscard]] std::string_view next(std::size_t bytes_max);
  // Behind what next() returned last.
  [[nodiscard]] Position position() const;
  [[nodiscard]] bool restarted() const { return restarted_; }
  // What stands behind the last newline at the end.
  [[nodiscard]] std::string_view torn() const { return std::string_view(text_).substr(lines_); }

  static constexpr std::size_t line_max = std::size_t{64} << 10;  // no row is longer

 private:
  [[nodiscard]] bool seek(Position from);
  void fill(std::size_t bytes);

  SourceFile file_;
  std::unique_ptr<ByteStream> stream_;
  std::string text_;  // [0, lines_) was returned, the rest is the beginning of a line
  std::size_t lines_ = 0;
  std::uint64_t offset_ = 0;  // of the text's beginning
  std::string tail_;          // what stands before offset_, up to print_bytes
  bool restarted_ = false, ended_ = false;
};

}  // namespace cvdd::engine
