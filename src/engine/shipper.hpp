// ship: the collector's files into the stream, in order for each instrument, from the checkpoint on. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "broker.hpp"
#include "cvdd/engine/checkpoint.hpp"
#include "cvdd/engine/message.hpp"
#include "cvdd/engine/metrics.hpp"
#include "cvdd/engine/outbox.hpp"

namespace cvdd::engine {

class Shipper {
 public:
  Shipper(const EngineConfig& config, std::string collector, Metrics& metrics);
  // Publish again from this day on ("2026-11-20"), whatever the checkpoint says.
  void publish_again_from(const std::string& day);
  // One round: connects, reads, sends, takes answers; returns after 50 ms at the latest where there is nothing to do,
  // and within seconds whatever the broker does. False: everything there is was acknowledged.
  bool round();
  [[nodiscard]] std::string status() const;
  void save();

 private:
  using Time = std::chrono::steady_clock::time_point;
  bool connect();
  void look_at_stream();
  void take_stream(const StreamFacts& facts);
  bool next_piece();
  bool take_piece(const SourceFile& file);
  void send();
  void take_answers(std::chrono::milliseconds patience);
  void piece_done();
  void complain(const std::string& what);
  void tell();

  EngineConfig config_;
  std::string collector_, interval_;
  Metrics& metrics_;
  CheckpointFile file_;
  Checkpoint checkpoint_;
  bool dirty_ = false;  // it differs from the file
  Time saved_{};
  std::unique_ptr<Broker> broker_;
  Backoff connect_backoff_;
  Time connect_not_before_{}, looked_{}, told_{};
  std::map<std::string, SourceFile> finished_;  // files read to their end, as they were then
  std::unique_ptr<SourceReader> reader_;
  SourceFile reading_;
  std::vector<StoreRow> rows_;  // the piece that is on its way
  Position behind_;
  Outbox outbox_;
  std::string trouble_;  // the newest, for the status line
  std::string complained_;
  std::uint64_t rows_acknowledged_ = 0, bytes_waiting_ = 0, timeouts_told_ = 0;
  Timestamp newest_acknowledged_;
};

}  // namespace cvdd::engine
