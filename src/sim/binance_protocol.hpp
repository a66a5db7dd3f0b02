// What a simulated Binance says, as pure functions: text in, text out. No clock, no network; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/tape.hpp"

namespace cvdd::sim::binance {

// Which door of the USD-M host a WebSocket came through. Spot and COIN-M have one door only: `plain`.
enum class Door : std::uint8_t { plain, market, open };  // open: "/public"

// What a WebSocket's address asks for; empty if there is nothing at that address.
struct Entry {
  Door door = Door::plain;
  bool combined = false;
  std::vector<std::string> streams;
};
[[nodiscard]] std::optional<Entry> parse_entry(const Address& address);

// Whether a stream is ever delivered through this door: USD-M acknowledges the others and stays silent.
[[nodiscard]] bool delivers(Market market, Door door, std::string_view stream);

// A client's text message.
enum class Method : std::uint8_t { bad, subscribe, unsubscribe, list, set_property, get_property };
struct Request {
  Method method = Method::bad;
  std::vector<std::string> streams;
  std::string id = "null";  // as JSON
  bool combined = false;    // of set_property
  std::string error;        // the whole answer if bad
};
[[nodiscard]] Request parse_request(Market market, std::string_view text);
[[nodiscard]] std::string acknowledgement(std::string_view id);
[[nodiscard]] std::string stream_list(std::span<const std::string> streams, std::string_view id);
[[nodiscard]] std::string error_answer(Market market, int code, std::string_view message, std::string_view id);

// Topics are told apart by the market, since the same streams exist in each.
[[nodiscard]] std::string topic_name(Market market, std::string_view stream);

// As a market of this kind prints it: spot always with eight decimals.
[[nodiscard]] std::string price_of(const TapeInstrument& what, std::int64_t ticks);
[[nodiscard]] std::string size_of(const TapeInstrument& what, Int128 steps);

// Stream names and frames.
[[nodiscard]] std::string stream_name(const Instrument& instrument, std::string_view kind);
[[nodiscard]] std::string aggregate_frame(const TapeInstrument& what, const TapeTrade& trade, Timestamp event_time);
[[nodiscard]] std::string single_frame(const TapeInstrument& what, const TapeTrade& trade, std::uint64_t fill,
                                       Timestamp event_time);
// What stands beside the trades: the streams that tell it, and what they tell of a second; empty: nothing.
[[nodiscard]] std::span<const std::string_view> context_streams(Market market);
[[nodiscard]] std::string context_frame(const TapeInstrument& what, std::string_view stream, Timestamp second);
[[nodiscard]] Answer open_interest(const Address& address, const Tape& tape, Timestamp now);
[[nodiscard]] std::string wrapped(std::string_view stream, std::string_view data);

// `given`: an exchangeInfo body to serve instead of the tape's; `tape` may be null.
[[nodiscard]] Answer rest(const Address& address, const Tape* tape, std::string_view given, Timestamp now);
[[nodiscard]] std::string exchange_info(Market market, std::span<const TapeInstrument> instruments, Timestamp now);
[[nodiscard]] Answer aggregates(const Address& address, const Tape& tape, Timestamp now);
[[nodiscard]] Answer klines(const Address& address, const Tape& tape, Timestamp now);

// A made-up description of a symbol of which only the name is known, as for recordings.
[[nodiscard]] TapeInstrument describe(Market market, std::string_view symbol);

}  // namespace cvdd::sim::binance
