// What cvdd knows about an exchange: data and pure functions, one `const Exchange` per market family.
// Nothing here has state, a socket or a clock; sessions and the simulation drive the same functions.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Which of an exchange's trade streams is read (configuration key `stream`).
enum class Stream : std::uint8_t { aggregate, single };

// Why a message was not used. Counted by kind; never stops a connection.
enum class Refusal : std::uint8_t {
  none,
  not_json,        // broken or truncated
  not_understood,  // valid JSON of an unknown kind
  bad_field,       // a field is missing or of the wrong type
  bad_number,      // price or size is no number, zero, negative, or has too many digits
  unknown_symbol,  // a trade of an instrument we did not ask for
  wrong_market,    // the message says that it belongs to another market
  overflow,        // size conversion does not fit
  count_,
};
[[nodiscard]] std::string_view name_of(Refusal refusal);

// Answer to one of our requests. `topics` are what topic_of makes of instruments.
struct Ack {
  std::uint64_t id = 0;  // the request's; 0: the answer does not say, the oldest that fits is meant
  bool ok = true;
  std::vector<std::string> topics;  // what it speaks of; empty: of all the request asked for
  // What it means for the rest of the request, if it names some.
  enum class Rest : std::uint8_t {
    open,     // another answer comes for them
    refused,  // they are not served, and no other word will come
    again,    // they went down with those it names: to be asked for once more
  } rest = Rest::open;
  std::string error;       // the exchange's own words if not ok
  bool temporary = false;  // … and the request may be good another time (too many requests, internal error)
};

// The exchange says that this is its newest trade of the instrument.
struct Newest {
  const Instrument* instrument = nullptr;
  Series series = Series::single;
  std::uint64_t id = 0;
  Timestamp time;
};

// A row that can't be used although it is of an instrument that is wanted.
struct RefusedRow {
  const Instrument* instrument = nullptr;
  Timestamp time;  // the trade's; 0: it can't be read either
};

// What one message turned out to be. Reused between calls so that nothing is allocated per message.
struct Parsed {
  std::vector<Trade> trades;
  std::vector<Newest> newest;
  std::vector<Ack> acks;
  std::string reply;               // to be sent at once; empty: nothing
  bool pong = false;               // answers a probe, whichever
  bool closing_soon = false;       // the exchange announces that it will close the connection
  bool ignored = false;            // understood, and not needed (tickers, order books, …)
  std::uint32_t refused_rows = 0;  // rows that were refused, the last of them for the reason below
  Refusal refusal = Refusal::none;
  std::vector<RefusedRow> refused_of;  // those of them that name an instrument that is wanted
  // Something was refused that names nobody, or too much to list it all: it may have been a trade of any instrument of
  // this connection. False with an empty `refused_of`: what was refused was nobody's trade (of an instrument that was
  // not asked for, an unreadable heartbeat).
  bool refused_of_anybody = false;
  static constexpr std::size_t refused_of_max = 1'024;
  void refuse(Refusal why) {
    // That somebody else's row came along tells less than any other reason.
    if (refusal == Refusal::none || why != Refusal::unknown_symbol) refusal = why;
    ++refused_rows;
  }
  // … of this instrument; nullptr: of nobody knows which.
  void refuse(Refusal why, const Instrument* of, Timestamp time = {}) {
    refuse(why);
    if (of == nullptr || refused_of.size() == refused_of_max) {
      refused_of_anybody = true;
    } else {
      refused_of.push_back({of, time});
    }
  }
  // Trades, or nothing that anybody has to act on.
  [[nodiscard]] bool asks_nothing() const { return acks.empty() && reply.empty() && !pong && !closing_soon; }
  void clear() {
    trades.clear();
    newest.clear();
    acks.clear();
    reply.clear();
    pong = closing_soon = ignored = refused_of_anybody = false;
    refused_of.clear();
    refused_rows = 0;
    refusal = Refusal::none;
  }
};

// Of names of which most are short, and which nobody chooses in order to collide: an exchange lists them.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const {
    std::uint64_t first = 0, last = 0, hash = s.size();
    for (; s.size() > 16; s.remove_prefix(8)) hash = mix(hash, word(s.data(), 8));
    if (s.size() >= 8) {
      first = word(s.data(), 8);
      last = word(s.data() + s.size() - 8, 8);
    } else if (!s.empty()) {
      first = word(s.data(), s.size());
    }
    return mix(mix(hash, first), last);
  }

 private:
  static std::uint64_t word(const char* at, std::size_t size) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, size);
    return out;
  }
  static std::uint64_t mix(std::uint64_t hash, std::uint64_t with) {
    hash = (hash ^ with) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 32U;
  }
};
// Symbol as the exchange prints it in its messages → instrument.
using SymbolTable = boost::unordered_flat_map<std::string, const Instrument*, StringHash, std::equal_to<>>;

struct Limits {
  std::uint32_t instruments_per_connection = 0;  // with one trade stream each
  std::uint32_t instruments_per_request = 0;     // names in one subscribe message
  std::uint32_t messages_per_second = 0;         // what we may send on one connection, pongs included
  std::uint32_t connection_attempts = 0;         // per IP …
  Duration connection_attempts_window;           // … in this window
  Duration lifetime;                             // the exchange closes a connection of this age; 0: it does not
  Duration silence;                              // a busy connection without a trade for this long is dead
  std::uint32_t requests_per_hour = 0;           // subscriptions and the like on one connection; 0: no such limit
  Duration probe_every;                          // a sign of life is asked for this often; 0: only when it is quiet
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
  void clear() {
    trades.clear();
    refused.clear();
  }
};

// One page of an instrument list.
struct InstrumentPage {
  std::vector<Instrument> instruments;
  std::string next;  // to be appended to the target for the next page; empty: this was the last
};

