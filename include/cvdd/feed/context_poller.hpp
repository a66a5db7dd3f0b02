// Kinds of data that an exchange has by REST alone, asked for in turn, under the budget of everything else that is
// asked of it. A coroutine on the io thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/base/rate_limit.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/feed/context_intake.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

struct ContextPollerContext {
  Clock* clock = nullptr;
  const ExchangeTime* time = nullptr;
  ContextIntake* intake = nullptr;
  ExchangeGate* gate = nullptr;     // of the exchange
  RequestBudget* budget = nullptr;  // of the weight pool; shared by its markets, and with history
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  std::function<void(const HttpResponse&, std::string&)> heed;  // refusals
  std::vector<Url> hosts;
  std::string name;  // of the market, for the log
};

class ContextPoller {
 public:
  ContextPoller(ContextPollerContext context, const DataChannel& channel);

  // Runs until stop().
  asio::awaitable<void> run();
  void stop();
  void add(const Instrument& instrument);
  void remove(const Instrument& instrument);
  [[nodiscard]] bool refers_to(const Instrument& instrument) const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Turn {
    const Instrument* instrument = nullptr;
    Time due{};
  };
  asio::awaitable<void> ask(const Instrument& instrument);
  asio::awaitable<void> wait_for_budget();
  asio::awaitable<void> sleep(std::chrono::microseconds time);

  ContextPollerContext context_;
  const DataChannel& channel_;
  std::deque<Turn> turns_;  // the next one first
  const Instrument* asking_ = nullptr;
  std::uint32_t asked_ = 0;  // since the budget was last asked
  std::size_t host_ = 0;
  std::string last_failure_;  // the log knows it
  Parsed parsed_;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

}  // namespace cvdd
