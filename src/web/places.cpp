#include "places.hpp"

#include <algorithm>
#include <utility>

namespace cvdd::web {

template <class Of>
std::size_t Places::count_of(Of of) const {
  return static_cast<std::size_t>(std::ranges::count_if(all_, [&](const Place& p) { return !p.gone && of(p); }));
}

// Of those, who has done nothing for longest, and nothing since `before`.
template <class Of>
bool Places::send_away(Of of, Time before) {
  Place* longest = nullptr;
  for (Place& p : all_) {
    if (p.gone || p.stays || !p.waited || p.moved > before || !of(p)) continue;
    if (longest == nullptr || p.moved < longest->moved) longest = &p;
  }
  if (longest == nullptr) return false;
  longest->gone = true;
  longest->close();
  return true;
}

std::size_t Places::count() const {
  return count_of([](const Place&) { return true; });
}

bool Places::enter(const boost::asio::ip::address& address, Time now, std::function<void()> close, Handle& out) {
  const auto anybody = [](const Place&) { return true; };
  const auto unproven = [](const Place& p) { return !p.proven; };
  const auto neighbour = [&](const Place& p) { return p.address == address; };
  // A proxy before us speaks for many, and so does this machine.
  const std::size_t of_one = address.is_loopback() ? most : most_of_one;
  if (token_ && count_of(unproven) >= most_unproven && !send_away(unproven, now)) return false;
  if (count_of(neighbour) >= of_one && !send_away(neighbour, now - idle) && !address.is_loopback()) return false;
  bool kept = false;
  if (count() >= most && !send_away(anybody, now - idle)) {
    kept = true;
    if (count() >= most + most_kept && !send_away(anybody, now)) return false;
  }
  Place place;
  place.address = address;
  place.close = std::move(close);
  place.proven = !token_;
  place.kept = kept;
  place.waited = true;
  place.moved = now;
  out = all_.insert(all_.end(), std::move(place));
  return true;
}

void Places::close_all() {
  for (Place& p : all_) {
    if (!p.gone) p.close();
  }
}

}  // namespace cvdd::web