// One market family of an exchange. All functions are pure and must not throw on any input. Those marked "may be null"
// are for what not every exchange has.
struct Exchange {
  std::string_view name;  // as in the symbol list
  Market market;
  std::span<const std::string_view> ws_hosts;    // "wss://host:port", tried in order
  std::span<const std::string_view> rest_hosts;  // "https://host"
  Limits limits;
  std::string_view region_note;  // what to do where the exchange refuses a region (403, 451)

  // Path and query of the WebSocket URL, appended to a host: "/stream".
  std::string (*ws_target)(Stream stream);
  // Another one that may carry the same, where nobody can say for sure which does: tried when a connection stayed
  // silent although all it asked for was acknowledged. May be null.
  std::string (*other_ws_target)(Stream stream);
  // Which of an instrument's id series that stream has, and its history.
  Series (*series_of)(Stream stream);
  Series history_series = Series::single;
  // A message to be sent first of all; may be null.
  std::string (*hello)(std::uint64_t request_id);
  // One text message that subscribes (unsubscribes) these instruments, acknowledged under `request_id`. Empty: there is
  // nothing to say.
  std::string (*subscribe)(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t request_id);
  std::string (*unsubscribe)(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t request_id);
  // By what an answer names an instrument. May be null: by its symbol.
  std::string (*topic_of)(const Instrument& instrument);
  // Its subscriptions bring trades of instruments that nobody asked for.
  bool delivers_unrequested = false;
  // One text message whose answer proves that the other side is there; answered like an ack under `request_id` or by a
  // pong. May be null: it speaks often enough by itself.
  std::string (*probe)(std::uint64_t request_id);
  // Reads one message; fills `out` (cleared first).
  void (*parse)(std::string_view message, const SymbolTable& symbols, Parsed& out);

  // REST: the targets of the lists of instruments, of which the names wanted (upper case, maybe with * and ?) are a
  // part.
  std::vector<std::string> (*instruments_targets)(std::span<const std::string> wanted);
  // Whether the answer to one of them says that the exchange does not know what it was asked by (a currency, a family,
  // a symbol), and never will: its list is empty then. May be null: they are asked by nothing.
  bool (*is_unknown)(unsigned status, std::string_view body);
  // REST: the list of one instrument, for a name that is on none of those. May be null: they are whole.
  std::string (*instrument_target)(std::string_view name);
  // Appends to `out`; false, with the reason, if the body is no such list. Instruments of other markets are left out.
  bool (*parse_instruments)(std::string_view body, InstrumentPage& out, std::string& error);

  // REST: the exchange's clock.
  std::string_view time_target;
  bool (*parse_time)(std::string_view body, Timestamp& out);

  // How many history requests a minute we allow ourselves, over all markets of the same `weight_pool`: about half of
  // what the exchange allows, so that others on the same address live too.
  std::uint32_t history_per_minute = 0;
  std::string_view weight_pool;
  std::uint32_t history_page = 0;  // rows in one answer, at most

  // Fewer rows than were asked for prove that there are no more. False: the answer may have been cut to the newest of
  // what was asked for; those before it are had by asking for as many rows as it gives.
  bool short_page_is_end = true;

  // REST: trades with ids from `from_id` up to `from_id + limit - 1`; older ones may come along. May be null: there is
  // no history by id.
  std::string (*history_target)(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit);
  // REST: the newest trades, where they can't be addressed; read by parse_history too. May be null.
  std::string (*recent_target)(const Instrument& instrument);
  // REST: the newest trade there is, in the smallest page, of the series that this stream has; read by parse_history
  // (more may come along). May be null.
  std::string (*newest_target)(const Instrument& instrument, Stream stream);
  // False, with the reason, if the body is no page of this instrument. An empty page is one.
  bool (*parse_history)(std::string_view body, const Instrument& instrument, HistoryPage& out, std::string& error);

  // REST: the oldest trades from a moment on, read by parse_history. May be null.
  std::string (*since_target)(const Instrument& instrument, Timestamp from, std::uint32_t limit);

  // REST: candles, of these lengths alone; candle_facts says what they tell. May be null.
  std::span<const Duration> candle_intervals;
  std::uint32_t candles_page = 0;  // in one answer, at most
  CandleFacts candle_facts;
  // Those that begin in [from, to); from the oldest there is if that is later. Others may come along, and the one of
  // the running bar unless the exchange marks it. `now` decides where old ones are to be had.
  std::string (*candles_target)(const Instrument& instrument, Timestamp from, Timestamp to, Duration interval,
                                Timestamp now);
  bool (*parse_candles)(std::string_view body, const Instrument& instrument, std::vector<Candle>& out,
                        std::string& error);
  [[nodiscard]] bool has_taker_candles(Duration interval) const { return candle_facts.takers && can_audit(interval); }
  [[nodiscard]] bool can_audit(Duration interval) const {
    return candles_target != nullptr &&
           std::find(candle_intervals.begin(), candle_intervals.end(), interval) != candle_intervals.end();
  }

  // For recordings whose instrument list is missing or incomplete: the symbol of a trade message (empty if it is
  // none), and the facts that the exchange's own rules allow to know of it; false if they don't, or if it is of
  // another market.
  std::string (*symbol_of)(std::string_view message);
  // Whether a trade message has the form of this market's, where its symbol may be of several. May be null: it may.
  bool (*looks_like_ours)(std::string_view message);
  bool (*assume_instrument)(std::string_view symbol, std::span<const Instrument> listed, Instrument& out);
};

// Every market family there is; src/exchanges/registry.cpp.
[[nodiscard]] std::span<const Exchange* const> all_exchanges();
// nullptr if there is none.
[[nodiscard]] const Exchange* find_exchange(std::string_view name, Market market);

}  // namespace cvdd
