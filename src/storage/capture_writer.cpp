#include "capture_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "cvdd/base/time_text.hpp"

#if CVDD_WITH_ZSTD
#include <zstd.h>
#endif

namespace cvdd {

namespace {
constexpr std::string_view prefix = "capture-", suffix = ".jsonl.zst";
constexpr std::size_t lines_max = std::size_t{1} << 20;
constexpr Duration flush_every = seconds(1);

// How many bytes at the beginning of `text` are one character of UTF-8; 0: none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xC2 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF5 ? 4
                                          : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  if (size == 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F))) return 0;
  if (size == 4 && ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))) return 0;
  return size;
}

void append_json(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain = std::find_if(text.begin(), text.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x80;
    });
    out.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty()) return;
    const char c = text.front();
    std::size_t size = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (const std::size_t n = character(text); n > 0) {
      out += text.substr(0, size = n);
    } else {
      out += "\\ufffd";
    }
    text.remove_prefix(size);
  }
}

// "capture-2026-11-20T20-59-00.123Z.jsonl.zst"
std::string name_at(Timestamp t) {
  std::string name(prefix);
  for (const char c : format_time(t).substr(0, 19)) name += c == ':' ? '-' : c;
  return fmt::format("{}.{:03d}Z{}", name, t.us / 1'000 % 1'000, suffix);
}
std::optional<Timestamp> time_of(const std::string& name) {
  if (name.size() != prefix.size() + 24 + suffix.size()) return std::nullopt;
  std::string text = name.substr(prefix.size(), 19);
  for (const std::size_t colon : {std::size_t{13}, std::size_t{16}}) text[colon] = ':';
  const auto time = parse_time(text + "Z");
  const auto rest = parse_digits(name.substr(prefix.size() + 20, 3));
  if (!time || !rest) return std::nullopt;
  return *time + milliseconds(static_cast<std::int64_t>(*rest));
}

constexpr std::string_view directions[] = {"in", "out", "open", "close", "note", "note"};
}  // namespace

void append_line(std::string& out, Timestamp time, std::uint32_t connection, std::string_view direction,
                 std::string_view message) {
  fmt::format_to(std::back_inserter(out), R"({{"ts": {}.{:06d}, "conn": {}, "dir": "{}", "msg": ")",
                 time.us / 1'000'000, time.us % 1'000'000, connection, direction);
  append_json(out, message);
  out += "\"}\n";
}

#if CVDD_WITH_ZSTD
class Compressor {
 public:
  Compressor() : stream_(ZSTD_createCCtx()) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }
  // `end`: of the frame; else what was given can be unpacked as far as it goes.
  void pack(std::string_view text, bool flush, bool end, std::string& out) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    const auto mode = end ? ZSTD_e_end : flush ? ZSTD_e_flush : ZSTD_e_continue;
    for (std::size_t left = 1; left > 0 || in.pos < in.size;) {
      const std::size_t size = out.size();
      out.resize(size + ZSTD_CStreamOutSize());
      ZSTD_outBuffer to{out.data() + size, out.size() - size, 0};
      left = ZSTD_compressStream2(stream_.get(), &to, &in, mode);
      out.resize(size + to.pos);
      if (ZSTD_isError(left) != 0) throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(left));
      if (mode == ZSTD_e_continue && in.pos == in.size) return;
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* stream) const { ZSTD_freeCCtx(stream); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> stream_;
};
#else
class Compressor {
 public:
  Compressor() {
    throw std::runtime_error(
        "[capture]: this cvdd was built without libzstd: build it with libzstd-dev, or take dir out");
  }
  void pack(std::string_view, bool, bool, std::string&) {}
};
#endif

CaptureWriter::CaptureWriter(const CaptureSettings& settings, FileSink& files)
    : settings_(settings), files_(files), packer_(std::make_unique<Compressor>()) {
  if (const int error = files_.make_directory(settings_.dir); error != 0) {
    throw std::runtime_error(fmt::format("{}: can't be created: {}; choose another [capture] dir or its permissions",
                                         settings_.dir, std::strerror(error)));
  }
}

CaptureWriter::~CaptureWriter() = default;

int CaptureWriter::write(std::string_view entries, Timestamp now) {
  CaptureEntryHead head;
  std::string_view bytes;
  while (take_entry(entries, head, bytes)) {
    const bool full = in_file_ + packed_.size() > settings_.max_size / 8;
    if (path_.empty() || head.time >= rotate_at_ || full) {
      if (const int error = open_file(head.time); error != 0) return error;
    }
    take(head, bytes);
    if (lines_.size() < lines_max) continue;
    if (const int error = flush(false); error != 0) return error;
  }
  if (now - flushed_ < flush_every && now >= flushed_) return 0;
  flushed_ = now;
  return flush(false);
}

