#include "cvdd/engine/source.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t print_bytes = 4'096;
constexpr std::size_t skip_piece = std::size_t{256} << 10;

std::uint32_t print_of(std::string_view text) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

// The last print_bytes of `tail` followed by `text`.
void move_tail(std::string& tail, std::string_view text) {
  if (text.size() >= print_bytes) {
    tail.assign(text.substr(text.size() - print_bytes));
    return;
  }
  tail += text;
  if (tail.size() > print_bytes) tail.erase(0, tail.size() - print_bytes);
}
}  // namespace

bool is_same(const SourceFile& a, const SourceFile& b) {
  return a.packing == b.packing && a.size == b.size && a.changed_ns == b.changed_ns && a.inode == b.inode;
}

std::optional<SourceFile> source_from(std::string_view file_name) {
  SourceFile file;
  std::string_view name = file_name;
  if (name.ends_with(".gz")) {
    file.packing = Packing::gzip;
    name.remove_suffix(3);
  } else if (name.ends_with(".zst")) {
    file.packing = Packing::zstd;
    name.remove_suffix(4);
  }
  const std::size_t dash = name.find('-');
  if (!name.ends_with(".csv") || dash == name.npos || name.size() < dash + 1 + 10 + 4) return std::nullopt;
  const auto kind = row_kind_from(name.substr(0, dash));
  if (!kind) return std::nullopt;
  file.kind = *kind;
  file.day = name.substr(dash + 1, 10);
  if (!parse_time(file.day + "T00:00:00Z")) return std::nullopt;
  std::string_view part = name.substr(dash + 11, name.size() - 4 - (dash + 11));
  if (!part.empty()) {
    const bool number = part.size() >= 2 && part.size() <= 6 && part[0] == '.' && part[1] != '0' &&
                        part.find_first_not_of("0123456789", 1) == part.npos;
    if (!number) return std::nullopt;
    file.part = static_cast<std::uint32_t>(std::stoul(std::string(part.substr(1))));
  }
  file.name = name;
  return file;
}

std::vector<SourceFile> list_sources(const std::string& directory) {
  DIR* const opened = ::opendir(directory.c_str());
  if (opened == nullptr) {
    throw std::runtime_error(
        fmt::format("{}: the data directory can't be read: {}; give the collector's data_dir, and read permission to "
                    "this user",
                    directory, std::strerror(errno)));
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> guard(opened, ::closedir);
  std::vector<SourceFile> files;
  while (const dirent* entry = ::readdir(opened)) {
    auto file = source_from(entry->d_name);
    struct stat facts {};
    if (!file) continue;
    // A link is somebody's second name for a file (latest.csv and latest-context.csv are none of these names).
    if (::fstatat(::dirfd(opened), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode))
      continue;
    file->path = directory + "/" + entry->d_name;
    file->size = static_cast<std::uint64_t>(facts.st_size);
    file->changed_ns = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
    file->inode = facts.st_ino;
    files.push_back(std::move(*file));
  }
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) {
    return std::tie(a.day, a.kind, a.part, a.packing) < std::tie(b.day, b.kind, b.part, b.packing);
  });
  const auto twice = std::unique(files.begin(), files.end(),
                                 [](const SourceFile& a, const SourceFile& b) { return a.name == b.name; });
  files.erase(twice, files.end());
  return files;
}

SourceReader::SourceReader(const SourceFile& file, Position from) : file_(file) {
  if (file.packing != Packing::none) {
    // To the end once: what is damaged says so here, before a row of it is believed.
    const auto whole = open_stream(file);
    std::string piece(skip_piece, '\0');
    while (whole->read(piece.data(), piece.size()) > 0) {
    }
  }
  if (seek(from)) return;
  restarted_ = true;
  (void)seek({});
}

bool SourceReader::seek(Position from) {
  stream_ = open_stream(file_);
  text_.clear();
  tail_.clear();
  lines_ = 0;
  ended_ = false;
  const std::uint64_t begin = from.offset - std::min<std::uint64_t>(from.offset, print_bytes);
  stream_->skip_to(begin);
  std::string before(from.offset - begin, '\0');
  for (std::size_t got = 0; got < before.size();) {
    const std::size_t some = stream_->read(before.data() + got, before.size() - got);
    if (some == 0) return false;
    got += some;
  }
  offset_ = from.offset;
  if (from.offset > 0 && (before.back() != '\n' || print_of(before) != from.print)) return false;
  tail_ = std::move(before);
  return true;
}

void SourceReader::fill(std::size_t bytes) {
  const std::size_t had = text_.size();
  text_.resize(had + bytes);
  std::size_t got = 0;
  while (got < bytes && !ended_) {
    const std::size_t some = stream_->read(text_.data() + had + got, bytes - got);
    ended_ = some == 0;
    got += some;
  }
  text_.resize(had + got);
}

std::string_view SourceReader::next(std::size_t bytes_max) {
  move_tail(tail_, std::string_view(text_).substr(0, lines_));
  text_.erase(0, lines_);
  offset_ += lines_;
  lines_ = 0;
  ended_ = false;  // the file may have grown
  std::size_t looked = 0;
  while (true) {
    fill(std::max(bytes_max, line_max) - std::min(text_.size(), std::max(bytes_max, line_max) - 1));
    const std::size_t newline = text_.rfind('\n');
    if (newline != text_.npos) {
      lines_ = newline + 1;
      return std::string_view(text_).substr(0, lines_);
    }
    if (text_.size() > line_max) {
      throw SourceError(
          fmt::format("{}: no row at byte {}: a line of more than {} KiB begins \"{}\"; move the file out of "
                      "the directory, or cut it there",
                      file_.path, offset_, line_max >> 10, printable(text_, 60)));
    }
    if (ended_ || text_.size() == looked) return {};
    looked = text_.size();
  }
}

Position SourceReader::position() const {
  std::string tail = tail_;
  move_tail(tail, std::string_view(text_).substr(0, lines_));
  return {offset_ + lines_, print_of(tail)};
}

}  // namespace cvdd::engine
