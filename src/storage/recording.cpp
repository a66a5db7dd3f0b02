#include "cvdd/storage/recording.hpp"

#include <simdjson.h>

#include <stdexcept>

#include "text_source.hpp"

namespace cvdd {

namespace {
constexpr std::size_t line_max = std::size_t{64} << 20;
constexpr std::size_t file_max = std::size_t{256} << 20;
constexpr std::size_t part_size = std::size_t{256} << 10;

LineKind kind_of(std::string_view direction) {
  if (direction == "in") return LineKind::in;
  if (direction == "out") return LineKind::out;
  if (direction == "open") return LineKind::open;
  if (direction == "close") return LineKind::close;
  return direction == "note" ? LineKind::note : LineKind::other;
}

// Empty: the line is no object of a recording. `text`: whether it has a message.
std::optional<RecordedMessage> read_fields(simdjson::ondemand::object object, bool& text, RecordedMessage out) {
  out.kind = LineKind::other;
  for (auto field : object) {
    std::string_view key, value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return std::nullopt;
    if (key == "ts") {
      double seconds_since_epoch = 0;  // a time of receipt for ordering, never a price or size
      if (field.value().get_double().get(seconds_since_epoch) == simdjson::SUCCESS) {
        out.received = Timestamp{static_cast<std::int64_t>(seconds_since_epoch * 1e6)};
      }
    } else if (key == "dir") {
      if (field.value().get_string().get(value) == simdjson::SUCCESS) out.kind = kind_of(value);
    } else if (key == "conn") {
      if (field.value().get_uint64().get(out.connection) != simdjson::SUCCESS) out.connection = 0;
    } else if (key == "msg") {
      text = field.value().get_string().get(value) == simdjson::SUCCESS;
      if (text) out.text = value;
    }
  }
  return out;
}
}  // namespace

RecordingReader::RecordingReader(const std::string& path) : path_(path), source_(open_text(path)) {}
RecordingReader::~RecordingReader() = default;
RecordingReader::RecordingReader(RecordingReader&&) noexcept = default;

bool RecordingReader::torn() const { return source_->torn(); }

bool RecordingReader::read_line() {
  line_.clear();
  while (true) {
    const auto end = part_.find('\n', part_begin_);
    if (end != std::string::npos) {
      line_.append(part_, part_begin_, end - part_begin_);
      part_begin_ = end + 1;
      return true;
    }
    line_.append(part_, part_begin_);
    part_.resize(part_size);
    part_.resize(source_->read(part_));
    part_begin_ = 0;
    if (part_.empty()) return !line_.empty();
    if (line_.size() > line_max) throw std::runtime_error(path_ + ": a line of more than 64 MiB: not a recording");
  }
}

bool RecordingReader::next(RecordedMessage& out) {
  while (next_line(out)) {
    if (out.kind == LineKind::in) return true;
  }
  return false;
}

bool RecordingReader::next_line(RecordedMessage& out) {
  thread_local simdjson::ondemand::parser parser;
  while (read_line()) {
    line_.reserve(line_.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    bool text = false;
    if (parser.iterate(line_.data(), line_.size(), line_.capacity()).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      ++broken_;
      continue;
    }
    out.received.reset();
    out.connection = 0;
    auto read = read_fields(object, text, std::move(out));
    out = read ? std::move(*read) : RecordedMessage{};
    if (!read) {
      ++broken_;
    } else if (text) {
      return true;
    }
  }
  return false;
}

MergedRecordings::MergedRecordings(std::span<const std::string> paths) {
  for (const std::string& path : paths) {
    auto source = std::make_unique<Source>(Source{RecordingReader(path), {}, {}, false});
    source->more = source->reader.next(source->head);
    source->time = source->head.received.value_or(Timestamp{});
    sources_.push_back(std::move(source));
  }
}

bool MergedRecordings::next(RecordedMessage& out) {
  Source* first = nullptr;
  for (const auto& source : sources_) {
    if (source->more && (first == nullptr || source->time < first->time)) first = source.get();
  }
  if (first == nullptr) return false;
  std::swap(out, first->head);
  first->more = first->reader.next(first->head);
  first->time = first->head.received.value_or(first->time);
  return true;
}

std::uint64_t MergedRecordings::broken_lines() const {
  std::uint64_t sum = 0;
  for (const auto& source : sources_) sum += source->reader.broken_lines();
  return sum;
}

std::string read_whole_file(const std::string& path) {
  const auto source = open_text(path);
  std::string text, part(part_size, '\0');
  while (const std::size_t n = source->read(part)) {
    text.append(part, 0, n);
    if (text.size() > file_max) throw std::runtime_error(path + ": more than 256 MiB");
  }
  return text;
}

}  // namespace cvdd
