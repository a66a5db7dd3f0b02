// Fetches what a market's connections have missed, from the exchange's history: page by page, under the shared budget,
// through the same sequencer as the live trades. A coroutine on the io thread; what it decides with is in repairs.hpp.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/app/clock.hpp"
#include "cvdd/app/exchange_time.hpp"
#include "cvdd/app/intake.hpp"
#include "cvdd/app/repairs.hpp"
#include "cvdd/core/budget.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

struct BackfillContext {
  Clock* clock = nullptr;
  const ExchangeTime* time = nullptr;
  ExchangeGate* gate = nullptr;   // of the exchange
  TokenBucket* budget = nullptr;  // of the weight pool; shared by its markets
  Intake* intake = nullptr;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  std::function<void(const HttpResponse&, std::string&)> heed;  // refusals
  // Into the queue of the instrument's connection; how many there was room for. All of them if it is not collected.
  std::function<std::size_t(const Instrument&, std::span<const Record>)> inject;
  // What a question found: trades that the feed owed us for longer than they can be on their way, or none.
  std::function<void(const Instrument&, bool deaf)> on_answer;
  std::vector<Url> hosts;
  std::string name;  // of the market, for the log
};

class Backfill {
 public:
  explicit Backfill(BackfillContext context);
  // A hole in the ids. Fetched a moment later: out-of-order messages often fill it by themselves.
  void hole(const Instrument& instrument, std::uint64_t first, std::uint64_t count);
  // Connected again, and its ids are known: what came after them?
  void check(const Instrument& instrument);
  // It has been quiet for long: is it?
  void ask(const Instrument& instrument);
  // Runs until stop().
  asio::awaitable<void> run();
  void stop();

  // More questions than this at once are not asked.
  static constexpr std::size_t questions_max = 4;

  struct Counters {
    std::uint64_t requests = 0, failures = 0, given_up = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t waiting() const { return queue_.size(); }

 private:
  asio::awaitable<void> fetch(Repair repair);
  asio::awaitable<bool> page(const Repair& repair, std::vector<Trade>& trades, std::string& error);
  asio::awaitable<void> deliver(const Instrument& instrument, const std::vector<Record>& records);
  asio::awaitable<void> take_page(Repair repair, std::vector<Trade> trades);
  asio::awaitable<void> take_recent(const Repair& repair, const std::vector<Trade>& trades);
  asio::awaitable<void> take_answer(const Repair& repair, std::vector<Record> records, bool whole);
  asio::awaitable<void> give_up(const Repair& repair);
  asio::awaitable<void> sleep(std::chrono::steady_clock::duration time);

  BackfillContext context_;
  std::unique_ptr<Timer> timer_;
  RepairQueue queue_;
  std::size_t host_ = 0, questions_ = 0;
  std::string last_error_;
  Counters counters_;
  bool stopping_ = false, sleeping_for_work_ = false;
};

}  // namespace cvdd
