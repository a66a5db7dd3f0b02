// ship: the collector's files into the stream, in order for each instrument, from the checkpoint on. One thread.
#pragma once

#include <memory>

#include "backlog.hpp"
#include "broker.hpp"
#include "checkpoint.hpp"
#include "metrics.hpp"
#include "outbox.hpp"
#include "stream_watch.hpp"

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
  bool next_piece();
  void send();
  void take_answers(std::chrono::milliseconds patience);
  void take_answer(const InAnswer& answer);
  void complain(const std::string& what);
  void tell();
  [[nodiscard]] Duration oldest_waiting() const;

  EngineConfig config_;
  std::string collector_, interval_;
  Metrics& metrics_;
  CheckpointFile file_;
  Checkpoint checkpoint_;
  bool dirty_ = false;  // it differs from the file
  Time saved_{};
  Backlog backlog_;
  StreamWatch watch_;
  std::unique_ptr<Broker> broker_;
  Backoff connect_backoff_;
  Time connect_not_before_{}, told_{};
  Outbox outbox_;
  std::string trouble_;  // the newest, for the status line
  std::string complained_;
  std::uint64_t rows_acknowledged_ = 0, timeouts_told_ = 0;
  Timestamp newest_acknowledged_;
};

}  // namespace cvdd::engine
