// What cvdd knows about an exchange: data and pure functions, one `const Exchange` per market family.
// Nothing here has state, a socket or a clock; sessions and the simulation drive the same functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/market_data.hpp"
#include "cvdd/base/outcome.hpp"
#include "cvdd/base/types.hpp"
#include "cvdd/exchanges/parsed.hpp"
#include "cvdd/exchanges/symbol_table.hpp"

namespace cvdd {

// Which of an exchange's trade streams is read (configuration key `stream`).
enum class Stream : std::uint8_t { aggregate, single };

enum class Verb : std::uint8_t { subscribe, unsubscribe };

struct Limits {
  std::uint32_t instruments_per_connection = 0;  // with one trade stream each
  std::uint32_t instruments_per_request = 0;     // names in one subscribe message
  std::uint32_t messages_per_second = 0;         // what we may send on one connection, pongs included
  std::uint32_t connection_attempts = 0;         // per IP …
  Duration connection_attempts_window = {};      // … in this window
  Duration lifetime = {};                        // the exchange closes a connection of this age; 0: it does not
  Duration silence = {};                         // a busy connection without a trade for this long is dead
  std::uint32_t requests_per_hour = 0;           // subscriptions and the like on one connection; 0: no such limit
  Duration probe_every = {};                     // a sign of life is asked for this often; 0: only when it is quiet
  Duration ping_every = {};                      // … and a ping frame sent this often; 0: never
};

// Data that a channel has by REST alone: asked for so often, one instrument at a time.
struct Poll {
  std::string (*target)(const Instrument& instrument) = nullptr;
  Duration every = {};
  std::uint32_t per_request = 1;  // so many of them weigh what one of `history_per_minute` does
  // Fills `out` as a message would; the reason if the body is no such answer, empty otherwise.
  std::string (*read)(std::string_view body, const Instrument& instrument, Parsed& out) = nullptr;
};

// How the rows of a channel's frames are read; known to the exchanges' files alone (src/exchanges/channels.hpp).
struct RowReader;

// One channel of an exchange: what it tells, what it is called, and how to read it. What an exchange publishes is a
// table of them; a frame that none of them claims is not needed, or not understood.
struct DataChannel {
  DataKinds kinds;
  std::string_view name;              // as requests and frames spell it: "publicTrade", "trades"
  const RowReader* rows = nullptr;    // null: the exchange's `parse` reads it by itself
  std::optional<Stream> stream = {};  // trades: the stream that it is; empty: it is both
  Series series = Series::single;     // trades: whose ids they have
  const Poll* poll = nullptr;         // it is no channel, but asked for by REST
  std::string_view ws_target = {};    // of the WebSocket that has it; empty: that of the trades
  std::string (*topic)(const DataChannel& channel, const Instrument& instrument) = nullptr;  // see topic_of
  // By what an answer names an instrument's subscription to it; by its symbol, if `topic` is null.
  [[nodiscard]] std::string topic_of(const Instrument& instrument) const {
    return topic != nullptr ? topic(*this, instrument) : instrument.symbol;
  }
};

// One answer of a history. A row that can't be read does not spoil it: it alone stays missing.
struct HistoryPage {
  struct Refused {
    std::uint64_t id = 0;  // 0: it can't be read, or has no order
    Timestamp time;        // 0: it can't be read
    Refusal why = Refusal::none;
  };
  std::vector<Trade> trades;     // oldest first: by id, or by time where ids have no order
  std::vector<Refused> refused;  // in the order of the answer
  [[nodiscard]] std::size_t rows() const { return trades.size() + refused.size(); }
};

// REST: past trades. Targets are path and query of a URL, and behind a line's end the JSON that is posted there, if
// any; those that an exchange does not serve are null.
struct History {
  std::uint32_t page = 0;          // rows in one answer, at most
  Series series = Series::single;  // whose ids it has
  // Fewer rows than were asked for prove that there are no more. False: the answer may have been cut to the newest of
  // what was asked for; those before it are had by asking for as many rows as it gives.
  bool short_page_is_end = true;
  // The feed is known to leave trades out. Holes wait for their bar's end then: one page brings what all of them lack.
  bool feed_leaves_out = false;
  // Where ids have no order: rows have numbers beside them that show what is missing, and `read` takes no page that
  // lacks one. So its pages prove more than any candle.
  bool numbered = false;
  // Trades with ids from `from_id` up to `from_id + limit - 1`; older ones may come along. Null: ids can't be asked
  // for, and `since` stands in, where there is one.
  std::string (*by_id)(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit) = nullptr;
  // The oldest trades from a moment on.
  std::string (*since)(const Instrument& instrument, Timestamp from, std::uint32_t limit) = nullptr;
  // The oldest trades that have ids from `id` on and were made at `time` or later, by whichever of the two it takes.
  [[nodiscard]] std::string from(const Instrument& instrument, std::uint64_t id, Timestamp time,
                                 std::size_t limit) const {
    const auto rows = static_cast<std::uint32_t>(limit);
    return by_id != nullptr ? by_id(instrument, id, rows) : since(instrument, time, rows);
  }
  // The newest trades, where they can't be addressed by id.
  std::string (*recent)(const Instrument& instrument) = nullptr;
  // … and those before them: the newest that were made before `until`, or at it. Null: there is no way to them.
  std::string (*before)(const Instrument& instrument, Timestamp until) = nullptr;
  // The newest trade there is, in the smallest page, of the series that this stream has; more may come along.
  std::string (*newest)(const Instrument& instrument, Stream stream) = nullptr;
  // All trades made in [from, to], and perhaps others, where they are addressed by time. A page that is full may have
  // been cut anywhere, unless it reaches back beyond `from`. Where there is this, bars are made again by it alone.
  std::string (*between)(const Instrument& instrument, Timestamp from, Timestamp to) = nullptr;
  // An answer to any of them. An empty page is one.
  Outcome<HistoryPage> (*read)(std::string_view body, const Instrument& instrument) = nullptr;
};

// A length of candles, and what the exchange calls it.
struct CandleInterval {
  Duration length;
  std::string_view name;
};

// REST: candles; `facts` says what they tell.
struct Candles {
  std::span<const CandleInterval> intervals = {};
  std::uint32_t page = 0;  // in one answer, at most
  CandleFacts facts = {};
  bool fills = false;  // they tell how many fills there were, though not of whom
  // Those that begin in [from, to); from the oldest there is if that is later. Others may come along, and the one of
  // the running bar unless the exchange marks it. `now` decides where old ones are to be had.
  std::string (*target)(const Instrument& instrument, Timestamp from, Timestamp to, const CandleInterval& interval,
                        Timestamp now) = nullptr;
  Outcome<std::vector<Candle>> (*read)(std::string_view body, const Instrument& instrument) = nullptr;
  // Null: it has none of this length.
  [[nodiscard]] const CandleInterval* find(Duration length) const;
};

// One page of an instrument list. Instruments of other markets are left out.
struct InstrumentPage {
  std::vector<Instrument> instruments;
  std::string next;  // to be appended to the target for the next page; empty: this was the last
};

// One market family of an exchange. All functions are pure and must not throw on any input. Those marked "may be null"
// are for what not every exchange has.
struct Exchange {
  std::string_view name;  // as in the symbol list
  Market market = Market::spot;
  std::span<const std::string_view> ws_hosts = {};    // "wss://host:port", tried in order
  std::span<const std::string_view> rest_hosts = {};  // "https://host"
  std::string_view header = {};                       // "Name: value", said to all of them; empty: none
  Limits limits = {};
  std::string_view region_note = {};  // what to do where the exchange refuses a region (403, 451)

