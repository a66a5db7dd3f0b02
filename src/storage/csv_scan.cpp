#include "csv_scan.hpp"

#include <algorithm>
#include <future>

#include "cvdd/base/time_text.hpp"

namespace cvdd {

namespace {
constexpr std::size_t chunk = std::size_t{256} << 10;   // read, and looked through while it is in the caches
constexpr std::size_t line_max = std::size_t{1} << 20;  // what is longer is no row

std::string_view text(const std::array<char, 20>& time) { return {time.data(), time.size()}; }
void set(std::array<char, 20>& time, std::string_view to) { std::copy_n(to.begin(), time.size(), time.begin()); }

// The first beginning of a line at or behind `at`; the file's end if there is none.
int line_begin(FileSink& files, const std::string& path, std::uint64_t& at) {
  std::string piece;
  while (true) {
    if (const int error = files.read(path, at - 1, chunk, piece); error != 0 || piece.empty()) return error;
    const std::size_t newline = piece.find('\n');
    if (newline != piece.npos) {
      at += newline;
      return 0;
    }
    at += piece.size();
  }
}
}  // namespace

std::optional<Outline> outline_of(std::string_view line, std::string_view likely, int key_fields) {
  Outline out;
  if (line.size() < 60 || line[20] != ',') return std::nullopt;
  out.time = line.substr(0, 20);
  std::size_t end = 21 + likely.size();
  if (likely.empty() || end >= line.size() || line[end] != ',' || line.substr(21, likely.size()) != likely) {
    end = 20;
    for (int field = 0; field < key_fields; ++field) {
      end = line.find(',', end + 1);
      if (end == line.npos) return std::nullopt;
    }
  }
  out.key = line.substr(21, end - 21);
  std::size_t at = end + 1;
  for (; at < line.size() && line[at] != ','; ++at) {
    if (line[at] < '0' || line[at] > '9' || at > end + 10) return std::nullopt;
    out.rev = out.rev * 10 + static_cast<unsigned>(line[at] - '0');
  }
  if (at == line.size()) return std::nullopt;
  const std::size_t last = line.rfind(',');
  out.traded = line[last - 1] != ',';
  return out;
}

NewestLines& FileScan::instrument(std::string_view key) {
  std::size_t at = likely();
  if (instruments_.empty() || instruments_[at].key != key) {
    auto known = index_.find(key);
    if (known == index_.end()) {
      known = index_.emplace(std::string(key), instruments_.size()).first;
      instruments_.emplace_back().key = key;
    }
    at = known->second;
    instruments_[last_].follower = at;
  }
  last_ = at;
  return instruments_[at];
}

void FileScan::take(std::string_view line, std::uint64_t begin) {
  ++lines_;
  if (lines_ == 1 && head_) {
    if (line != format_->header) foreign_line_ = 1;
    return;
  }
  const auto outline =
      outline_of(line, instruments_.empty() ? std::string_view() : instruments_[likely()].key, format_->key_fields);
  if (!outline || (whole_parse_ && !format_->is_row(line))) {
    if (foreign_line_ == 0) foreign_line_ = lines_;
    return;
  }
  NewestLines& newest = instrument(outline->key);
  const int order = outline->time.compare(text(newest.time));
  if (newest.line.size == 0) set(newest.first_time, outline->time);
  if (order > 0 && newest.line.size > 0) note_distance(text(newest.time), outline->time);
  const Place place{begin, static_cast<std::uint32_t>(line.size())};
  if (newest.line.size == 0 || order > 0 || (order == 0 && outline->rev >= newest.rev)) {
    newest.line = place;
    set(newest.time, outline->time);
    newest.rev = outline->rev;
  }
  if (outline->traded && (!newest.any_traded() || outline->time >= text(newest.traded_time))) {
    newest.traded_line = place;
    set(newest.traded_time, outline->time);
  }
}

void FileScan::join(const FileScan& next) {
  if (stopped_) return;
  stopped_ = next.stopped_;
  if (foreign_line_ == 0 && next.foreign_line_ > 0) foreign_line_ = lines_ + next.foreign_line_;
  lines_ += next.lines_;
  end_ = next.end_;
  torn_ = next.torn_;
  if (next.interval_ && (!interval_ || *next.interval_ < *interval_)) interval_ = next.interval_;
  for (const NewestLines& later : next.instruments_) {
    NewestLines& newest = instrument(later.key);
    const bool unheard = newest.line.size == 0;
    if (unheard) newest.first_time = later.first_time;
    if (!unheard && text(later.first_time) > text(newest.time)) {
      note_distance(text(newest.time), text(later.first_time));
    }
    const int order = text(later.time).compare(text(newest.time));
    if (unheard || order > 0 || (order == 0 && later.rev >= newest.rev)) {
      newest.line = later.line;
      newest.time = later.time;
      newest.rev = later.rev;
    }
    if (later.any_traded() && (!newest.any_traded() || text(later.traded_time) >= text(newest.traded_time))) {
      newest.traded_line = later.traded_line;
      newest.traded_time = later.traded_time;
    }
  }
}

void FileScan::note_distance(std::string_view from, std::string_view to) {
  if (from == last_from_ && to == last_to_) return;
  last_from_ = from;
  last_to_ = to;
  const auto a = parse_time(from), b = parse_time(to);
  if (a && b && (!interval_ || *b - *a < *interval_)) interval_ = *b - *a;
}

int FileScan::read(FileSink& files, const std::string& path, std::uint64_t begin, std::uint64_t end) {
  std::string piece;
  end_ = begin;
  while (end_ < end) {
    if (const int error = files.read(path, end_, std::min<std::uint64_t>(chunk, end - end_), piece); error != 0) {
      return error;
    }
    if (piece.empty()) return 0;
    // The line that the last piece cut is put together; all others are read where they lie.
    std::string_view rest = piece;
    if (!torn_.empty()) {
      const std::size_t newline = rest.find('\n');
      torn_ += rest.substr(0, newline);
      if (newline != rest.npos) {
        take(torn_, end_ + newline - torn_.size());
        torn_.clear();
        rest.remove_prefix(newline + 1);
      } else {
        rest = {};
      }
    }
    for (std::size_t newline; (newline = rest.find('\n')) != rest.npos; rest.remove_prefix(newline + 1)) {
      take(rest.substr(0, newline), end_ + piece.size() - rest.size());
    }
    torn_ += rest;
    end_ += piece.size();
    if (torn_.size() > line_max) {
      if (foreign_line_ == 0) foreign_line_ = lines_ + 1;
      stopped_ = true;
      return 0;
    }
  }
  return 0;
}

int scan_file(FileSink& files, const std::string& path, bool whole_parse, std::size_t readers, std::uint64_t piece_min,
              std::optional<FileScan>& out, const RowFormat& format) {
  std::uint64_t size = 0;
  if (const int error = files.size(path, size); error != 0) return error;
  const std::uint64_t pieces = std::clamp<std::uint64_t>(size / piece_min, 1, readers);
  std::vector<std::uint64_t> begins{0};
  for (std::uint64_t i = 1; i < pieces; ++i) {
    std::uint64_t at = size / pieces * i;
    if (const int error = line_begin(files, path, at); error != 0) return error;
    if (at > begins.back() && at < size) begins.push_back(at);
  }
  std::vector<FileScan> scans;
  for (std::size_t i = 0; i < begins.size(); ++i) scans.emplace_back(whole_parse, i == 0, format);
  std::vector<std::future<int>> others;
  for (std::size_t i = 1; i < begins.size(); ++i) {
    const std::uint64_t end = i + 1 < begins.size() ? begins[i + 1] : UINT64_MAX;
    // Deferred if there can be no more threads.
    const auto how = std::launch::async | std::launch::deferred;
    others.push_back(std::async(
        how, [&files, &path, &scan = scans[i], begin = begins[i], end] { return scan.read(files, path, begin, end); }));
  }
  int error = scans[0].read(files, path, 0, begins.size() > 1 ? begins[1] : UINT64_MAX);
  for (auto& other : others) {
    const int its = other.get();
    if (error == 0) error = its;
  }
  if (error != 0) return error;
  for (std::size_t i = 1; i < scans.size(); ++i) scans[0].join(scans[i]);
  out = std::move(scans[0]);
  return 0;
}

}  // namespace cvdd
