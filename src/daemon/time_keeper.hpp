// Asks one exchange what time it is, and believes it unless its own trades say otherwise. io thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cvdd/base/rate_limit.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

// The exchange's time was thought to be `was`, and is `is`; it was right `since` then, by what it is now.
struct TimeMoved {
  Timestamp was, is, since;
};

struct TimeKeeperContext {
  Clock* clock = nullptr;
  std::shared_ptr<ExchangeTime> time;  // what is measured
  Intake* intake = nullptr;            // whose trades are the witnesses
  ExchangeGate* gate = nullptr;
  std::vector<Url> hosts;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  std::function<void(const HttpResponse&, std::string&)> heed;  // refusals
  std::string name;                                             // of the market, for the log
  // What was said of the time since may be of another time. May be empty.
  std::function<void(const TimeMoved&)> on_moved;
};

class TimeKeeper {
 public:
  explicit TimeKeeper(TimeKeeperContext context) : context_(std::move(context)), right_at_(context_.time->now()) {}

  // Three questions; nothing changes if none is answered.
  asio::awaitable<void> measure();
  // Every half second or so. Trades that agree with the local clock, and not with the exchange's page, are two
  // witnesses against one. Where there is no page, trades of what is the future here can't be late: the local clock is.
  void weigh();
  void stop() { stopping_ = true; }

 private:
  [[nodiscard]] bool believed(std::int64_t ahead_of_steady_us);
  [[nodiscard]] bool trades_agree_with(Timestamp now) const;
  [[nodiscard]] bool unwelcome() const { return context_.gate->blocked(undated(*context_.clock)).us > 0; }
  void set(std::int64_t ahead_of_steady_us, Duration error);
  void report();

  TimeKeeperContext context_;
  Timestamp right_at_;                   // when the exchange's time was known last, as it was thought to be
  std::optional<std::int64_t> doubted_;  // an answer that nobody else agreed with
  // Where there is nothing else to go by: since when trades are ahead of the local clock, and by how much.
  std::optional<std::pair<Timestamp, Duration>> trades_ahead_;
  bool reported_ = false;  // the log knows that the local clock is wrong
  bool stopping_ = false;
};

}  // namespace cvdd
