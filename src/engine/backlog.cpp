#include "backlog.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cvdd/base/time_text.hpp"
#include "loader.hpp"
#include "wall.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t piece_bytes = std::size_t{2} << 20;  // some 10,000 rows: what is in memory at most
constexpr const char* broken_help = "Files that could not be read";
}  // namespace

Duration waiting_for(const Row& row, Duration interval, Timestamp read_at, Timestamp now) {
  const Timestamp since = row.rev == 0 ? row.time + interval : read_at;
  return now < since ? Duration{} : now - since;
}

Backlog::Backlog(const EngineConfig& config, std::string collector, Positions& acknowledged, Metrics& metrics)
    : directory_(config.data_dir),
      collector_(std::move(collector)),
      interval_(config.interval),
      acknowledged_(acknowledged),
      metrics_(metrics) {
  metrics_.add("broken_files_total", broken_help, 0);  // a first one is seen only where there was a zero
}

bool Backlog::is_finished(const SourceFile& file, const Position& known) const {
  const auto finished = finished_.find(file.name);
  if (finished != finished_.end() && is_same(finished->second, file)) return true;
  return file.packing != Packing::none && stated_size(file) == known.offset;
}

void Backlog::begin(const SourceFile& file, const Position& known) {
  reader_ = std::make_unique<SourceReader>(file, known);
  if (reader_->restarted()) {
    spdlog::warn("{}: is not as it was when it was read before; it is read again from its beginning", file.path);
  }
  reading_ = file;
  behind_ = reader_->restarted() ? Position{} : known;
}

bool Backlog::next() {
  if (reader_ && take_piece()) return true;
  reader_.reset();
  bytes_waiting_ = 0;
  for (const SourceFile& file : list_sources(directory_)) {
    const Position known = acknowledged_[file.name];
    try {
      if (is_finished(file, known)) {
        finished_.insert_or_assign(file.name, file);
        continue;
      }
      if (reader_) {  // only counted: what waits behind the file that is read now
        bytes_waiting_ += file.size - std::min(file.size, known.offset);
        continue;
      }
      begin(file, known);
      const Position before = behind_;
      if (take_piece()) {
        bytes_waiting_ += file.size - std::min(file.size, before.offset);
        continue;
      }
    } catch (const SourceError& error) {
      metrics_.add("broken_files_total", broken_help);
      complain(error.what());
    }
    reader_.reset();
    finished_.insert_or_assign(file.name, file);
  }
  return reader_ != nullptr;
}

bool Backlog::take_piece() {
  while (true) {
    const std::string_view text = reader_->next(piece_bytes);
    if (text.empty()) return false;
    std::vector<Rejected> rejected;
    rows_.clear();
    rows_from(text, reading_, behind_.offset, collector_, rows_, rejected);
    behind_ = reader_->position();
    read_at_ = wall_now();
    for (const Rejected& one : rejected) {
      metrics_.add("rejected_rows_total", "Lines and messages that are no rows");
      spdlog::error("{}: {}: not published", one.place, one.reason);
    }
    if (!rows_.empty()) break;
    done();
  }
  if (const Timestamp time = rows_.front().row.time; time.us % interval_.us != 0) {
    complain(fmt::format("interval: a bar begins at {}, which is no multiple of {} s: give the collector's own",
                         format_time(time), interval_.us / 1'000'000));
  }
  return true;
}

void Backlog::done() {
  acknowledged_[reading_.name] = behind_;
  rows_.clear();
  moved_ = true;
}

bool Backlog::moved() { return std::exchange(moved_, false); }

}  // namespace cvdd::engine
