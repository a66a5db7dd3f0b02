// The store's other half: what the files say when the daemon starts, and the batch that a crash tore.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <thread>

#include "csv_scan.hpp"
#include "cvdd/ledger/context_row.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/packed_days.hpp"

namespace cvdd {

namespace {
constexpr std::size_t chunk = std::size_t{1} << 20;  // of newest rows, which lie beside each other
constexpr std::uint64_t piece_min = std::uint64_t{64} << 20;
constexpr std::size_t journal_max = std::size_t{1} << 30;

// The daemon does nothing else while it reads its files.
std::size_t readers() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4); }

// Whether a line without newline can be the beginning of a row of ours.
bool may_be_ours(std::string_view torn) {
  return torn.size() < 1'000 && std::all_of(torn.begin(), torn.end(), [](char c) { return c > ' ' && c < 0x7F; }) &&
         (torn.front() == '2' ||
          std::ranges::any_of(row_tables, [&](RowTable table) { return format_of(table).header.starts_with(torn); }));
}
}  // namespace

Remembered CsvStore::open(std::size_t days_max) {
  if (const int error = files_.make_directory(directory_); error != 0) {
    throw std::runtime_error(fmt::format("{}: can't be created: {}; choose another data_dir or its permissions",
                                         directory_, std::strerror(error)));
  }
  take_lock();
  std::vector<std::string> names;
  if (files_.list(directory_, names) == 0) {
    const std::string packed = packed_newest_day(names);
    if (!packed.empty()) throw std::runtime_error(packed_advice(directory_, packed));
  }
  complete_torn_batch();
  Remembered newest;
  read_days(RowTable::cvd, days_max, [&](const DayFile& file, bool& any_new) { read_file(file, newest, any_new); });
  read_days(RowTable::flow, days_max,
            [&](const DayFile& file, bool& any_new) { read_flow_file(file, newest, any_new); });
  read_days(RowTable::context, days_max,
            [&](const DayFile& file, bool& any_new) { read_context_file(file, newest, any_new); });
  remember_for_long(newest);
  return newest;
}

template <class Read>
void CsvStore::read_days(RowTable table, std::size_t days_max, Read read) {
  const std::vector<DayFile> files = list_files(table);
  std::string day;
  std::size_t days = 0;
  bool anything_new = true;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (file->day != day) {
      if (++days > days_max || (days > 2 && !anything_new)) break;
      day = file->day;
      anything_new = false;
    }
    read(*file, anything_new);
  }
  if (files.empty()) return;
  newest_file_[table] = files.back();
  const std::string latest(format_of(table).latest);
  std::vector<std::string> there;
  if (files_.list(directory_, there) == 0 && std::ranges::find(there, latest) != there.end()) {
    notes_.push_back(
        fmt::format("{} was a file of its own, it is replaced by the link file={}", latest, path_of(latest)));
  }
  (void)files_.replace_link(path_of(latest), name_of(files.back()));
}

void CsvStore::take_lock() {
  if (!options_.lock) return;
  std::string holder;
  const std::string path = path_of("cvdd.lock");
  const int error = files_.lock(path, fmt::format("{}\n", ::getpid()), holder);
  if (error == 0) return;
  if (error == EWOULDBLOCK) {
    holder.erase(std::find(holder.begin(), holder.end(), '\n'), holder.end());
    throw std::runtime_error(fmt::format(
        "{}: another cvdd writes here, process {}; stop it, or choose another data_dir", directory_, holder));
  }
  throw std::runtime_error(
      fmt::format("{}: can't be written: {}; choose another data_dir or its permissions", path, std::strerror(error)));
}

void CsvStore::complete_torn_batch() {
  std::string text;
  if (files_.read(path_of("journal.redo"), 0, journal_max, text) != 0 || text.empty()) return;
  const auto parts = decode_journal(text);
  if (!parts) {
    notes_.push_back(
        fmt::format("the journal is not whole, so its batch was never begun file={}", path_of("journal.redo")));
    return;
  }
  for (const JournalPart& part : *parts) {
    if (any_day_file_from(part.name)) redo(part);
  }
}

