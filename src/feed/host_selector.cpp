#include "cvdd/feed/host_selector.hpp"

#include <algorithm>

namespace cvdd {

std::size_t HostSelector::pick(Time now, std::optional<std::size_t> avoid) const {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (!open(i, now) && avoid != i) return i;
  }
  if (avoid && !open(*avoid, now)) return *avoid;
  const auto soonest =
      std::min_element(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) { return a.retry < b.retry; });
  return static_cast<std::size_t>(soonest - hosts_.begin());
}

void HostSelector::failed(std::size_t host, Time now) {
  Host& h = hosts_[host];
  if (++h.failures < failures_max) return;
  h.failures = failures_max - 1;  // once open, one more failure opens it again
  const auto wait = std::min<std::chrono::seconds>(open_first * (1U << std::min(h.opened, 10U)), open_max);
  ++h.opened;
  h.retry = now + wait;
}

bool HostSelector::silent(bool other) {
  if (other != other_path_) return false;  // left already
  if (++silent_ < (path_was_good_ ? silent_max : 1)) return false;
  other_path_ = !other_path_;
  path_was_good_ = false;
  silent_ = 0;
  return true;
}

void HostSelector::refused(std::size_t host, Time until) { hosts_[host].retry = std::max(hosts_[host].retry, until); }

}  // namespace cvdd