int CaptureWriter::finish() { return path_.empty() ? 0 : close_file(); }

int CaptureWriter::close_file() {
  const int error = flush(true);
  path_.clear();
  return error;
}

int CaptureWriter::open_file(Timestamp now) {
  if (!path_.empty()) {
    if (const int error = close_file(); error != 0) return error;
    if (run_) ++run_->part;
  }
  make_room(now);
  rotate_at_ = bar_start(now, settings_.rotate) + settings_.rotate;
  // Names sort as the files were written, also where the clock was set back.
  const std::vector<std::string> there = ours();
  std::string name = name_at(now);
  if (!there.empty() && name <= there.back()) {
    name = name_at(time_of(there.back()).value_or(now) + milliseconds(1));
  }
  path_ = settings_.dir + "/" + name;
  in_file_ = 0;
  begin_lines(now);
  return 0;
}

// A file is read by itself when those before it are gone.
void CaptureWriter::begin_lines(Timestamp now) {
  if (!run_) return;
  append_line(lines_, now, 0, "note", to_text(*run_));
  for (const auto& [id, note] : instruments_) append_line(lines_, now, 0, "note", note);
  for (const auto& [number, note] : connections_) append_line(lines_, now, 0, "note", note);
}

void CaptureWriter::take(const CaptureEntryHead& head, std::string_view bytes) {
  if (head.kind == CaptureEntryKind::records) {
    std::vector<Record> records(bytes.size() / sizeof(Record));
    std::memcpy(static_cast<void*>(records.data()), bytes.data(), records.size() * sizeof(Record));
    std::string text;
    append_records_note(text, records, names_);
    append_line(lines_, head.time, 0, "note", text);
    return;
  }
  if (head.kind == CaptureEntryKind::note) remember(bytes);
  if (head.kind == CaptureEntryKind::close) connections_.erase(head.connection);
  append_line(lines_, head.time, head.connection, directions[static_cast<std::size_t>(head.kind)], bytes);
}

void CaptureWriter::remember(std::string_view note) {
  const bool needed = note.starts_with("run") || note.starts_with("instrument") || note.starts_with("connection");
  const auto parsed = needed ? parse_note(note) : std::nullopt;
  if (!parsed) return;
  if (const auto* run = std::get_if<RunNote>(&*parsed)) run_ = *run;
  if (const auto* i = std::get_if<InstrumentNote>(&*parsed)) instruments_[i->instrument.id] = note;
  if (const auto* c = std::get_if<ConnectionNote>(&*parsed)) {
    connections_[static_cast<std::uint32_t>(c->connection)] = note;
  }
}

int CaptureWriter::flush(bool end) {
  if (path_.empty()) return 0;
  if (lines_.empty() && packed_.empty() && !end) return 0;
  packer_->pack(lines_, true, end, packed_);
  lines_.clear();
  if (packed_.empty()) return 0;
  const int error = files_.append(path_, packed_);
  if (error != 0) return error;
  in_file_ += packed_.size();
  bytes_ += packed_.size();
  packed_.clear();
  return 0;
}

std::vector<std::string> CaptureWriter::ours() const {
  std::vector<std::string> names;
  if (files_.list(settings_.dir, names) != 0) return {};
  std::erase_if(names, [](const std::string& n) { return !n.starts_with(prefix) || !n.ends_with(suffix); });
  return names;  // by name is by time
}

// Too old, or too much: the oldest go. A file that can't be deleted is tried again with the next.
void CaptureWriter::make_room(Timestamp now) {
  std::vector<std::pair<std::string, std::uint64_t>> files;
  std::uint64_t total = 0;
  for (const std::string& name : ours()) {
    std::uint64_t size = 0;
    if (files_.size(settings_.dir + "/" + name, size) != 0) continue;
    files.emplace_back(name, size);
    total += size;
  }
  // The file that begins now may grow to an eighth before it is looked at again.
  const std::uint64_t room = settings_.max_size - settings_.max_size / 8;
  for (const auto& [name, size] : files) {
    const auto began = time_of(name);
    if (total <= room && (!began || now - *began <= settings_.keep)) continue;
    if (files_.remove(settings_.dir + "/" + name) == 0) total -= size;
  }
}

}  // namespace cvdd
