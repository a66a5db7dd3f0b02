// What cvdd knows about an exchange: data and pure functions, one `const Exchange` per market family.
// Nothing here has state, a socket or a clock; sessions and the simulation drive the same functions.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cvdd/core/types.hpp"

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

// Answer to one of our requests. `id` is the request's.
struct Ack {
  std::uint64_t id = 0;
  bool ok = true;
  std::string error;  // the exchange's own words if not ok
};

// What one message turned out to be. Reused between calls so that nothing is allocated per message.
struct Parsed {
  std::vector<Trade> trades;
  std::vector<Ack> acks;
  bool closing_soon = false;       // the exchange announces that it will close the connection
  bool ignored = false;            // understood, and not needed (tickers, order books, …)
  std::uint32_t refused_rows = 0;  // rows that were refused, for the reason below
  Refusal refusal = Refusal::none;
  void clear() {
    trades.clear();
    acks.clear();
    closing_soon = ignored = false;
    refused_rows = 0;
    refusal = Refusal::none;
  }
};

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};
// Symbol as the exchange prints it in its messages → instrument.
using SymbolTable = std::unordered_map<std::string, const Instrument*, StringHash, std::equal_to<>>;

struct Limits {
  std::uint32_t instruments_per_connection = 0;  // with one trade stream each, see streams_per_instrument
  std::uint32_t instruments_per_request = 0;     // names in one subscribe message
  std::uint32_t messages_per_second = 0;         // what we may send on one connection, pongs included
  std::uint32_t connection_attempts = 0;         // per IP …
  Duration connection_attempts_window;           // … in this window
  Duration lifetime;                             // the exchange closes a connection of this age
  Duration server_ping_every;                    // the exchange pings this often
  Duration silence;                              // a busy connection quiet for this long is dead
};

// One market family of an exchange. All functions are pure and must not throw on any input.
struct Exchange {
  std::string_view name;  // "binance"
  Market market;
  std::span<const std::string_view> ws_hosts;    // "wss://host:port", tried in order
  std::span<const std::string_view> rest_hosts;  // "https://host"
  Limits limits;
  std::string_view region_note;  // what to do where the exchange refuses a region (403, 451)

  // Path and query of the WebSocket URL, appended to a host: "/stream".
  std::string (*ws_target)(Stream stream);
  // One text message that subscribes (unsubscribes) these instruments, acknowledged under `request_id`.
  std::string (*subscribe)(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t request_id);
  std::string (*unsubscribe)(std::span<const Instrument* const> instruments, Stream stream, std::uint64_t request_id);
  // One text message whose answer proves that the other side is there; answered like an ack under `request_id`.
  std::string (*probe)(std::uint64_t request_id);
  // Reads one message; fills `out` (cleared first).
  void (*parse)(std::string_view message, const SymbolTable& symbols, Parsed& out);

  // REST: the list of instruments. `parse_instruments` returns false and says why if the body is not one.
  std::string_view instruments_target;
  bool (*parse_instruments)(std::string_view body, std::vector<Instrument>& out, std::string& error);

  // REST: the exchange's clock. An empty target: it has none, and the local clock is believed.
  std::string_view time_target;
  bool (*parse_time)(std::string_view body, Timestamp& out);

  // How many history requests a minute we allow ourselves, over all markets of the same `weight_pool`: about half of
  // what the exchange allows, so that others on the same address live too.
  std::uint32_t history_per_minute = 0;
  std::string_view weight_pool;
  std::uint32_t history_page = 0;  // rows in one answer, at most

  // REST: up to `limit` aggregate trades from `from_id` on, oldest first; the answer read by `parse_history`.
  std::string (*history_target)(const Instrument& instrument, std::uint64_t from_id, std::uint32_t limit);
  bool (*parse_history)(std::string_view body, const Instrument& instrument, std::vector<Trade>& out,
                        std::string& error);

  // For recordings whose instrument list is missing or incomplete: the symbol of a trade message (empty if it is
  // none), and the facts that the exchange's own rules allow to know of it; false if they don't.
  std::string (*symbol_of)(std::string_view message);
  bool (*assume_instrument)(std::string_view symbol, std::span<const Instrument> listed, Instrument& out);
};

// Every market family there is; src/exchanges/registry.cpp.
[[nodiscard]] std::span<const Exchange* const> all_exchanges();
// nullptr if there is none.
[[nodiscard]] const Exchange* find_exchange(std::string_view name, Market market);

}  // namespace cvdd
