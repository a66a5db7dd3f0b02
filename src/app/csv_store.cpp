#include "cvdd/app/csv_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "cvdd/core/csv.hpp"

namespace cvdd {

namespace {
constexpr std::size_t chunk = std::size_t{1} << 20;
constexpr std::string_view prefix = "cvd-", suffix = ".csv";

bool is_day_file(const std::string& name) {
  return name.size() == prefix.size() + 10 + suffix.size() && name.starts_with(prefix) && name.ends_with(suffix) &&
         parse_time(name.substr(prefix.size(), 10) + "T00:00:00Z").has_value();
}

std::string file_of(const std::string& day) { return std::string(prefix) + day + std::string(suffix); }
}  // namespace

Remembered CsvStore::open(std::size_t days_max) {
  std::vector<std::string> names;
  if (int error = files_.make_directory(directory_); error == 0) {
    error = files_.list(directory_, names);
    if (error != 0) throw std::runtime_error(fmt::format("{}: can't be listed: {}", directory_, std::strerror(error)));
  } else {
    throw std::runtime_error(fmt::format("{}: can't be created: {}; choose another data_dir or its permissions",
                                         directory_, std::strerror(error)));
  }
  std::erase_if(names, [](const std::string& name) { return !is_day_file(name); });
  Remembered newest;
  std::size_t read = 0;
  for (auto name = names.rbegin(); name != names.rend() && read < days_max; ++name) {
    bool anything_new = false;
    read_day(*name, newest, anything_new);
    if (++read >= 2 && !anything_new) break;
  }
  previous_bar_.clear();
  if (!names.empty()) {
    newest_day_ = names.back().substr(prefix.size(), 10);
    (void)files_.replace_link(path_of("latest.csv"), names.back());
  }
  return newest;
}

void CsvStore::read_day(const std::string& name, Remembered& newest, bool& anything_new) {
  previous_bar_.clear();
  const std::string path = path_of(name);
  std::string pending, text;
  std::uint64_t offset = 0, line_number = 0;
  while (true) {
    if (const int error = files_.read(path, offset, chunk, text); error != 0) {
      throw std::runtime_error(fmt::format("{}: can't be read: {}", path, std::strerror(error)));
    }
    if (text.empty()) break;
    offset += text.size();
    pending += text;
    std::size_t begin = 0;
    for (std::size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      take_line(path, ++line_number, std::string_view(pending).substr(begin, end - begin), newest, anything_new);
    }
    pending.erase(0, begin);
    if (pending.size() > chunk) {
      throw std::runtime_error(fmt::format("{}:{}: a line of more than 1 MiB: not a cvdd file; move it away or choose "
                                           "another data_dir", path, line_number + 1));
    }
  }
  if (pending.empty()) return;
  // Only what no reader was to believe yet is cut off.
  if (const int error = files_.truncate(path, offset - pending.size()); error != 0) {
    throw std::runtime_error(fmt::format("{}: its torn last line can't be cut off: {}", path, std::strerror(error)));
  }
  torn_bytes_ += pending.size();
}

void CsvStore::take_line(const std::string& path, std::uint64_t line_number, std::string_view line,
                         Remembered& newest, bool& anything_new) {
  if (line_number == 1) {
    if (line == csv_header()) return;
    throw std::runtime_error(
        fmt::format("{}:1: not a cvdd file (another header); move it away or choose another data_dir", path));
  }
  auto row = parse_row(line);
  if (!row) {
    throw std::runtime_error(fmt::format(
        "{}:{}: not a row that cvdd wrote; restore the line, or move the file away (its CVDs then start anew)", path,
        line_number));
  }
  InstrumentKey key{row->exchange, row->market, row->symbol};
  const auto [previous, first] = previous_bar_.try_emplace(key, row->time);
  if (!first && row->time > previous->second) {
    const Duration distance = row->time - previous->second;
    if (!interval_found_ || distance < *interval_found_) interval_found_ = distance;
    previous->second = row->time;
  }
  const auto [known, unheard] = newest.try_emplace(std::move(key));
  LastKnown& last = known->second;
  if (!row->last_id.empty() && (last.last_id.empty() || row->time >= last.last_id_bar)) {
    anything_new = anything_new || last.last_id.empty();
    last.last_id = row->last_id;
    last.last_id_bar = row->time;
  }
  anything_new = anything_new || unheard;
  if (unheard || row->time > last.row.time || (row->time == last.row.time && row->rev > last.row.rev)) {
    last.row = std::move(*row);
  }
}

int CsvStore::write(std::span<const Row> rows) {
  const std::size_t room = backlog_rows_max - std::min(backlog_rows_max, backlog_.size());
  const std::size_t taken = std::min(room, rows.size());
  refused_rows_ += rows.size() - taken;
  backlog_.insert(backlog_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(taken));
  std::map<std::string, std::string> days;  // oldest first
  for (const Row& row : backlog_) append_row(days[format_day(row.time)], row);
  for (const auto& [day, text] : days) {
    const int error = write_day(day, text);
    if (error != 0) {
      // Days before this one are on disk; the rest stays, in order.
      std::erase_if(backlog_, [&](const Row& row) { return format_day(row.time) < day; });
      return error;
    }
  }
  backlog_.clear();
  return 0;
}

int CsvStore::write_day(const std::string& day, const std::string& text) {
  const std::string path = path_of(file_of(day));
  std::uint64_t size = 0;
  const int error = files_.size(path, size);
  if (error != 0 && error != ENOENT) return error;
  const bool fresh = error == ENOENT || size == 0;
  const int written = files_.append(path, fresh ? std::string(csv_header()) + "\n" + text : text);
  if (written != 0) return written;
  if (day > newest_day_) {
    newest_day_ = day;
    return files_.replace_link(path_of("latest.csv"), file_of(day));
  }
  return 0;
}

}  // namespace cvdd