void CsvStore::redo(const JournalPart& part) {
  const std::string path = path_of(part.name);
  std::uint64_t size = 0;
  std::string there;
  const int missing = files_.size(path, size);
  if (missing != 0 && (missing != ENOENT || part.offset > 0)) return;  // a deleted file is its owner's decision
  if (size < part.offset) {
    notes_.push_back(fmt::format("data file is shorter than it was, its last batch is not completed file={}", path));
    return;
  }
  if (missing == 0 && files_.read(path, part.offset, part.text.size(), there) != 0) return;
  switch (judge_redo(part, there)) {
    case Redo::nothing:
      return;
    case Redo::foreign:
      // What follows is either rows of a later batch of ours, or not ours: reading the file will tell.
      return;
    case Redo::complete:
      if (const int error = files_.append(path, std::string_view(part.text).substr(there.size())); error != 0) {
        throw std::runtime_error(
            fmt::format("{}: a batch torn by a crash can't be completed: {}; make room and start "
                        "again",
                        path, std::strerror(error)));
      }
      notes_.push_back(fmt::format("completed a batch that was torn when the daemon ended file={} bytes={}", path,
                                   part.text.size() - there.size()));
  }
}

std::vector<DayFile> CsvStore::list_files(RowTable table) {
  std::vector<std::string> names;
  if (const int error = files_.list(directory_, names); error != 0) {
    throw std::runtime_error(fmt::format("{}: can't be listed: {}", directory_, std::strerror(error)));
  }
  std::vector<DayFile> files;
  for (const std::string& name : names) {
    if (const auto file = day_file_from(name, table)) files.push_back(*file);
  }
  std::sort(files.begin(), files.end());
  for (const DayFile& file : files) {
    if (file.part > 0) parts_[{table, file.day}] = file.part;
    std::uint64_t size = 0;
    if (files_.size(path_of(name_of(file)), size) == 0) sizes_[name_of(file)] = size;
  }
  return files;
}

template <class R>
std::vector<CsvStore::Found<R>> CsvStore::newest_of(const DayFile& file, std::optional<R> (*parse)(std::string_view)) {
  const std::string path = path_of(name_of(file));
  const auto or_throw = [&](int error) {
    if (error != 0) throw std::runtime_error(fmt::format("{}: can't be read: {}", path, std::strerror(error)));
  };
  std::vector<Found<R>> rows;
  std::optional<FileScan> scanned;
  // Only what we would have written ourselves is believed; if some newest row is not, every row is looked at.
  for (const bool whole_parse : {false, true}) {
    rows.clear();
    or_throw(scan_file(files_, path, whole_parse, readers(), piece_min, scanned, format_of(file.table)));
    // They lie beside each other as a rule, in the file's last minute; those of instruments that trade seldom before
    // it.
    std::string piece, line;
    std::uint64_t piece_begin = 0;
    const auto row_at = [&](const Place& place) {
      if (place.begin < piece_begin) {
        or_throw(files_.read(path, place.begin, place.size, line));
        return parse(line);
      }
      if (place.begin + place.size > piece_begin + piece.size()) {
        or_throw(files_.read(path, place.begin, std::max<std::size_t>(chunk, place.size), piece));
        piece_begin = place.begin;
      }
      return parse(std::string_view(piece).substr(place.begin - piece_begin, place.size));
    };
    for (const NewestLines& n : scanned->instruments()) {
      Found<R>& found = rows.emplace_back();
      found.row = row_at(n.line);
      found.any_traded = n.any_traded();
      if (n.any_traded()) found.traded = n.traded_line.begin == n.line.begin ? found.row : row_at(n.traded_line);
    }
    const auto unreadable = [](const Found<R>& f) { return !f.row || (f.any_traded && !f.traded); };
    if (std::none_of(rows.begin(), rows.end(), unreadable)) break;
  }
  sizes_[name_of(file)] = scanned->end();
  const bool writable = current({file.table, file.day}) == file;
  if (scanned->foreign_line() > 0) {
    if (writable) retire(file, fmt::format("line {} is not a row that cvdd wrote", scanned->foreign_line()));
    if (scanned->foreign_line() == 1) return {};
  } else if (!scanned->torn().empty() && writable) {
    cut_torn_line(file, scanned->end(), scanned->torn());
  }
  if (file.table == RowTable::cvd && scanned->interval() &&
      (!interval_found_ || *scanned->interval() < *interval_found_)) {
    interval_found_ = scanned->interval();
  }
  return rows;
}

