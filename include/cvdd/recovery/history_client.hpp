// Asks an exchange's history, as politely as all who share its budget: repairs, catching up, audits.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/rate_limit.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

enum class Answered : std::uint8_t {
  quiet,  // there is nothing newer than what we heard
  late,   // there is, but it may be on its way
  deaf,   // the feed owes it to us for longer than that
};

// What they all need of the market that they work for.
struct HistoryContext {
  Clock* clock = nullptr;
  const ExchangeTime* time = nullptr;
  ExchangeGate* gate = nullptr;     // of the exchange
  RequestBudget* budget = nullptr;  // of the weight pool; shared by its markets
  Intake* intake = nullptr;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  std::function<void(const HttpResponse&, std::string&)> heed;  // refusals
  // Into the queue of the instrument's connection; how many there was room for. All of them if it is not collected.
  std::function<std::size_t(const Instrument&, std::span<const Record>)> inject;
  // To the aggregator, before the record that puts them into effect.
  std::function<void(const Instrument&, std::vector<Candle>)> give_candles;
  // What a question found.
  std::function<void(const Instrument&, Answered)> on_answer;
  std::vector<Url> hosts;
  std::string name;  // of the market, for the log
  Duration interval = seconds(60);
};

// Of an answer's candles those that begin in [from, to), in order of time: exchanges send others along, and in any
// order. False, with the reason, if one does not begin with its bar, or two are of the same.
[[nodiscard]] bool use_candles(std::vector<Candle>& page, Timestamp from, Timestamp to, Duration interval,
                               std::string& error);

// The shortest candles of the exchange that are whole bars of this length, and tell something; 0: there are none.
[[nodiscard]] Duration candle_length(const Exchange& exchange, Duration interval);

// Trades of times that are still to come are none, as in the feed (Intake::ahead_max): each would make bars up to
// there.
void refuse_future(HistoryPage& page, Timestamp now);

class HistoryClient {
 public:
  explicit HistoryClient(HistoryContext context);
  // What an answer about trades says.
  [[nodiscard]] Outcome<HistoryPage> read(std::string_view body, const Instrument& instrument) const;
  // When the exchange and the budget allow it: the answer's body, or false and why not. After a failure the next host
  // is asked.
  asio::awaitable<bool> ask(std::string target, std::string& body, std::string& error);
  // The same at once.
  asio::awaitable<bool> get(std::string target, std::string& body, std::string& error);
  // Candles of closed bars that begin in [from, to), in order; those that the exchange does not have are left out.
  // `length`: of each; 0: of a bar.
  asio::awaitable<bool> candles(const Instrument& instrument, Timestamp from, Timestamp to, std::vector<Candle>& out,
                                std::string& error, Duration length = {});
  // Until all of it has found room in the instrument's queue.
  asio::awaitable<void> deliver(const Instrument& instrument, std::vector<Record> records);
  asio::awaitable<void> sleep(std::chrono::steady_clock::duration time);
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }

 private:
  HistoryContext context_;
  std::unique_ptr<Timer> timer_;
  std::size_t host_ = 0;
  bool stopping_ = false;
};

}  // namespace cvdd
