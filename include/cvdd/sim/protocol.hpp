// What a simulated exchange says, without clock or network: text in, text out. One Protocol per exchange, one
// Conversation per WebSocket. The server, and the simulation on virtual time, drive the same ones.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cvdd/sim/tape.hpp"
#include "cvdd/sim/tape_context.hpp"

namespace cvdd::sim {

// A request's address. "/okx/linear/ws/v5/public" is the market's own door; a real address has no such prefix.
struct Address {
  std::string host;
  std::string exchange;          // from the prefix; empty: none
  std::optional<Market> market;  // from the prefix, or from what the protocol knows of hosts and paths
  std::string path;              // without the prefix
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;  // what was posted
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  // Whole and not negative; `otherwise` if it is not there, or is no number.
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
};
// Behind a line's end `target` may have what was posted.
[[nodiscard]] Address parse_address(std::string_view target, std::string_view host);

// One REST answer.
struct Answer {
  unsigned status = 200;
  std::string body;
  unsigned weight = 1;
};

// What an exchange does about something its client said, or as time goes by.
struct Said {
  std::vector<std::string> answers;  // in this order, before any frame of what follows from it
  std::vector<std::string> listen;   // topics that are heard from now on
  std::vector<std::string> leave;
  std::string farewell;    // the connection ends with this reason; empty: it goes on
  bool violation = false;  // … because a limit was not kept
};

// The exchange's side of one WebSocket.
class Conversation {
 public:
  virtual ~Conversation() = default;
  // What the address itself asked for.
  virtual void opened(Said&) {}
  virtual void hear(std::string_view text, Timestamp now, Said& said) = 0;
  // A ping frame came.
  virtual void pinged(Timestamp) {}
  // About once a second: heartbeats, questions, and what happens to who does not answer them.
  virtual void tick(Timestamp, Said&) {}
  // How frames of a topic look on this connection: wrapped, or as they are.
  [[nodiscard]] virtual bool wraps() const { return false; }
  // How many messages a second the client may send here.
  [[nodiscard]] virtual std::uint32_t messages_per_second() const { return 100; }
};

struct ConversationLimits {
  std::uint32_t topics = 1024;  // on one connection
};

// So many in any window of this length.
struct Allowed {
  std::uint32_t count = 0;
  Duration window;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::span<const Market> markets() const = 0;
  // Whether an address is this exchange's, by prefix, host or path; fills in its market if that tells.
  [[nodiscard]] virtual bool owns(Address& address) const = 0;
  // nullptr: there is no WebSocket at this address. `tape` may be null (recordings); it must outlive the conversation.
  [[nodiscard]] virtual std::unique_ptr<Conversation> open(const Address& address, const Tape* tape,
                                                           ConversationLimits limits) const = 0;
  // `given`: an instrument list to serve instead of the tape's; `tape` may be null.
  [[nodiscard]] virtual Answer rest(const Address& address, const Tape* tape, std::string_view given,
                                    Timestamp now) const = 0;
  // The topics on which an instrument's trades are published. Unique among all exchanges.
  [[nodiscard]] virtual std::vector<std::string> topics(const TapeInstrument& what) const = 0;
  // What is sent of `trades` to who listens to the instrument's topic of this number, frame by frame.
  virtual void frames(const TapeInstrument& what, std::size_t topic, std::span<const TapeTrade> trades, Timestamp now,
                      std::vector<std::string>& out) const = 0;
  // The topics on which it publishes what stands beside an instrument's trades. Unique among all exchanges; none: it
  // publishes nothing of that here.
  [[nodiscard]] virtual std::vector<std::string> context_topics(const TapeInstrument&) const { return {}; }
  // What is sent about this second to who listens to the topic of this number; empty: nothing.
  [[nodiscard]] virtual std::string context_frame(const TapeInstrument&, std::size_t, Timestamp) const { return {}; }
  // A frame as conversations that wrap get it.
  [[nodiscard]] virtual std::string wrapped(std::string_view, std::string_view frame) const {
    return std::string(frame);
  }
  // What one address may do: connection attempts, and weight of REST requests.
  [[nodiscard]] virtual Allowed attempts() const { return {300, seconds(300)}; }
  [[nodiscard]] virtual std::uint32_t weight_per_minute(const Address&) const { return 600; }
  // Something that looks like one of its trades, of an instrument that does not exist.
  [[nodiscard]] virtual std::string foreign_frame() const = 0;
  // A simulated instrument: symbol, currencies, contract size; `made` has its market, base and prices.
  virtual void describe(TapeInstrument& made) const = 0;
};

// Every exchange there is; its counterpart is src/sim/NAME.cpp.
[[nodiscard]] std::span<const Protocol* const> protocols();
[[nodiscard]] const Protocol* find_protocol(std::string_view name);
// Whose address this is; nullptr: nobody's. Fills in its market.
[[nodiscard]] const Protocol* owner_of(Address& address);

// `count` instruments, one of each market of each exchange in turn.
[[nodiscard]] std::vector<TapeInstrument> make_instruments_everywhere(std::size_t count,
                                                                      std::uint32_t trades_per_minute);
// … of one exchange alone.
[[nodiscard]] std::vector<TapeInstrument> make_instruments_of(const Protocol& protocol, std::size_t count,
                                                              std::uint32_t trades_per_minute);

}  // namespace cvdd::sim
