#include "cvdd/storage/csv_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cvdd/ledger/context_row.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"

namespace cvdd {

DayFile CsvStore::current(const Day& day) const {
  const auto part = parts_.find(day);
  return {day.second, part == parts_.end() ? 0 : part->second, day.first};
}

int CsvStore::write(std::span<const Row> rows, std::span<const FlowRow> flow, std::span<const ContextRow> context) {
  std::string text;
  for (const Row& row : rows) {
    text.clear();
    append_row(text, row);
    queue({RowTable::cvd, format_day(row.time)}, text);
  }
  for (const FlowRow& row : flow) {
    text.clear();
    append_flow_row(text, row);
    queue({RowTable::flow, format_day(row.time)}, text);
  }
  for (const ContextRow& row : context) {
    text.clear();
    append_context_row(text, row);
    queue({RowTable::context, format_day(row.time)}, text);
  }
  return write_batches();
}

void CsvStore::queue(const Day& day, const std::string& text) {
  if (backlog_bytes_ >= backlog_bytes_max) {
    ++refused_rows_;
    return;
  }
  Batch& batch = backlog_[day];
  batch.text += text;
  ++batch.rows;
  ++backlog_rows_;
  backlog_bytes_ += text.size();
}

// Journal first, then each day's file. A crash in between is completed at the next start.
int CsvStore::write_batches() {
  if (backlog_.empty()) return 0;
  std::vector<std::pair<Day, JournalPart>> parts;
  for (const auto& [day, batch] : backlog_) {
    JournalPart part;
    if (const int error = place(day, part); error != 0) return error;
    part.text += batch.text;
    parts.emplace_back(day, std::move(part));
  }
  std::vector<JournalPart> journal;
  for (const auto& [day, part] : parts) journal.push_back(part);
  const std::string path = path_of("journal.redo");
  if (const int error = files_.overwrite(path, encode_journal(journal)); error != 0) return error;
  for (const auto& [day, part] : parts) {
    const int error = files_.append(path_of(part.name), part.text);
    if (error == EIO) retire(current(day), "can't be written any more: " + std::string(std::strerror(error)));
    if (error != 0) return error;
    if (const int failed = written(day, part); failed != 0) return failed;
  }
  if (options_.sync) to_sync_.push_back("journal.redo");
  return 0;
}

// Where the day's next rows go. A file that is not as we left it belongs to somebody else now.
int CsvStore::place(const Day& day, JournalPart& part) {
  for (int tries = 0; tries < 100; ++tries) {
    const DayFile file = current(day);
    part.name = name_of(file);
    const int error = files_.size(path_of(part.name), part.offset);
    if (error != 0 && error != ENOENT) return error;
    if (error == ENOENT) part.offset = 0;
    const auto known = sizes_.find(part.name);
    std::vector<std::string> ignored;
    // Without the folder nothing begins anew.
    if (error == ENOENT && known != sizes_.end() && files_.list(directory_, ignored) != 0) return error;
    if (error == 0 && known == sizes_.end() && files_.list(path_of(part.name), ignored) == 0) {
      retire(file, "is a folder");
      continue;
    }
    if (error == ENOENT && known != sizes_.end()) {
      notes_.push_back(fmt::format("data file is gone, starting it anew file={}", path_of(part.name)));
      sizes_.erase(part.name);
      unsynced_.erase(part.name);
    } else if (error == 0 && known == sizes_.end() && part.offset > 0) {
      retire(file, "appeared while the daemon was running");
      continue;
    } else if (error == 0 && known != sizes_.end() && known->second != part.offset) {
      retire(file, fmt::format("was changed by somebody else ({} bytes, not {})", part.offset, known->second));
      continue;
    }
    part.text = part.offset == 0 ? std::string(format_of(day.first).header) + "\n" : "";
    return 0;
  }
  return EEXIST;
}

int CsvStore::written(const Day& day, const JournalPart& part) {
  sizes_[part.name] = part.offset + part.text.size();
  if (options_.sync) {
    const auto [unsynced, fresh] = unsynced_.try_emplace(part.name);
    if (fresh) unsynced->second.from = part.offset;
    // The disk has been silent for so long that remembering more would cost more than it saves.
    if (unsynced->second.text.size() < backlog_bytes_max) unsynced->second.text += part.text;
    if (std::find(to_sync_.begin(), to_sync_.end(), part.name) == to_sync_.end()) to_sync_.push_back(part.name);
  }
  const auto batch = backlog_.find(day);
  backlog_rows_ -= batch->second.rows;
  backlog_bytes_ -= batch->second.text.size();
  backlog_.erase(batch);
  return point_to(current(day), part.name);
}

// latest.csv, also where somebody has taken it away, or it could not be moved last time.
int CsvStore::point_to(const DayFile& file, const std::string& name) {
  DayFile& newest = newest_file_[file.table];
  if (file < newest) return 0;
  const std::string latest(format_of(file.table).latest);
  const std::string link = path_of(latest);
  std::uint64_t ignored = 0;
  const bool same = file == newest;
  if (same && files_.size(link, ignored) != ENOENT) return 0;
  std::vector<std::string> there;
  const bool file_instead = files_.list(directory_, there) == 0 && std::ranges::find(there, latest) != there.end();
  if (const int error = files_.replace_link(link, name); error != 0) return error;
  if (file_instead)
    notes_.push_back(fmt::format("{} was a file of its own, it is replaced by the link file={}", latest, link));
  if (same) notes_.push_back(fmt::format("{} was gone, it is made again file={}", latest, link));
  newest = file;
  return 0;
}

void CsvStore::retire(const DayFile& file, const std::string& why) {
  notes_.push_back(fmt::format("a new file is begun, the old one stays as it is file={} successor={} reason=\"{}\"",
                               path_of(name_of(file)), name_of({file.day, file.part + 1, file.table}), why));
  parts_[{file.table, file.day}] = file.part + 1;
}

std::vector<CsvStore::SyncRequest> CsvStore::take_sync_requests() {
  std::vector<SyncRequest> requests;
  for (const std::string& name : std::exchange(to_sync_, {})) {
    const auto size = sizes_.find(name);
    requests.push_back({path_of(name), size == sizes_.end() ? 0 : size->second, 0});
  }
  return requests;
}

void CsvStore::synced(const SyncRequest& result) {
  const std::string name = result.path.substr(directory_.size() + 1);
  const auto unsynced = unsynced_.find(name);
  if (unsynced == unsynced_.end()) return;  // the journal, or a file that is gone
  if (result.error == 0) {
    if (result.upto >= unsynced->second.from + unsynced->second.text.size()) {
      unsynced_.erase(unsynced);
    } else if (result.upto > unsynced->second.from) {
      unsynced->second.text.erase(0, result.upto - unsynced->second.from);
      unsynced->second.from = result.upto;
    }
    return;
  }
  const auto file = any_day_file_from(name);
  if (!file || current({file->table, file->day}) != *file) return;
  std::string lost = std::move(unsynced->second.text);
  const std::uint64_t good = unsynced->second.from;
  unsynced_.erase(unsynced);
  retire(*file, fmt::format("the disk did not confirm it: {}", std::strerror(result.error)));
  // What may or may not be there is cut off, so that no row is there twice; if that fails too, identical rows are.
  const std::string header = std::string(format_of(file->table).header) + "\n";
  (void)files_.truncate(result.path, std::max<std::uint64_t>(good, header.size()));
  sizes_.erase(name);
  if (good == 0 && lost.starts_with(header)) lost.erase(0, header.size());
  Batch& batch = backlog_[{file->table, file->day}];
  const auto rows = static_cast<std::size_t>(std::count(lost.begin(), lost.end(), '\n'));
  batch.rows += rows;
  backlog_rows_ += rows;
  backlog_bytes_ += lost.size();
  batch.text.insert(0, lost);
}

std::vector<std::string> CsvStore::take_notes() { return std::exchange(notes_, {}); }

}  // namespace cvdd