  // Path and query of the WebSocket URL, appended to a host: "/stream".
  std::string (*ws_target)(Stream stream) = nullptr;
  // Another one that may carry the same, where nobody can say for sure which does: tried when a connection stayed
  // silent although all it asked for was acknowledged. May be null.
  std::string (*other_ws_target)(Stream stream) = nullptr;
  // What it publishes.
  std::span<const DataChannel> channels = {};
  // How many of its forced orders it tells, where a channel tells any.
  LiquidationsTold liquidations = LiquidationsTold::none;
  // A message to be sent first of all; may be null.
  std::string (*hello)(std::uint64_t request_id) = nullptr;
  // One text message that subscribes these instruments to one channel, or takes them from it, acknowledged under
  // `request_id`. Empty: there is nothing to say.
  std::string (*request)(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                         std::uint64_t request_id) = nullptr;
  // Puts the moment of sending, by the exchange's clock, into a message of ours. May be null: they don't tell it.
  std::string (*dated)(std::string message, Timestamp now) = nullptr;
  // Its subscriptions bring trades of instruments that nobody asked for.
  bool delivers_unrequested = false;
  // They begin with old trades that nothing marks as old.
  bool begins_with_old = false;
  // One text message whose answer proves that the other side is there; answered like an ack under `request_id` or by a
  // pong. May be null: it speaks often enough by itself.
  std::string (*probe)(std::uint64_t request_id) = nullptr;
  // Reads one message; fills `out` (cleared first).
  void (*parse)(std::string_view message, const SymbolTable& symbols, Parsed& out) = nullptr;

