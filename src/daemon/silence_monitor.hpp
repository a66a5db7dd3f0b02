// What a silence is taken for: whom to ask the exchange about, and what its answers mean for a connection. Pure: times
// come in, connections are known by their numbers, and what is to be done is returned. One per market; io thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "cvdd/feed/intake.hpp"
#include "cvdd/recovery/history_client.hpp"

namespace cvdd {

class SilenceMonitor {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Connection = std::uint32_t;  // its number
  using Carried = std::map<const Instrument*, Connection>;

  // What to do about a connection that has been silent for longer than can be chance (Session::lulled): to be called
  // every half second or so while it is.
  enum class Lull : std::uint8_t { wait, ask, mute };
  [[nodiscard]] Lull lulled(Connection connection, Time now);
  // It is silent no more.
  void speaks(Connection connection) { lulls_.erase(connection); }

  // What is to be done when history has answered a question about an instrument of a connection.
  struct Remedy {
    enum class Kind : std::uint8_t {
      none,
      vouch,        // nothing was traded: the connection is quiet
      mute,         // all of it is silent though there were trades: it ends, and a new one is made
      resubscribe,  // the instrument is
      renew,        // another connection takes over
      condemn,      // it ends at once: where ids have no order, one that takes over would hide what is missing
    } kind = Kind::none;
    bool leave_host = false;  // the next connection takes another host
  };
  // `lulled`: the whole connection is silent. An instrument that is deaf is subscribed again at first; at the second of
  // the last ten minutes on this connection the connection is renewed, from the third on elsewhere.
  [[nodiscard]] Remedy answered(Connection connection, Answered answer, Ids ids, bool lulled, Time now);

  struct Quiet {
    std::vector<const Instrument*> deaf;  // the exchange tells of their trades, and their feed does not bring them
    std::vector<const Instrument*> ask;   // what is their newest trade?
  };
  // Of all confirmed instruments: the one that is most overdue, and of each connection that would soon count as mute
  // the one that should have traded most. Notes in the intake that they were asked about.
  [[nodiscard]] static Quiet look(const Carried& carried, const std::function<bool(Connection)>& suspicious,
                                  Intake& intake, Timestamp now);
  // The confirmed one that should have traded most since it was heard; null: none is confirmed.
  [[nodiscard]] static const Instrument* busiest(std::span<const Instrument* const> instruments, Intake& intake,
                                                 Timestamp now);

  // The connection is no more.
  void forget(Connection connection);
  // How often a feed that was alive had kept trades from us.
  [[nodiscard]] std::uint64_t stalls() const { return stalls_; }

  static constexpr std::chrono::seconds lull_ask_every{2};
  static constexpr std::chrono::seconds stalls_remembered{600};
  // The exchange told of a trade so long ago, and it has not come.
  static constexpr Duration owed_max = seconds(5);

 private:
  // When it is asked about again, and since when it owes us what history had.
  struct Asked {
    Time next{};
    std::optional<Time> owed;
  };
  std::map<Connection, Asked> lulls_;
  std::map<Connection, std::deque<Time>> stalled_;  // of the last ten minutes
  std::uint64_t stalls_ = 0;
};

}  // namespace cvdd