void CsvStore::read_file(const DayFile& file, Remembered& newest, bool& anything_new) {
  for (Found<Row>& found : newest_of<Row>(file, parse_row)) {
    if (found.row && remember(newest, std::move(*found.row), std::move(found.traded))) anything_new = true;
  }
}

// Whether the row, or the newest of those with a trade, told anything that was not known of the instrument.
bool CsvStore::remember(Remembered& newest, Row row, std::optional<Row> traded) {
  const auto [known, unheard] = newest.try_emplace({row.exchange, row.market, row.symbol});
  LastKnown& last = known->second;
  bool news = unheard;
  if (traded && (last.last_id.empty() || traded->time > last.last_id_bar)) {
    news = news || last.last_id.empty();
    last.last_id = traded->last_id;
    last.last_id_bar = traded->time;
    last.traded = std::move(traded);
  }
  if (unheard || row.time > last.row.time || (row.time == last.row.time && row.rev > last.row.rev)) {
    last.row = std::move(row);
  }
  return news;
}

// Of instruments that have bars.
void CsvStore::read_flow_file(const DayFile& file, Remembered& newest, bool& anything_new) {
  for (Found<FlowRow>& found : newest_of<FlowRow>(file, parse_flow_row)) {
    if (!found.row) continue;
    FlowRow& row = *found.row;
    const auto known = newest.find({row.exchange, row.market, row.symbol});
    if (known == newest.end()) continue;
    std::vector<FlowRow>& flow = known->second.flow;
    const auto same = std::ranges::find(flow, row.bucket, &FlowRow::bucket);
    if (same == flow.end()) {
      flow.push_back(std::move(row));
      anything_new = true;
    } else if (row.time > same->time || (row.time == same->time && row.rev > same->rev)) {
      *same = std::move(row);
    }
  }
}

// Of instruments that have bars.
void CsvStore::read_context_file(const DayFile& file, Remembered& newest, bool& anything_new) {
  for (Found<ContextRow>& found : newest_of<ContextRow>(file, parse_context_row)) {
    if (!found.row) continue;
    const auto known = newest.find({found.row->exchange, found.row->market, found.row->symbol});
    if (known == newest.end()) continue;
    std::optional<ContextRow>& there = known->second.context;
    anything_new = anything_new || !there;
    const bool newer =
        !there || found.row->time > there->time || (found.row->time == there->time && found.row->rev > there->rev);
    if (newer) there = std::move(found.row);
  }
}

// Only what no reader was to believe yet is cut off, and only if it looks like ours.
void CsvStore::cut_torn_line(const DayFile& file, std::uint64_t end, std::string_view torn) {
  const std::string path = path_of(name_of(file));
  if (!may_be_ours(torn)) return retire(file, "its last line is not a row that cvdd wrote");
  if (const int error = files_.truncate(path, end - torn.size()); error != 0) {
    return retire(file, fmt::format("its torn last line can't be cut off: {}", std::strerror(error)));
  }
  sizes_[name_of(file)] = end - torn.size();
  notes_.push_back(fmt::format("cut off a torn last line file={} bytes={}", path, torn.size()));
}

}  // namespace cvdd