  // REST: the targets of the lists of instruments, of which the names wanted (upper case, maybe with * and ?) are a
  // part.
  std::vector<std::string> (*instruments_targets)(std::span<const std::string> wanted) = nullptr;
  // Whether the answer to one of them says that the exchange does not know what it was asked by (a currency, a family,
  // a symbol), and never will: its list is empty then. May be null: they are asked by nothing.
  bool (*is_unknown)(unsigned status, std::string_view body) = nullptr;
  // REST: the list of one instrument, for a name that is on none of those. May be null: they are whole.
  std::string (*instrument_target)(std::string_view name) = nullptr;
  Outcome<InstrumentPage> (*parse_instruments)(std::string_view body) = nullptr;

  // REST: the exchange's clock.
  std::string_view time_target = {};
  Outcome<Timestamp> (*parse_time)(std::string_view body) = nullptr;

  // How many history requests a minute we allow ourselves, over all markets of the same `weight_pool`: about half of
  // what the exchange allows, so that others on the same address live too.
  std::uint32_t history_per_minute = 0;
  std::string_view weight_pool = {};
  const History* history = nullptr;  // null: there is none
  const Candles* candles = nullptr;  // null: there are none

  // For recordings whose instrument list is missing or incomplete: the symbol of a trade message (empty if it is
  // none), and the facts that the exchange's own rules allow to know of it; false if they don't, or if it is of
  // another market.
  std::string (*symbol_of)(std::string_view message) = nullptr;
  // Whether a trade message has the form of this market's, where its symbol may be of several. May be null: it may.
  bool (*looks_like_ours)(std::string_view message) = nullptr;
  bool (*assume_instrument)(std::string_view symbol, std::span<const Instrument> listed, Instrument& out) = nullptr;

  // The channel that tells this kind of data, of trades that stream; null: it publishes no such data.
  [[nodiscard]] const DataChannel* channel(DataKind kind, Stream stream) const;
  // There is one for each stream.
  [[nodiscard]] const DataChannel& trades(Stream stream) const { return *channel(DataKind::trade, stream); }
  // What it publishes beside trades.
  [[nodiscard]] DataKinds beside_trades() const;
  // Which of an instrument's id series a stream has.
  [[nodiscard]] Series series_of(Stream stream) const { return trades(stream).series; }
  // Whether past trades can be had by their ids, or from a moment on, and be the same that this series has.
  [[nodiscard]] bool has_history_of(std::optional<Series> series) const {
    return history != nullptr && (history->by_id != nullptr || history->since != nullptr) && series == history->series;
  }
  [[nodiscard]] CandleFacts candle_facts() const { return candles != nullptr ? candles->facts : CandleFacts{}; }
  [[nodiscard]] bool has_taker_candles(Duration interval) const { return can_audit(interval) && candles->facts.takers; }
  [[nodiscard]] bool can_audit(Duration interval) const {
    return candles != nullptr && candles->find(interval) != nullptr;
  }
};

// Every market family there is; src/exchanges/registry.cpp.
[[nodiscard]] std::span<const Exchange* const> all_exchanges();
// nullptr if there is none.
[[nodiscard]] const Exchange* find_exchange(std::string_view name, Market market);

}  // namespace cvdd
