// What of the collector's files is not acknowledged yet, piece by piece: oldest day first, each file in its order. One
// piece is in memory at a time, however much waits. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/engine/store.hpp"
#include "engine_config.hpp"
#include "metrics.hpp"

namespace cvdd::engine {

// How long a row has been waiting by now: since its bar ended, for the first of its bar; a later one is of an old bar
// and new all the same, and waits since it was read.
[[nodiscard]] Duration waiting_for(const Row& row, Duration interval, Timestamp read_at, Timestamp now);

class Backlog {
 public:
  // `acknowledged`: how far each file is, which done() moves on; it must outlive this.
  Backlog(const EngineConfig& config, std::string collector, Positions& acknowledged, Metrics& metrics);
  std::function<void(const std::string&)> complain = [](const std::string&) {};

  // Reads the next piece; false where there is none. Throws std::runtime_error if the directory can't be read.
  [[nodiscard]] bool next();
  // The piece; no rows: none.
  [[nodiscard]] const std::vector<StoreRow>& rows() const { return rows_; }
  [[nodiscard]] Timestamp read_at() const { return read_at_; }
  // All of the piece is acknowledged.
  void done();
  // True once after the positions have moved.
  [[nodiscard]] bool moved();
  // Of the files behind what was acknowledged, with the piece that is on its way.
  [[nodiscard]] std::uint64_t bytes_waiting() const { return bytes_waiting_; }

 private:
  bool take_piece();
  [[nodiscard]] bool is_finished(const SourceFile& file, const Position& known) const;
  void begin(const SourceFile& file, const Position& known);

  std::string directory_, collector_;
  Duration interval_;
  Positions& acknowledged_;
  Metrics& metrics_;
  std::map<std::string, SourceFile> finished_;  // files read to their end, as they were then
  std::unique_ptr<SourceReader> reader_;
  SourceFile reading_;
  std::vector<StoreRow> rows_;
  Position behind_;
  Timestamp read_at_;
  std::uint64_t bytes_waiting_ = 0;
  bool moved_ = false;
};

}  // namespace cvdd::engine
