// Whether a connection that was busy has been silent for longer than can be chance. Earlier than any time-out, and so
// only a doubt: bars that close meanwhile must not say that they are whole. Pure: times come in.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>

namespace cvdd {

class SilenceDetector {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `n` messages with trades came. Windows in which none did count, now that we know that it was quiet and not mute.
  void heard(Time now, std::uint32_t n) {
    if (window_end_ == Time{}) window_end_ = now + window;
    while (now >= window_end_) {
      std::shift_right(counts_.begin(), counts_.end(), 1);
      counts_[0] = 0;
      windows_ = std::min(windows_ + 1, counts_.size());
      if (now - window_end_ > window * counts_.size()) window_end_ = now - window * counts_.size();  // all are empty
      window_end_ += window;
    }
    counts_[0] += n;
    last_ = now;
    vouched_ = 0;
  }
  // Time without a connection, or before it was told what to send, does not count. What a connection brought that lived
  // for less than a window is known all the same.
  void resume(Time now) {
    if (windows_ < windows_min && known_young()) {
      counts_[1] = static_cast<std::uint32_t>(counts_[0] * (window / std::chrono::duration<double>(lasted())));
      windows_ = windows_min;
    }
    window_end_ = now + window;
    counts_[0] = 0;
    last_ = now;
  }
  // Silent for as long as it takes to bring `messages_expected` messages, as usual as they were in the last half
  // minute.
  [[nodiscard]] bool suspect(Time now) const {
    return now - last_ > silence_min * (1 << vouched_) && expected(now) >= messages_expected * (1 << vouched_);
  }
  // How many messages with trades are usual in the time that it has been silent for, by the quietest window of the last
  // half minute; of a thin connection by all of them. 0 while too little is known.
  [[nodiscard]] double expected(Time now) const {
    if (now <= last_) return 0;
    if (windows_ < windows_min) return expected_of_young(now);
    const double silent = std::chrono::duration<double>(now - last_) / window;  // in windows
    const auto begin = counts_.begin() + 1, end = counts_.begin() + known();
    const std::uint32_t few = *std::min_element(begin, end);
    if (few >= busy_window) return few * silent;
    const auto windows = static_cast<double>(end - begin);
    if (few > 0) return std::accumulate(begin, end, 0U) * silent / windows;
    // Some windows are silent as a rule: bursts in the others are not what is usual.
    std::uint32_t all = 0, most = 0;
    for (auto n = begin; n != end; ++n) {
      all += std::min(*n, burst);
      most = std::max(most, std::min(*n, burst));
    }
    return (all - most) * silent / windows;
  }
  // Of an earlier run: so many messages are usual in the quietest window.
  void expect(std::uint32_t messages) {
    counts_.fill(messages);
    counts_[0] = 0;
    windows_ = counts_.size();
  }
  // Silence with a reason: nothing was traded before `now`. The next doubt comes after twice as long.
  void vouched(Time now) {
    vouched_ = std::min(vouched_ + 1, vouched_max);
    vouched_at_ = now;
  }
  // Up to then it is known to have brought everything: its newest message, or somebody vouched for it.
  [[nodiscard]] Time known_until() const { return std::max(last_, vouched_at_); }

  static constexpr std::chrono::milliseconds window{5'000}, silence_min{1'500};
  static constexpr std::uint32_t messages_expected = 16, busy_window = 20;

 private:
  [[nodiscard]] std::ptrdiff_t known() const {
    return static_cast<std::ptrdiff_t>(std::min(windows_ + 1, counts_.size()));
  }
  // The first window is not over: what came until it fell silent is usual, if it was much and took a while.
  [[nodiscard]] double expected_of_young(Time now) const {
    return known_young() ? counts_[0] * (std::chrono::duration<double>(now - last_) / lasted()) : 0;
  }
  [[nodiscard]] bool known_young() const { return counts_[0] >= messages_expected && lasted() >= young_min; }
  [[nodiscard]] std::chrono::steady_clock::duration lasted() const { return last_ - (window_end_ - window); }
  static constexpr int vouched_max = 6;
  static constexpr std::chrono::milliseconds young_min{1'500};
  static constexpr std::size_t windows_min = 1;
  static constexpr std::uint32_t burst = 10;
  std::array<std::uint32_t, 7> counts_{};  // the window that goes on, and the six before it
  std::size_t windows_ = 0;
  Time window_end_{}, last_{}, vouched_at_{};
  int vouched_ = 0;
};

}  // namespace cvdd
