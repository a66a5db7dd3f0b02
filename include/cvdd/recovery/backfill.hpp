// Fetches what a market's connections have missed, from the exchange's history: page by page, under the shared budget,
// through the same sequencer as the live trades. A coroutine on the io thread; what it decides with is in repairs.hpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cvdd/recovery/history_client.hpp"
#include "cvdd/recovery/repair_queue.hpp"

namespace cvdd {

class Backfill {
 public:
  explicit Backfill(HistoryContext context);
  // A hole in the ids. Fetched a moment later: out-of-order messages often fill it by themselves.
  // `since`: none of them was made before; 0: before the newest trade that is known. `by_trades`: candles would not do.
  void hole(const Instrument& instrument, std::uint64_t first, std::uint64_t count, Timestamp since = {},
            bool by_trades = false);
  // Connected again, and its ids are known: what came after them?
  void check(const Instrument& instrument);
  // It has been quiet for long: is it?
  // `lull`: its connection, which is busy as a rule, has fallen silent.
  void ask(const Instrument& instrument, bool lull = false);
  // Of opaque ids: it was silent from `from` to `to`, and speaks again; was nothing traded? `improbable`: that can
  // hardly be.
  void ask_about_silence(const Instrument& instrument, Timestamp from, Timestamp to, bool improbable);
  // Runs until stop().
  asio::awaitable<void> run();
  void stop();

  // More questions than this at once are not asked.
  static constexpr std::size_t questions_max = 4;

  struct Counters {
    std::uint64_t requests = 0, failures = 0, given_up = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool repairing(const Instrument& instrument) const { return queue_.has(instrument); }
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
  // Nothing of it is wanted any more. False if it is being asked for now: to be tried again later.
  [[nodiscard]] bool forget(const Instrument& instrument) {
    if (asking_ == &instrument) return false;
    questions_ -= queue_.forget(instrument);
    return true;
  }

 private:
  [[nodiscard]] Timestamp made_before(const Instrument& instrument) const;
  [[nodiscard]] std::chrono::steady_clock::time_point hole_due() const;
  asio::awaitable<void> fetch(Repair repair);
  [[nodiscard]] std::size_t rows_of(const Repair& repair) const;
  asio::awaitable<bool> page(const Repair& repair, HistoryPage& page, std::string& error);
  // Where trades would cost too much: candles, and trades of the bars at its two ends alone.
  // src/recovery/candle_backfill.cpp
  struct Ends {
    std::vector<Trade> begin, end;  // of the bars that the hole begins and ends in
    Timestamp first_bar, last_bar;
  };
  [[nodiscard]] bool worth_candles(const Repair& repair) const;
  asio::awaitable<void> bridge(Repair repair);
  asio::awaitable<bool> fetch_ends(const Repair& repair, Ends& ends, std::string& error);
  asio::awaitable<bool> trades_from(const Instrument& instrument, std::uint64_t id, std::vector<Trade>& out,
                                    std::string& error);
  void try_again(Repair repair, const std::string& error);
  asio::awaitable<void> take_page(Repair repair, HistoryPage page);
  asio::awaitable<void> take_recent(const Repair& repair, const HistoryPage& page);
  asio::awaitable<void> take_silence(const Repair& repair, const HistoryPage& page);
  asio::awaitable<void> take_newest(const Repair& repair, const HistoryPage& page);
  void ask_again(Repair repair);
  asio::awaitable<void> take_answer(const Repair& repair, std::vector<Record> records, bool whole);
  asio::awaitable<void> give_up(const Repair& repair);

  HistoryContext context_;
  HistoryClient client_;
  std::unique_ptr<Timer> timer_;
  RepairQueue queue_;
  std::size_t questions_ = 0;
  const Instrument* asking_ = nullptr;  // about whom
  std::string last_error_;
  Counters counters_;
  bool stopping_ = false, sleeping_for_work_ = false;
};

}  // namespace cvdd
