// Whether a connection that was busy has been silent for longer than can be chance. Earlier than any time-out, and so
// only a doubt: bars that close meanwhile must not say that they are whole. Pure: times come in.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>

namespace cvdd {

class Lull {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `n` trades came. Windows in which none did count, now that we know that it was quiet and not mute.
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
  // Time without a connection, or before it was told what to send, does not count.
  void resume(Time now) {
    window_end_ = now + window;
    counts_[0] = 0;
    last_ = now;
  }
  // Silent for as long as it takes the quietest window of the last half minute to bring `trades_expected`; of a young
  // connection, of the windows that there were.
  [[nodiscard]] bool suspect(Time now) const {
    if (windows_ < windows_min) return false;
    const std::uint32_t few = least();
    if (few < busy_window) return few > 0 && thin_silence(now);
    return now - last_ > std::max(silence_min, window * trades_expected / few) * (1 << vouched_);
  }
  // Whether trades came in each of the windows, so that none in one of them would be news.
  [[nodiscard]] bool busy() const { return windows_ >= windows_min && least() >= busy_window; }
  // Of an earlier run: so many trades are usual in the quietest window.
  void expect(std::uint32_t trades) {
    counts_.fill(trades);
    counts_[0] = 0;
    windows_ = counts_.size();
  }
  // Silence with a reason: nothing was traded. The next doubt comes after twice as long.
  void vouched() { vouched_ = std::min(vouched_ + 1, vouched_max); }
  [[nodiscard]] Time last() const { return last_; }

  static constexpr std::chrono::milliseconds window{5'000}, silence_min{1'000};
  static constexpr std::uint32_t trades_expected = 20, busy_window = 20;

  static constexpr std::uint32_t thin_expected = 20;

 private:
  [[nodiscard]] std::ptrdiff_t known() const {
    return static_cast<std::ptrdiff_t>(std::min(windows_ + 1, counts_.size()));
  }
  [[nodiscard]] std::uint32_t least() const {
    return *std::min_element(counts_.begin() + 1, counts_.begin() + known());
  }
  // A thin connection on which trades came in every window all the same: by all of them, and not before two windows.
  [[nodiscard]] bool thin_silence(Time now) const {
    if (windows_ + 1 < counts_.size()) return false;
    const auto all = std::accumulate(counts_.begin() + 1, counts_.begin() + known(), 0U);
    const auto usual = window * (known() - 1) * thin_expected / std::max(all, 1U);
    return now - last_ > std::max<std::chrono::milliseconds>(window, usual) * (1 << vouched_);
  }
  static constexpr int vouched_max = 6;
  static constexpr std::size_t windows_min = 2;
  std::array<std::uint32_t, 7> counts_{};  // the window that goes on, and the six before it
  std::size_t windows_ = 0;
  Time window_end_{}, last_{};
  int vouched_ = 0;
};

}  // namespace cvdd
