// Which of an exchange's hosts to use: in the order given, with a breaker for each, and back to the first as soon as
// it may be tried again. Shared by all connections of a market, so that one learns from the other. Pure: times come in.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace cvdd {

class HostSelector {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit HostSelector(std::size_t count) : hosts_(count == 0 ? 1 : count) {}

  // The first host that may be tried; if none may, the one that may soonest.
  // `avoid`: taken only if no other may be tried.
  [[nodiscard]] std::size_t pick(Time now, std::optional<std::size_t> avoid = std::nullopt) const;
  // It did what it is for: data came.
  void good(std::size_t host) {
    hosts_[host] = {};
    path_was_good_ = true;
    silent_ = 0;
  }
  // Which of two paths the exchange's connections take: some carry nothing though all is acknowledged.
  [[nodiscard]] bool other_path() const { return other_path_; }
  // A connection on that path (`other`) was, from beginning to end. True: the next ones take the other path. One on
  // which data came before is left only when this happens again and again: maybe the instruments were quiet.
  [[nodiscard]] bool silent(bool other);
  // It did not. After `failures_max` in a row the breaker opens, for twice as long each time.
  void failed(std::size_t host, Time now);
  // It refuses us for a while: no use in trying before.
  void refused(std::size_t host, Time until);
  [[nodiscard]] bool open(std::size_t host, Time now) const { return now < hosts_[host].retry; }

  static constexpr unsigned failures_max = 3;
  static constexpr unsigned silent_max = 3;  // … of a path that was good
  static constexpr std::chrono::seconds open_first{30};
  static constexpr std::chrono::seconds open_max{600};

 private:
  struct Host {
    unsigned failures = 0;
    unsigned opened = 0;
    Time retry{};
  };
  std::vector<Host> hosts_;
  bool other_path_ = false, path_was_good_ = false;
  unsigned silent_ = 0;  // connections in a row
};

}  // namespace cvdd
