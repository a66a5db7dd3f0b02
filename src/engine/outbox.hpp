// Which rows to publish when: one of each instrument at a time, so that an instrument's rows are in order in the stream
// whatever fails; not more than a window of them in all; again when no answer came; slower when the broker is in
// trouble. Pure: time comes in. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"

namespace cvdd::engine {

class Outbox {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Settings {
    std::size_t window = 2'000;                         // rows without an answer, at most
    std::chrono::milliseconds patience{3'000};          // for an answer
    std::chrono::milliseconds first{250}, most{5'000};  // after a failure nothing is sent for so long
  };
  explicit Outbox(Settings settings)
      : settings_(settings), backoff_({settings.first.count() * 1'000}, {settings.most.count() * 1'000}, 1) {}

  // A piece of rows, each known by its number here (0, 1 …) and its instrument. Only when empty().
  void fill(const std::vector<std::string>& instruments);
  // Everything was answered.
  [[nodiscard]] bool empty() const { return open_ == 0; }
  [[nodiscard]] std::size_t open() const { return open_; }
  [[nodiscard]] bool is_stored(std::size_t row) const { return row < done_.size() && done_[row]; }
  [[nodiscard]] std::size_t in_flight() const { return flying_.size(); }
  // Told apart from what answers to an earlier piece.
  [[nodiscard]] std::uint64_t piece() const { return piece_; }

  // The rows to send now; each counts as sent. What has had no answer for too long is taken back first.
  [[nodiscard]] std::vector<std::size_t> due(Time now);
  // The row is stored. An answer that comes late is as good as one in time.
  void stored(std::size_t row);
  // The row was refused, or could not be sent: it waits for its next turn, as does everything else.
  void failed(std::size_t row, Time now);
  [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }

 private:
  void hold(Time now);
  struct Queue {
    std::deque<std::size_t> rows;  // the first one is in flight, or next
    bool flying = false;
  };
  Settings settings_;
  Backoff backoff_;
  std::vector<std::size_t> queue_of_;  // by row
  std::vector<bool> done_;
  std::vector<Queue> queues_;
  std::deque<std::size_t> ready_;  // queues whose first row may go
  std::map<std::size_t, Time> flying_;
  std::size_t open_ = 0;
  std::uint64_t piece_ = 0, timeouts_ = 0;
  Time not_before_{};
};

}  // namespace cvdd::engine
