// Is a connection doing its job? Judged by data: acknowledgement → first frame → not silent. Answered pings alone
// prove nothing about the data, and silence alone proves nothing about a quiet market, so both have their own limit.
// Pure: times come in. One per connection; io thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cvdd {

struct LivenessLimits {
  std::chrono::milliseconds acknowledgement{10'000};  // request sent → answered
  std::chrono::milliseconds first_frame{60'000};      // all acknowledged → first trade message
  std::chrono::milliseconds silence{60'000};          // between two trade messages
  std::chrono::milliseconds dead{25'000};             // between two frames of any kind; probes are sent before
  std::chrono::milliseconds probe_after{12'000};      // quiet for this long: ask for a sign of life
};

class Liveness {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Verdict { fine, not_acknowledged, no_first_frame, silent, dead };

  Liveness(LivenessLimits limits, Time connected) : limits_(limits), last_frame_(connected), last_data_(connected) {}

  void frame(Time t) { last_frame_ = std::max(last_frame_, t); }
  // `n` messages with trades, read at once.
  void data(Time t, std::uint32_t n = 1) {
    frame(t);
    if (any_data_) {
      // The mean gap between trade messages, of the last few hundred: n of them, of equal length, one after the other.
      const auto gap = std::chrono::duration<double>(t - last_data_).count() / n;
      gaps_ = static_cast<int>(std::min<std::uint32_t>(static_cast<std::uint32_t>(gaps_) + n, gaps_max));
      mean_gap_s_ = gap + (mean_gap_s_ - gap) * power(1 - 1.0 / gaps_, n);
    }
    last_data_ = t;
    any_data_ = true;
  }
  // Somebody else found that there was nothing to hear.
  void vouched(Time t) { last_data_ = std::max(last_data_, t); }
  // The oldest request without an answer; empty when all are answered.
  void waiting_since(std::optional<Time> t) {
    if (waiting_ && !t && !any_data_) last_data_ = std::max(last_data_, last_frame_);
    waiting_ = t;
  }

  // When the verdict may change if nothing arrives.
  [[nodiscard]] Time deadline() const {
    Time t = std::min(last_frame_ + limits_.dead, last_data_ + (any_data_ ? silence() : limits_.first_frame));
    return waiting_ ? std::min(t, *waiting_ + limits_.acknowledgement) : t;
  }
  [[nodiscard]] Verdict verdict(Time now) const {
    if (waiting_ && now >= *waiting_ + limits_.acknowledgement) return Verdict::not_acknowledged;
    if (now >= last_frame_ + limits_.dead) return Verdict::dead;
    if (!any_data_ && now >= last_data_ + limits_.first_frame) return Verdict::no_first_frame;
    if (any_data_ && now >= last_data_ + silence()) return Verdict::silent;
    return Verdict::fine;
  }
  // How long the data may be silent: much longer than this connection's usual gap, but never longer than the limit, and
  // never less than a quarter of it: a burst that ends is not a connection that died.
  [[nodiscard]] std::chrono::milliseconds silence() const {
    if (gaps_ < gaps_min) return limits_.silence;
    const auto usual = std::chrono::milliseconds(static_cast<std::int64_t>(mean_gap_s_ * 1'000 * gaps_of_silence));
    return std::clamp(usual, limits_.silence / 4, limits_.silence);
  }
  // Quiet for more than half as long as it may be.
  [[nodiscard]] bool suspicious(Time now) const {
    return now >= last_data_ + (any_data_ ? silence() : limits_.first_frame) / 2;
  }
  [[nodiscard]] bool wants_probe(Time now) const { return now >= last_frame_ + limits_.probe_after; }
  [[nodiscard]] Time last_frame() const { return last_frame_; }
  [[nodiscard]] Time last_data() const { return last_data_; }
  [[nodiscard]] bool any_data() const { return any_data_; }

 private:
  LivenessLimits limits_;
  Time last_frame_, last_data_;
  bool any_data_ = false;
  // Of a few: libm's tables would have to be fetched from memory, at each of many wake-ups.
  static constexpr double power(double base, std::uint32_t exponent) {
    double out = 1;
    for (; exponent != 0; exponent >>= 1, base *= base) out *= (exponent & 1) != 0 ? base : 1;
    return out;
  }
  static constexpr int gaps_min = 50, gaps_max = 500, gaps_of_silence = 200;
  int gaps_ = 0;
  double mean_gap_s_ = 0;
  std::optional<Time> waiting_;
};

[[nodiscard]] constexpr std::string_view reason_of(Liveness::Verdict verdict) {
  switch (verdict) {
    case Liveness::Verdict::fine:
      return "fine";
    case Liveness::Verdict::not_acknowledged:
      return "a subscription was not acknowledged in time";
    case Liveness::Verdict::no_first_frame:
      return "subscriptions were acknowledged, but no trade came";
    case Liveness::Verdict::silent:
      return "no trade came for too long";
    case Liveness::Verdict::dead:
      return "no sign of life, not even an answer to a probe";
  }
  return "";
}

}  // namespace cvdd
