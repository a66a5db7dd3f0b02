// The exchange of the simulation: speaks the real format from a tape, and misbehaves when told to. Behind the
// Transport and HttpGet seams, on virtual time. It remembers what it delivered: the truth that rows are held against.
#pragma once

#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cvdd/net/transport.hpp"
#include "cvdd/sim/binance_protocol.hpp"
#include "cvdd/sim/tape.hpp"
#include "sim/faults.hpp"
#include "sim/virtual_clock.hpp"

namespace cvdd::simtest {

// One WebSocket as both ends see it.
struct Line {
  Market market = Market::spot;
  sim::binance::Door door = sim::binance::Door::plain;
  bool combined = false;
  std::set<std::string> streams;
  std::deque<std::string> inbox;                          // sent, not read yet
  std::deque<std::pair<std::size_t, std::uint64_t>> ids;  // of the trades in the inbox: instrument, id
  SteadyTime last_frame{};
  bool open = true, mute = false, dead = false;
  Timer* reader = nullptr;  // waits for a frame
  SteadyTime opened{};
  std::deque<SteadyTime> received;  // the last second's messages
};

class World {
 public:
  World(VirtualClock& clock, std::uint64_t seed, std::size_t instruments, std::uint32_t trades_per_minute);

  void begin(const Fault& fault);  // and its end, by itself

  [[nodiscard]] std::unique_ptr<Transport> make_transport();
  [[nodiscard]] std::unique_ptr<HttpGet> make_http_get();
  [[nodiscard]] sim::Tape& tape() { return tape_; }
  // The process is gone: so are its connections.
  void cut_all();

  // Whether a trade was read by the process.
  [[nodiscard]] bool delivered(std::size_t instrument, std::uint64_t id) const {
    const Seen& seen = delivered_[instrument];
    return id >= seen.base && id - seen.base < seen.ids.size() && seen.ids[id - seen.base];
  }
  // The process died before these were in a row.
  void undeliver_after(std::size_t instrument, std::uint64_t id);

  // How often the process did what the exchange bans for: attempts per address, messages per second and connection,
  // request weight per minute.
  [[nodiscard]] std::size_t offences() const { return offences_; }
  void cut_connections();
  // Whether the exchange lists it at all.
  void list(const std::string& symbol, bool listed) {
    if (listed)
      unlisted_.erase(symbol);
    else
      unlisted_.insert(symbol);
  }
  // Connections of this age are closed.
  void set_lifetime(std::chrono::seconds age) { lifetime_ = age; }
  [[nodiscard]] std::size_t connections() const;

  // For the two seams.
  // Set when `connect` answered with a refusal.
  [[nodiscard]] const std::optional<HttpRefusal>& refusal() const { return refusal_; }
  [[nodiscard]] std::shared_ptr<Line> connect(const Url& url, std::string_view target);
  void receive(Line& line, std::string_view text);
  void read(Line& line, std::vector<std::string>& frames);
  [[nodiscard]] sim::binance::Answer rest(const Url& url, std::string_view target);
  [[nodiscard]] bool rest_answers() const { return !rest_silent_; }
  [[nodiscard]] VirtualClock& clock() { return clock_; }
  [[nodiscard]] SteadyTime latency() { return clock_.steady() + std::chrono::milliseconds(5 + random_() % 80); }

 private:
  struct Seen {
    std::uint64_t base = 0;  // ids begin high
    std::vector<bool> ids;
  };
  struct Trouble {
    bool outage = false, duplicates = false, broken = false, swallow_one = false, rejected = false;
    Duration delay_one;
  };
  void tick();
  void ping();
  void print(std::size_t instrument, const sim::TapeTrade& trade);
  void send(Line& line, std::string text);
  void deliver(const std::shared_ptr<Line>& line, std::size_t instrument, std::uint64_t id, std::string text);
  void cut(Line& line);
  void cut_market(Market market);
  Trouble& trouble(Market market) { return trouble_[static_cast<std::size_t>(market)]; }
  [[nodiscard]] std::string nonsense(const std::string& good);

  VirtualClock& clock_;
  std::mt19937_64 random_;
  sim::Tape tape_;
  std::vector<std::uint64_t> printed_;  // per instrument: newest id sent
  std::vector<Seen> delivered_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::array<Trouble, 3> trouble_;
  bool rest_fails_ = false, rest_silent_ = false;
  std::deque<SteadyTime> attempts_;                                   // of five minutes
  std::map<std::pair<std::string, std::int64_t>, unsigned> weights_;  // by host and minute
  std::set<std::string> unlisted_;
  std::size_t offences_ = 0;
  SteadyTime banned_until_{}, told_to_wait_until_{}, told_at_{};
  std::optional<HttpRefusal> refusal_;
  std::chrono::seconds lifetime_{86'400};
};

}  // namespace cvdd::simtest
