#include "loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t rejected_text_max = 4'096;

std::uint64_t text_size(const SourceFile& file) {
  if (file.packing == Packing::none) return file.size;
  try {
    return stated_size(file).value_or(file.size * 5);
  } catch (const SourceError&) {
    return file.size * 5;  // it complains when it is read
  }
}
}  // namespace

void rows_from(std::string_view text, const SourceFile& file, std::uint64_t place, const std::string& collector,
               std::vector<StoreRow>& rows, std::vector<Rejected>& rejected) {
  std::string reason;
  for (std::size_t newline; (newline = text.find('\n')) != text.npos; text.remove_prefix(newline + 1)) {
    const std::string_view line = text.substr(0, newline);
    const std::uint64_t at = place;
    place += newline + 1;
    if (at == 0) {
      if (line == layout_of(file.kind).header) continue;
      throw SourceError(
          fmt::format("{}: its first line is not the header that this version knows, but \"{}\"; is it a file "
                      "of rows, or of a newer cvdd? Upgrade cvdd-engine, or move the file away",
                      file.path, printable(line, 80)));
    }
    if (auto row = store_row_from(collector, line, reason, file.kind)) {
      rows.push_back(std::move(*row));
    } else {
      rejected.push_back({collector, fmt::format("{}:{}", file.name, at), reason, printable(line, rejected_text_max)});
    }
  }
}

std::uint64_t write_isolating(Store& store, const Write& what) {
  try {
    store.write(what);
    return 0;
  } catch (const StoreError& error) {
    if (error.kind != StoreError::Kind::row || what.rows.empty()) throw;
    if (what.rows.size() == 1) {
      const StoreRow& row = what.rows.front();
      const std::vector<Rejected> one{
          {row.collector, key_in_words(row), printable(error.what(), 500), printable(row.line, rejected_text_max)}};
      store.write({.rows = {}, .rejected = one});
      return 1;
    }
  }
  const std::size_t half = what.rows.size() / 2;
  std::uint64_t refused = write_isolating(store, {.rows = what.rows.first(half)});
  refused += write_isolating(store, {.rows = what.rows.subspan(half)});
  Write rest = what;
  rest.rows = {};
  store.write(rest);
  return refused;
}

void Loader::know_positions() {
  if (known_) return;
  positions_ = store_.positions(settings_.collector);
  known_ = true;
}

bool Loader::is_unchanged(const SourceFile& file) const {
  const auto finished = finished_.find(file.name);
  if (finished != finished_.end() && is_same(finished->second, file)) return true;
  const auto position = positions_.find(file.name);
  if (position == positions_.end() || file.packing == Packing::none) return false;
  return stated_size(file) == position->second.offset;
}

std::uint64_t Loader::bytes_to_do() {
  know_positions();
  std::uint64_t sum = 0;
  for (const SourceFile& file : list_sources(settings_.directory)) {
    const auto position = positions_.find(file.name);
    const std::uint64_t size = text_size(file);
    sum += position == positions_.end() ? size : size - std::min(size, position->second.offset);
  }
  return sum;
}

void Loader::pass(const std::atomic<bool>& stop) {
  try {
    look_through(stop);
  } catch (const StoreError&) {
    // The store may be another one when it is there again, a standby that lacks the newest: it is asked what it has.
    known_ = false;
    finished_.clear();
    throw;
  }
}

void Loader::look_through(const std::atomic<bool>& stop) {
  know_positions();
  for (const SourceFile& file : list_sources(settings_.directory)) {
    if (stop) return;
    try {
      if (is_unchanged(file)) continue;
      read(file, stop);
    } catch (const SourceError& error) {
      ++counts_.broken_files;
      complain(error.what());
    }
    if (!stop) finished_.insert_or_assign(file.name, file);
  }
}

Loader::Piece Loader::next_piece(SourceReader& reader, const SourceFile& file, Position from) const {
  Piece piece;
  const std::string_view text = reader.next(settings_.piece_bytes);
  rows_from(text, file, from.offset, settings_.collector, piece.rows, piece.rejected);
  piece.bytes = text.size();
  piece.behind = reader.position();
  return piece;
}

// While the database takes a piece, another thread reads and checks the next one.
void Loader::read(const SourceFile& file, const std::atomic<bool>& stop) {
  Position& position = positions_[file.name];
  SourceReader reader(file, position);
  if (reader.restarted()) {
    complain(
        fmt::format("{}: is not as it was when it was read before; it is read again from its beginning", file.path));
    position = {};
  }
  // Deferred if there can be no more threads.
  const auto begin = [&](Position from) {
    return std::async(std::launch::async | std::launch::deferred,
                      [this, &reader, &file, from] { return next_piece(reader, file, from); });
  };
  bool anything = false;
  for (auto next = begin(position); !stop;) {
    const Piece piece = next.get();
    if (piece.bytes == 0) break;
    next = begin(piece.behind);
    write(piece, file);
    position = piece.behind;
    anything = true;
    progress();
  }
  counts_.files += anything ? 1U : 0U;
}

void Loader::write(const Piece& piece, const SourceFile& file) {
  const std::uint64_t refused = write_isolating(store_, {.rows = piece.rows,
                                                         .rejected = piece.rejected,
                                                         .collector = settings_.collector,
                                                         .file = file.name,
                                                         .position = piece.behind});
  for (const Rejected& one : piece.rejected) {
    complain(fmt::format("{}: at byte {}: {}: kept in the table `rejected`", file.path,
                         one.place.substr(one.place.rfind(':') + 1), one.reason));
  }
  if (refused > 0)
    complain(fmt::format("{}: the database refused {} rows: see its table `rejected`", file.path, refused));
  counts_.rows += piece.rows.size() - refused;
  counts_.rejected += piece.rejected.size() + refused;
  counts_.bytes += piece.bytes;
}

}  // namespace cvdd::engine
