// What all simulated exchanges do alike: find instruments, list them, write rows, read requests and describe what is on
// the tape. What each says and minds is in its own file. Text in, text out; any thread.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/sim/protocol.hpp"
#include "text.hpp"

namespace cvdd::sim {

#define EXCHANGE(name) [[nodiscard]] const Protocol& simulated_##name();
#include "cvdd/exchanges/all.inc"
#undef EXCHANGE

// How an exchange names the instruments of one market: "{}" stands for the base currency.
struct Description {
  Market market;
  std::string_view symbol, quote, settle;
};

// A protocol whose markets are described by a table.
class Simulated : public Protocol {
 public:
  // All live as long as the program.
  Simulated(std::string_view name, std::span<const Description> descriptions);
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::span<const Market> markets() const override { return markets_; }
  void describe(TapeInstrument& made) const override;

 protected:
  // What else is special about an instrument that has its names already.
  virtual void complete(TapeInstrument& made) const = 0;

 private:
  std::string_view name_;
  std::span<const Description> descriptions_;
  std::vector<Market> markets_;
};

// An instrument on the tape, or nothing.
struct Found {
  const Tape* tape = nullptr;
  std::size_t index = Tape::npos;
  explicit operator bool() const { return index != Tape::npos; }
  [[nodiscard]] const TapeInstrument& operator*() const { return tape->instruments()[index]; }
  [[nodiscard]] const TapeInstrument* operator->() const { return &tape->instruments()[index]; }
  [[nodiscard]] std::span<const TapeTrade> trades() const { return tape->trades(index); }
  [[nodiscard]] std::span<const TapeTrade> history() const { return tape->history(index); }
  // Bars of a minute that begin in [from, to] and have begun by `now`; empty if the tape has no such instrument.
  [[nodiscard]] std::vector<TapeCandle> candles(Timestamp from, Timestamp to, Timestamp now, std::size_t most) const;
};
// In this market; `tape` may be null.
[[nodiscard]] Found find(const Tape* tape, std::string_view exchange, std::optional<Market> market,
                         std::string_view symbol);
// In the first market that has it.
[[nodiscard]] Found find(const Tape* tape, const Protocol& protocol, std::string_view symbol);
// A moment given in milliseconds; 0 if it is not.
[[nodiscard]] Timestamp moment(const Address& address, std::string_view name);

// Texts with a comma between them; empty ones are left out.
class Rows {
 public:
  void add(std::string_view row) {
    if (row.empty()) return;
    if (!text_.empty()) text_ += ',';
    text_ += row;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};
template <class Range, class ToRow>
[[nodiscard]] std::string rows(const Range& range, ToRow&& to_row) {
  Rows out;
  for (const auto& item : range) out.add(to_row(item));
  return out.text();
}
template <class Range, class ToRow>
[[nodiscard]] std::string rows_backward(const Range& range, ToRow&& to_row) {
  Rows out;
  for (auto item = range.rbegin(); item != range.rend(); ++item) out.add(to_row(*item));
  return out.text();
}
// Rows of an exchange's instruments; `to_row` gives an empty one for those that were not asked for.
template <class ToRow>
[[nodiscard]] std::string listing(const Tape* tape, std::string_view exchange, ToRow&& to_row) {
  if (tape == nullptr) return {};
  return rows(tape->instruments(), [&](const TapeInstrument& what) {
    return what.instrument.exchange == exchange ? to_row(what) : std::string();
  });
}
[[nodiscard]] inline std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }
// The smallest step of prices, of sizes.
[[nodiscard]] inline std::string tick_text(const TapeInstrument& what) {
  return fixed(1, what.price_decimals, what.price_decimals);
}
[[nodiscard]] inline std::string step_text(const TapeInstrument& what) {
  return fixed(1, what.size_decimals, what.size_decimals);
}
[[nodiscard]] inline std::string_view taker(const TapeTrade& trade, std::string_view buy, std::string_view sell) {
  return trade.buyer_is_maker ? sell : buy;
}

// What a client said, if it is a JSON object; good until the parser reads the next.
[[nodiscard]] std::optional<simdjson::dom::element> object_in(simdjson::dom::parser& parser, std::string_view text);
// The strings of a list; what is no string is left out. Empty if there is no list.
[[nodiscard]] std::optional<std::vector<std::string>> strings_in(
    simdjson::simdjson_result<simdjson::dom::element> list);
[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace cvdd::sim
