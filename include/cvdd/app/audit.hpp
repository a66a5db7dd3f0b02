// Compares closed bars with the exchange's own candles: a few every minute, or all of them. What does not agree is
// told, counted, and made again from the exchange's trades.
#pragma once

#include <map>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cvdd/app/history_client.hpp"
#include "cvdd/core/audit.hpp"

namespace cvdd {

// Rows on their way from the aggregator's thread to the auditors. Any thread. Holds each bar at its newest revision.
class AuditMail {
 public:
  using Side = std::pair<std::string, Market>;
  AuditMail(AuditMode mode, std::uint64_t seed) : mode_(mode), random_(seed) {}
  [[nodiscard]] AuditMode mode() const { return mode_; }
  // Rows of this exchange and market are wanted.
  void open(const Side& side);
  void close(const Side& side);
  void put(std::span<const Row> rows);
  // Rows of bars that ended before `upto`, by symbol, then time; no more than `instruments_max` symbols' at once.
  [[nodiscard]] std::map<std::string, std::vector<Row>> take(const Side& side, Timestamp upto, Duration interval,
                                                             std::size_t instruments_max);

  static constexpr std::size_t sampled = 3;           // bars of a market in each batch
  static constexpr std::size_t waiting_max = 50'000;  // of a market; those beyond it are not audited
  static constexpr std::size_t sample_waiting_max = 60;

 private:
  using Waiting = std::map<std::pair<std::string, Timestamp>, Row>;
  std::mutex mutex_;
  AuditMode mode_;
  std::mt19937_64 random_;
  std::map<Side, Waiting> waiting_;
};

class Auditor {
 public:
  Auditor(HistoryContext context, AuditMail& mail, std::uint32_t requests_per_minute);
  // Runs until stop().
  asio::awaitable<void> run();
  void stop() { client_.stop(); }

  struct Counters {
    std::uint64_t bars = 0, mismatches = 0, failures = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // More than half of 20 bars or more disagree: then it is the comparison that is wrong, not the bars. Auditing ends,
  // with one line.
  [[nodiscard]] static constexpr bool beyond_belief(const Counters& c) {
    return c.bars >= 20 && c.mismatches * 2 > c.bars;
  }
  // The instrument that a row names; set by the market. nullptr: it is not collected any more.
  std::function<const Instrument*(const std::string& symbol)> find;
  // Makes a bar again from the trades [first, last].
  std::function<void(const Instrument&, Timestamp bar, std::uint64_t first, std::uint64_t last)> remake;

 private:
  asio::awaitable<void> look(const Instrument& instrument, std::vector<Row> rows);
  void mismatch(const Instrument& instrument, const Row& row, const std::string& what);

  HistoryContext context_;
  HistoryClient client_;
  AuditMail& mail_;
  TokenBucket share_;  // of the budget
  Counters counters_;
  std::map<std::pair<std::uint32_t, Timestamp>, bool> remade_;  // bars made again already: once is enough
};

}  // namespace cvdd
