// The exchange of the simulation: speaks the real format from a tape, and misbehaves when told to. Behind the
// Transport and HttpGet seams, on virtual time. It remembers what it delivered: the truth that rows are held against.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cvdd/net/transport.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/tape.hpp"
#include "sim/faults.hpp"
#include "sim/virtual_clock.hpp"

namespace cvdd::simtest {

// A message on its way, and the trade that it brings, if any.
struct Message {
  std::string text;
  std::size_t instrument = sim::Tape::npos;  // of the tape
  std::uint64_t id = 0;
  bool readable = true;
};

// Topics of what stands beside the trades → whose they are: instrument, and number of the topic.
using ContextTopics = std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>>;

// One WebSocket as both ends see it.
struct Line {
  const sim::Protocol* protocol = nullptr;
  std::unique_ptr<sim::Conversation> talk;
  std::size_t side = 0;  // of the world's sides
  std::set<std::string> topics;
  ContextTopics context;      // what stands beside the trades
  std::deque<Message> inbox;  // sent, not read yet
  std::deque<Message> held;   // sent, and held up on the way
  SteadyTime last_frame{};    // that the process has noticed
  bool open = true, mute = false, dead = false;
  Timer* reader = nullptr;  // waits for a frame
  SteadyTime opened{};
  std::deque<SteadyTime> received;  // the last second's messages
};

class World {
 public:
  // `past`: how long before now the tape begins.
  World(VirtualClock& clock, std::uint64_t seed, std::vector<sim::TapeInstrument> instruments,
        Duration past = seconds(60));
  // The exchanges and markets there are: what a fault befalls.
  using Side = std::pair<std::string, Market>;
  [[nodiscard]] const std::vector<Side>& sides() const { return sides_; }
  [[nodiscard]] std::size_t side_of(const std::string& exchange, Market market) const;

  void begin(const Fault& fault);  // and its end, by itself

  [[nodiscard]] std::unique_ptr<Transport> make_transport();
  [[nodiscard]] std::unique_ptr<HttpGet> make_http_get();
  [[nodiscard]] sim::Tape& tape() { return tape_; }
  [[nodiscard]] const sim::Tape& tape() const { return tape_; }
  // The process is gone: so are its connections.
  void cut_all();

  // Whether a trade was read by the process, and could be understood.
  [[nodiscard]] bool delivered(std::size_t instrument, std::uint64_t id) const {
    const Reading* reading = reading_of(instrument, id);
    return reading != nullptr && reading->counts;
  }
  // Whether this life of the process had read it before that moment, understood or not.
  [[nodiscard]] bool read_by(std::size_t instrument, std::uint64_t id, std::uint32_t life, Timestamp before) const {
    const Reading* reading = reading_of(instrument, id);
    return reading != nullptr && reading->life == life && reading->at < before;
  }
  // Whoever died with it takes along what it was told.
  void begin_life(std::uint32_t life) {
    life_ = life;
    told_.clear();
  }
  // The process died before these were in a row.
  void undeliver_after(std::size_t instrument, std::uint64_t id);

  // How often the process did what the exchange bans for: attempts per address, messages per second and connection,
  // request weight per minute.
  [[nodiscard]] std::size_t offences() const { return offences_; }
  [[nodiscard]] const std::string& first_offence() const { return offence_; }
  void cut_connections();
  // Cuts one connection of those that have a twin which is well; false if there is none.
  bool cut_one_of_two();
  // The process gets no processor: what arrives is not noticed.
  void freeze(bool on) { frozen_ = on; }
  // Whether the exchange lists it at all.
  void list(const std::string& symbol, bool listed) {
    if (listed)
      unlisted_.erase(symbol);
    else
      unlisted_.insert(symbol);
  }
  // Instruments that the exchanges list, and whose streams they do not serve.
  void list_too(std::vector<sim::TapeInstrument> more);
  // The exchange ends every connection in order: what it has sent before is still to be read.
  void hang_up();
  // Which of an instrument's topics carry its trades: 0, or 1 for single trades.
  void serve(std::size_t topic) { served_ = topic; }
  // Of an instrument that two connections carry one of them brings no more; and all but that connection are cut.
  void deafen_one(std::size_t instrument);
  void cut_all_but_deafened();
  // Whose trade was sent last.
  [[nodiscard]] std::size_t last_sent() const { return last_sent_; }
  // One trade on the wire is of another size than on the tape.
  void distort_one() { distort_one_ = true; }
  // Connections of this age are closed.
  void set_lifetime(std::chrono::seconds age) { lifetime_ = age; }
  [[nodiscard]] std::size_t connections() const;

