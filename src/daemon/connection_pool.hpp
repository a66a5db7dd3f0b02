// Which of a market's connections carries which instruments: spread over as few as the exchange's limit allows, twice
// where they are redundant, and from an old connection to the next without a gap. Pure: connections are known by their
// numbers, times come in, and what is to be done comes out as steps. One per market; io thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

class ConnectionPool {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Number = std::uint32_t;  // of a connection within its market, from 1; never used twice
  using Instruments = std::vector<const Instrument*>;

  // One thing to be done, in the order given.
  struct Step {
    enum class Kind : std::uint8_t {
      open,    // a new connection with these instruments
      add,     // these too
      remove,  // these no more
      stop,    // nothing is left for it to do
    } kind = Kind::open;
    Number connection = 0;
    Instruments instruments = {};
    // Of a new one: whose queue it shares, since it carries the same; 0: it has its own.
    Number queue_of = 0;
    bool takes_over = false;  // … from that one
  };
  using Steps = std::vector<Step>;

  // `per_connection`: instruments, at most. `redundancy`: 1, or 2 for twins.
  ConnectionPool(std::size_t per_connection, std::uint32_t redundancy)
      : per_connection_(per_connection), redundancy_(redundancy) {}

  // Connections with room first, then as few new ones as the limit allows, evenly filled.
  [[nodiscard]] Steps begin(std::span<const Instrument* const> instruments);
  // Instruments that are not carried are passed over.
  [[nodiscard]] Steps end(std::span<const Instrument* const> instruments);
  // A connection with the same instruments is made, to take over as soon as it delivers. Nothing if one is on its way.
  [[nodiscard]] Steps renew(Number old);
  // Make before break: what has delivered for two seconds takes over, and the old connection is stopped. Both feed the
  // same sequencer, and the first copy of a trade counts, so nobody sees it.
  [[nodiscard]] Steps take_over(const std::function<bool(Number)>& delivers, Time now);
  // It has ended for good.
  void forget(Number connection);

  // Every instrument, and the connection that answers for it.
  [[nodiscard]] const std::map<const Instrument*, Number>& carried() const { return carried_; }
  [[nodiscard]] bool renewing(Number connection) const;
  // The other one that carries the same; 0: it has none, or is a second one itself.
  [[nodiscard]] Number twin_of(Number connection) const;
  // Whose twin it is; 0: nobody's.
  [[nodiscard]] Number primary_of(Number twin) const;
  [[nodiscard]] bool refers_to(const Instrument& instrument) const;
  // How many connections have taken over from others.
  [[nodiscard]] std::uint64_t renewed() const { return renewed_; }

  // How many connections, and how many instruments each gets: as few as the limit allows, evenly filled.
  [[nodiscard]] static std::vector<std::size_t> spread(std::size_t instruments, std::size_t per_connection);

  static constexpr std::chrono::seconds overlap{2};

 private:
  struct Connection {
    Instruments instruments;
    bool stopping = false;
  };
  struct Renewal {
    Number old = 0, next = 0;
    std::optional<Time> delivers_since;
  };
  void open(std::span<const Instrument* const> instruments, Number queue_of, bool takes_over, Steps& steps);
  void add(Number to, std::span<const Instrument* const> instruments, Steps& steps);
  void remove(Number from, const Instruments& instruments, Steps& steps);
  void stop(Number connection, Steps& steps);
  void hand_over(Number old, Number next);
  [[nodiscard]] bool may_grow(Number number, const Connection& connection) const;

  std::size_t per_connection_;
  std::uint32_t redundancy_;
  Number last_ = 0;
  std::map<Number, Connection> connections_;
  std::map<const Instrument*, Number> carried_;
  std::map<Number, Number> twins_;  // by the first of both
  std::vector<Renewal> renewals_;
  std::uint64_t renewed_ = 0;
};

}  // namespace cvdd
