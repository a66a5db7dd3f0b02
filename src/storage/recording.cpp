#include "cvdd/storage/recording.hpp"

#include <simdjson.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace cvdd {

namespace {
constexpr std::size_t line_max = std::size_t{64} << 20;
constexpr std::size_t file_max = std::size_t{256} << 20;

std::unique_ptr<gzFile_s, int (*)(gzFile)> open_file(const std::string& path) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error(path + ": can't be opened: " + std::strerror(errno));
  return file;
}
}  // namespace

RecordingReader::RecordingReader(const std::string& path) : path_(path), file_(open_file(path).release()) {
  gzbuffer(file_.get(), 256 * 1024);
}

bool RecordingReader::read_line() {
  line_.clear();
  std::array<char, 64 * 1024> part{};
  while (gzgets(file_.get(), part.data(), static_cast<int>(part.size())) != nullptr) {
    line_ += part.data();
    if (line_.back() == '\n') return true;
    if (line_.size() > line_max) throw std::runtime_error(path_ + ": a line of more than 64 MiB: not a recording");
  }
  int error = Z_OK;
  const char* text = gzerror(file_.get(), &error);
  if (error != Z_OK && error != Z_BUF_ERROR) throw std::runtime_error(path_ + ": can't be decompressed: " + text);
  return !line_.empty();
}

bool RecordingReader::next(RecordedMessage& out) {
  thread_local simdjson::ondemand::parser parser;
  while (read_line()) {
    line_.reserve(line_.size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    bool incoming = false, text = false;
    out.received.reset();
    if (parser.iterate(line_.data(), line_.size(), line_.capacity()).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      ++broken_;
      continue;
    }
    bool whole = true;
    for (auto field : object) {
      std::string_view key, value;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) {
        whole = false;
        break;
      }
      if (key == "ts") {
        double seconds_since_epoch = 0;  // a time of receipt for ordering, never a price or size
        if (field.value().get_double().get(seconds_since_epoch) == simdjson::SUCCESS) {
          out.received = Timestamp{static_cast<std::int64_t>(seconds_since_epoch * 1e6)};
        }
      } else if (key == "dir") {
        incoming = field.value().get_string().get(value) == simdjson::SUCCESS && value == "in";
      } else if (key == "msg") {
        text = field.value().get_string().get(value) == simdjson::SUCCESS;
        if (text) out.text = value;
      }
    }
    if (!whole) {
      ++broken_;
    } else if (incoming && text) {
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
  const auto file = open_file(path);
  std::string text, part(256 * 1024, '\0');
  int n = 0;
  while ((n = gzread(file.get(), part.data(), static_cast<unsigned>(part.size()))) > 0) {
    text.append(part.data(), static_cast<std::size_t>(n));
    if (text.size() > file_max) throw std::runtime_error(path + ": more than 256 MiB");
  }
  if (n < 0) throw std::runtime_error(path + ": can't be read");
  return text;
}

}  // namespace cvdd