  // For the two seams.
  // Set when `connect` answered with a refusal.
  [[nodiscard]] const std::optional<HttpRefusal>& refusal() const { return refusal_; }
  [[nodiscard]] std::shared_ptr<Line> connect(const Url& url, std::string_view target);
  void receive(Line& line, std::string_view text);
  void pinged(Line& line);
  void read(Line& line, std::vector<std::string>& frames);
  [[nodiscard]] sim::Answer rest(const Url& url, std::string_view target);
  // When the answer to a question of now comes; empty: never.
  [[nodiscard]] std::optional<SteadyTime> rest_answers_at();
  [[nodiscard]] VirtualClock& clock() { return clock_; }
  [[nodiscard]] SteadyTime latency() {
    return clock_.steady() + std::chrono::milliseconds(even_ ? 40 : 5 + random_() % 80);
  }
  // All that is asked for takes equally long: one question more moves no other answer.
  void answer_evenly() { even_ = true; }

 private:
  struct Reading {
    Timestamp at;            // of the first in this life
    std::uint32_t life = 0;  // 0: never
    bool counts = false;     // … for what rows have of it
  };
  struct Seen {
    std::uint64_t base = 0;  // ids begin high
    std::vector<Reading> ids;
  };
  struct Trouble {
    bool outage = false, duplicates = false, broken = false, swallow_one = false, rejected = false, stalled = false;
    Duration delay_one;
    std::optional<std::size_t> unreadable;  // instrument of which every third row is
    unsigned unreadable_rows = 0;
  };
  [[nodiscard]] const Reading* reading_of(std::size_t instrument, std::uint64_t id) const {
    const Seen& seen = delivered_[instrument];
    return id >= seen.base && id - seen.base < seen.ids.size() ? &seen.ids[id - seen.base] : nullptr;
  }
  [[nodiscard]] const std::string& topic(std::size_t instrument) const {
    return topics_[instrument][std::min(served_, topics_[instrument].size() - 1)];
  }
  void tick();
  void second();
  void ping();
  void print(std::size_t instrument, const sim::TapeTrade& trade);
  void tell_context(const std::shared_ptr<Line>& line);
  void count_message(Line& line);
  void send(Line& line, Message message);
  void deliver(const std::shared_ptr<Line>& line, Message message);
  void let_go(std::size_t side);
  void damage(std::string& frame, std::size_t instrument, Trouble& trouble, bool& readable);
  [[nodiscard]] std::size_t instrument_of(std::size_t side, std::uint32_t what) const;
  void cut(Line& line);
  void offend(const std::string& what);
  void cut_side(std::size_t side);
  void act(Line& line, const sim::Said& said);
  [[nodiscard]] std::string nonsense(const sim::Protocol& protocol, const std::string& good);

  VirtualClock& clock_;
  std::mt19937_64 random_;
  sim::Tape tape_;
  std::vector<std::uint64_t> printed_;  // per instrument: newest id sent
  std::vector<Seen> delivered_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::vector<Side> sides_;
  std::vector<Trouble> trouble_;                  // by side
  std::vector<std::vector<std::string>> topics_;  // by instrument
  ContextTopics context_topics_;
  bool even_ = false;
  bool rest_fails_ = false, rest_silent_ = false, rest_flaky_ = false, rest_late_ = false;
  std::uint32_t life_ = 1;
  std::map<std::string, std::deque<SteadyTime>> attempts_;            // by exchange, of its window
  std::map<std::pair<std::string, std::int64_t>, unsigned> weights_;  // by host and minute
  std::set<std::string> unlisted_;
  std::unique_ptr<sim::Tape> listed_;  // what is listed, if that is not what there is
  std::size_t offences_ = 0;
  bool frozen_ = false, distort_one_ = false;
  std::size_t served_ = 0, last_sent_ = 0;
  std::weak_ptr<Line> deafened_;
  std::string offence_;  // the first
  struct Told {
    SteadyTime until{}, at{};
  };
  std::map<std::string, Told> told_;  // to stay away, by exchange
  SteadyTime banned_until_{};
  std::optional<HttpRefusal> refusal_;
  std::chrono::seconds lifetime_{86'400};
};

}  // namespace cvdd::simtest
