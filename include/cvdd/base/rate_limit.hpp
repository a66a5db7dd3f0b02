// A rate limit as exchanges state them: at most so many in any window of this length. Pure: time comes in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "cvdd/base/types.hpp"

namespace cvdd {

class TokenBucket {
 public:
  // At most `capacity` (≥ 1) tokens in any `window`.
  TokenBucket(std::uint32_t capacity, Duration window) : capacity_(capacity == 0 ? 1 : capacity), window_(window) {}
  // Reserves one token and returns how long to wait from `now` until it may be used (0: at once). A clock that steps
  // back by more than `step_min` neither loosens the limit nor blocks for longer.
  [[nodiscard]] Duration take(Timestamp now);
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  // How many tokens of the window that ends at `now` are taken.
  [[nodiscard]] std::size_t used(Timestamp now) const {
    std::size_t n = 0;
    for (const Timestamp t : used_) n += t <= now && t > now - window_ ? 1U : 0U;
    return n;
  }

 private:
  std::uint32_t capacity_;
  Duration window_;
  std::deque<Timestamp> used_;  // the last `capacity` reservations, oldest first; some of them may be to come
  Timestamp last_;              // the newest `now`
  static constexpr Duration step_min = seconds(1);
};

// What we allow ourselves of an exchange's REST: so many requests a minute, and no more than a twentieth of them within
// three seconds, since exchanges count in short windows too. Pure: time comes in.
class RequestBudget {
 public:
  explicit RequestBudget(std::uint32_t per_minute)
      : minute_(per_minute, seconds(60)), burst_(std::max(1U, per_minute / 20), seconds(3)) {}
  // Reserves one request and returns how long to wait before it.
  [[nodiscard]] Duration take(Timestamp now) {
    const Duration wait = minute_.take(now);
    return {wait.us + burst_.take(now + wait).us};
  }
  [[nodiscard]] std::uint32_t capacity() const { return minute_.capacity(); }
  [[nodiscard]] std::size_t used(Timestamp now) const { return minute_.used(now); }

 private:
  TokenBucket minute_, burst_;
};

// What one exchange lets one address do, shared by all its connections and requests: attempts at its limit, and
// nothing at all while it has told us to stay away (429, 418). Pure: time comes in.
class ExchangeGate {
 public:
  // The exchange counts when they arrive, which may be a little later or sooner than we do: the window is longer by
  // that.
  ExchangeGate(std::uint32_t attempts, Duration window)
      : attempts_(attempts, {window.us + std::min(window, on_the_way).us}) {}
  static constexpr Duration on_the_way = seconds(5);
  // Reserves one connection attempt; how long to wait before it.
  [[nodiscard]] Duration take_attempt(Timestamp now) {
    const Duration closed = blocked(now);  // when it opens again, one after the other
    return {closed.us + attempts_.take(now + closed).us};
  }
  // Whether half of the attempts are left: what can wait leaves the rest to the trades.
  [[nodiscard]] bool has_room(Timestamp now) const {
    return blocked(now).us == 0 && attempts_.used(now) * 2 < attempts_.capacity();
  }
  // Until when requests and connections are unwelcome; never shortened.
  void stay_away(Timestamp until) { blocked_until_ = std::max(blocked_until_, until); }
  [[nodiscard]] Duration blocked(Timestamp now) const { return std::max(Duration{}, blocked_until_ - now); }

 private:
  TokenBucket attempts_;
  Timestamp blocked_until_;
};

// What an HTTP refusal of a request or a WebSocket asks of us.
struct Manners {
  Duration stay_away;       // from the whole exchange; 0: not asked
  Duration leave_host;      // from this host; 0: the usual back-off
  std::string_view reason;  // for the log; empty: no refusal of this kind
};
// `retry_after`: what the answer said, if it did. 429: too many requests; 418: banned for not heeding 429;
// 403 and 451: this address or region is not served.
[[nodiscard]] Manners manners_of(unsigned status, std::optional<Duration> retry_after);

}  // namespace cvdd
