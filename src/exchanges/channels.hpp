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
  // The symbol by which the message as a whole names an instrument, empty if it does not. Asked for only when a row is
  // refused.
  std::string_view (*topic)(const void* head);
  const void* head;
  Parsed& out;
  std::uint32_t count = 0;  // of all rows, refused ones too
  // What the message as a whole is about, if it is wanted.
  [[nodiscard]] const Instrument* instrument() const {
    const std::string_view symbol = topic(head);
    return symbol.empty() ? nullptr : fields::wanted(symbols, symbol);
  }
};

struct RowReader {
  // Takes every row of what should be an array; false if that is no JSON.
  bool (*read)(json::Value rows, unsigned depth, Rows& to);
  // The short way, which fails at the first surprise too; null: there is none.
  bool (*read_plain)(json::Plain rows, unsigned depth, Rows& to);
  // What should stand there. An object is a row itself.
  json::Scalar::Kind shape = json::Scalar::Kind::array;
};

namespace channels {

// One row. A `Row` has the Scalar `symbol`, unless the message as a whole names the instrument, and, of trades,
// `when()`, its own time if that can be read, which is asked for only when the row is refused; `read(row, instrument,
// value)` makes the value that it tells. A row that is refused may have been a trade of the instrument that it names,
// or else of the one that the whole message is about; what is no trade never makes trades doubtful.
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
  const Instrument* instrument = nullptr;
  if constexpr (requires { row.symbol; }) {
    if (!row.symbol.is_string()) return refuse(Refusal::bad_field, to.instrument());
    instrument = fields::wanted(to.symbols, row.symbol.text);
  } else {
    instrument = to.instrument();
  }
  if (instrument == nullptr) return refuse(Refusal::unknown_symbol, to.instrument());
  Value& value = to.out.add<Value>();
  const Refusal refusal = read(row, *instrument, value);
  if (refusal == Refusal::none) return;
  to.out.take_back<Value>();
  refuse(refusal, instrument);
}

// What a message of trades without a row means: nothing, if its list is there and empty.
inline void take_none(const json::Scalar& list, Rows& to, json::Scalar::Kind shape = json::Scalar::Kind::array) {
  to.out.ignored = shape == json::Scalar::Kind::array && list.is(shape);
  if (!to.out.ignored) to.out.refuse(Refusal::bad_field, to.instrument());
}

template <const auto& slots, auto read, class Text>
inline bool read_rows(Text rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth, [&](Text item) {
    json::RowOf<slots> row;
    if (!json::read_fields<slots>(item, depth + 1, row)) return false;
    take_row(row, read, to);
    return true;
  });
}

// The value is a row itself.
template <const auto& slots, auto read, class Text>
inline bool read_row(Text value, unsigned depth, Rows& to) {
  json::RowOf<slots> row;
  if (!json::read_fields<slots>(value, depth, row)) return false;
  take_row(row, read, to);
  return true;
}

// The messages of an exchange that puts rows into a list. `Message` says how:
//   Head                            the fields beside the list, Scalars; `rows` is there for the list itself
//   field(key, value, head, rows)   takes one field of the outermost object; gives the list to `rows(value, depth)`
//   channel_of(head)                whose frame it is; null: it is none
//   topic(head)                     the field by which the frame as a whole names an instrument …
//   symbol_in(topic)                … and the symbol in it; empty: none
//   other(message, head, symbols, out)  any other message; the reason if it is not understood
template <class Message>
std::string_view symbol_in_head(const void* head) {
  return Message::symbol_in(fields::text(Message::topic(*static_cast<const typename Message::Head*>(head))));
}

