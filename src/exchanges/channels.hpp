// From a message to what it tells, by an exchange's table of channels. Used by the exchanges' files alone.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "cvdd/exchanges/exchange.hpp"
#include "fields.hpp"
#include "json.hpp"

namespace cvdd {

// The rows of one message on their way into what it tells.
struct Rows {
  const SymbolTable& symbols;
  std::string_view topic;  // the symbol by which the message as a whole names an instrument; empty: it does not
  Parsed& out;
  std::uint32_t count = 0;  // of all rows, refused ones too
  // What the message as a whole is about, if it is wanted.
  [[nodiscard]] const Instrument* instrument() const {
    return topic.empty() ? nullptr : fields::wanted(symbols, topic);
  }
};

struct RowReader {
  // Takes every row of what should be an array; false if that is no JSON.
  bool (*read)(json::Value rows, unsigned depth, Rows& to);
};

namespace channels {

// One row. A `Row` has the Scalar `symbol` and, of trades, `when()`, its own time if that can be read, which is asked
// for only when the row is refused; `read(row, instrument, value)` makes the value that it tells. A row that is refused
// may have been a trade of the instrument that it names, or else of the one that the whole message is about; what is no
// trade never makes trades doubtful.
template <class Row, class Value>
void take_row(const Row& row, Refusal (*read)(const Row&, const Instrument&, Value&), Rows& to) {
  const auto refuse = [&](Refusal why, const Instrument* of) {
    if constexpr (std::is_same_v<Value, Trade>) {
      if (of == nullptr && why == Refusal::unknown_symbol) return to.out.refuse(why);
      to.out.refuse(why, of, row.when().value_or(Timestamp{}));
    } else {
      to.out.refuse(why);
    }
  };
  ++to.count;
  if (!row.symbol.is_string()) return refuse(Refusal::bad_field, to.instrument());
  const Instrument* const instrument = fields::wanted(to.symbols, row.symbol.text);
  if (instrument == nullptr) return refuse(Refusal::unknown_symbol, to.instrument());
  Value value;
  const Refusal refusal = read(row, *instrument, value);
  if (refusal != Refusal::none) return refuse(refusal, instrument);
  to.out.add(value);
}

// What a message of trades without a row means: nothing, if its list is there and empty.
inline void take_none(const json::Scalar& list, Rows& to) {
  to.out.ignored = list.is(json::Scalar::Kind::array);
  if (!to.out.ignored) to.out.refuse(Refusal::bad_field, to.instrument());
}

template <const auto& slots, auto read, class Text>
bool read_rows(Text rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth, [&](Text item) {
    json::RowOf<slots> row;
    if (!json::read_fields(item, depth + 1, slots, row)) return false;
    take_row(row, read, to);
    return true;
  });
}

// The messages of an exchange that puts rows into a list. `Message` says how:
//   Head                            the fields beside the list, Scalars; `rows` is there for the list itself
//   field(key, value, head, rows)   takes one field of the outermost object; gives the list to `rows(value, depth)`
//   channel_of(head)                whose frame it is; null: it is none
//   symbol_of(head)                 the symbol by which the frame as a whole names an instrument
//   other(message, head, symbols, out)  any other message; the reason if it is not understood
// The head is read first, wherever its fields stand, and then the rows as its channel has them.
template <class Message>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local std::string topic;
  typename Message::Head head;
  out.clear();
  const auto pass_over = [&](json::Value list, unsigned depth) { return json::read(list, depth, head.rows); };
  const auto first = [&](std::string_view key, json::Value v) { return Message::field(key, v, head, pass_over); };
  if (const Refusal whole = json::read_message(reader, message, first); whole != Refusal::none) {
    return out.refuse(whole, nullptr);
  }
  const DataChannel* const channel = Message::channel_of(head);
  if (channel == nullptr) {
    const Refusal refusal = Message::other(message, head, symbols, out);
    if (refusal != Refusal::none) out.refuse(refusal, nullptr);
    return;
  }
  topic = Message::symbol_of(head);  // the second reading takes the place of what the first one read
  Rows rows{symbols, topic, out};
  if (head.rows.is(json::Scalar::Kind::array)) {
    typename Message::Head again;
    const auto take = [&](json::Value list, unsigned depth) { return channel->rows->read(list, depth, rows); };
    (void)json::read_message(reader, message,
                             [&](std::string_view key, json::Value v) { return Message::field(key, v, again, take); });
  }
  if (rows.count == 0) take_none(head.rows, rows);
}

// The channel of this name, of an exchange's table; null if there is none.
template <std::size_t N>
[[nodiscard]] const DataChannel* named(const DataChannel (&channels)[N], std::string_view name) {
  for (const DataChannel& channel : channels) {
    if (channel.name == name) return &channel;
  }
  return nullptr;
}

}  // namespace channels

// How a channel's rows are read: by the table of their fields, and by what makes a value of one.
template <const auto& slots, auto read>
constexpr RowReader rows{channels::read_rows<slots, read, json::Value>};

}  // namespace cvdd
