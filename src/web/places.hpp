// Who may be connected. Places are given to whoever comes while there are any; when they are all taken, who has done
// nothing for longest has to go, and some are kept for who asks how we are. Pure.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>

namespace cvdd::web {

class Places {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Place {
    boost::asio::ip::address address;
    std::function<void()> close;
    bool proven = false;  // has shown the token, or none is wanted
    bool kept = false;    // one of those for health and metrics: nothing else is answered there
    bool waited = false;  // it is being waited for: for a request, or to take its answer
    bool stays = false;   // a stream: it has limits of its own
    bool gone = false;    // told to go
    Time moved{};         // when it last did something
  };
  using Handle = std::list<Place>::iterator;

  static constexpr std::size_t most = 128, most_kept = 16, most_of_one = 32, most_unproven = 32;
  static constexpr std::chrono::seconds idle{1};  // less is no idleness

  // `token`: one is wanted.
  explicit Places(bool token) : token_(token) {}
  // False: there is none, and nobody can be sent away for it.
  bool enter(const boost::asio::ip::address& address, Time now, std::function<void()> close, Handle& out);
  void leave(Handle place) { all_.erase(place); }
  [[nodiscard]] std::size_t count() const;
  void close_all();

 private:
  template <class Of>
  bool send_away(Of of, Time before);
  template <class Of>
  [[nodiscard]] std::size_t count_of(Of of) const;
  const bool token_;
  std::list<Place> all_;
};

}  // namespace cvdd::web