// The short way needs the head in front of the rows, as exchanges put it. False: it was a surprise, and `out` may hold
// anything.
template <class Message>
CVDD_FAST_PATH bool parse_plain(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  plain::Cursor at(message);
  typename Message::Head head;
  Rows rows{symbols, symbol_in_head<Message>, &head, out};
  const DataChannel* channel = nullptr;
  std::string_view topic;
  const auto take = [&](json::Plain list, unsigned depth) {
    head.rows.kind = json::kind_of(list);
    if (channel != nullptr) return false;
    channel = Message::channel_of(head);
    topic = Message::topic(head).text;
    if (channel == nullptr) return json::skip(list, depth);
    return channel->rows->read_plain != nullptr && channel->rows->read_plain(list, depth, rows);
  };
  const auto field = [&](std::string_view key, json::Plain v) { return Message::field(key, v, head, take); };
  if (!json::each_field(json::Plain{&at}, 0, field) || !at.at_end()) return false;
  // What stands behind the rows may say that they are somebody else's.
  if (Message::channel_of(head) != channel) return false;
  if (channel != nullptr) return Message::topic(head).text.data() == topic.data() && rows.count > 0;
  const Refusal refusal = Message::other(message, head, symbols, out);
  if (refusal != Refusal::none) out.refuse(refusal, nullptr);
  return true;
}

// The long way reads the head first, wherever its fields stand, and then the rows as its channel has them.
template <class Message>
[[gnu::noinline]] void parse_any(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  thread_local std::string topic;
  typename Message::Head head;
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
  topic = Message::symbol_in(
      fields::text(Message::topic(head)));  // the second reading takes the place of what the first one read
  const auto topic_there = [](const void* text) { return std::string_view(*static_cast<const std::string*>(text)); };
  Rows rows{symbols, topic_there, &topic, out};
  if (head.rows.is(channel->rows->shape)) {
    typename Message::Head again;
    const auto take = [&](json::Value list, unsigned depth) { return channel->rows->read(list, depth, rows); };
    (void)json::read_message(reader, message,
                             [&](std::string_view key, json::Value v) { return Message::field(key, v, again, take); });
  }
  if (rows.count == 0) take_none(head.rows, rows, channel->rows->shape);
}

template <class Message>
void parse(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  out.clear();
  if (parse_plain<Message>(message, symbols, out)) return;
  out.clear();
  parse_any<Message>(message, symbols, out);
}

// The channel of a topic like "trades.BTC-PERPETUAL", that begins with its name and a point.
template <std::size_t N>
[[nodiscard]] inline const DataChannel* in_front_of(const DataChannel (&channels)[N], std::string_view topic) {
  for (const DataChannel& channel : channels) {
    const std::size_t size = channel.name.size();
    if (topic.size() > size && topic[size] == '.' && topic.starts_with(channel.name)) return &channel;
  }
  return nullptr;
}
// The channel of this name, of an exchange's table; null if there is none.
template <std::size_t N>
[[nodiscard]] inline const DataChannel* named(const DataChannel (&channels)[N], std::string_view name) {
  for (const DataChannel& channel : channels) {
    if (channel.name == name) return &channel;
  }
  return nullptr;
}

}  // namespace channels

namespace channels {
template <const auto& slots, auto read>
CVDD_FAST_PATH bool read_plain_rows(json::Plain rows, unsigned depth, Rows& to) {
  return read_rows<slots, read>(rows, depth, to);
}
template <const auto& slots, auto read>
CVDD_FAST_PATH bool read_plain_row(json::Plain row, unsigned depth, Rows& to) {
  return read_row<slots, read>(row, depth, to);
}
}  // namespace channels

// How a channel's rows are read: by the table of their fields, and by what makes a value of one.
template <const auto& slots, auto read>
constexpr RowReader rows{channels::read_rows<slots, read, json::Value>, channels::read_plain_rows<slots, read>};
// … where a frame has one row instead of a list of them.
template <const auto& slots, auto read>
constexpr RowReader one_row{channels::read_row<slots, read, json::Value>, channels::read_plain_row<slots, read>,
                            json::Scalar::Kind::object};

}  // namespace cvdd
