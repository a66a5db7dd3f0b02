#include "binance_protocol.hpp"

#include "simulated.hpp"

namespace cvdd::sim::binance {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The id as JSON, or empty if it is none that Binance takes.
std::string id_of(const simdjson::dom::element& message) {
  simdjson::dom::element id;
  if (message["id"].get(id) != simdjson::SUCCESS) return "null";
  if (id.is_null() || id.is_int64() || id.is_uint64()) return simdjson::minify(id);
  std::string_view text;
  auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  if (id.get(text) == simdjson::SUCCESS && text.size() <= 36 && std::ranges::all_of(text, plain))
    return fmt::format("\"{}\"", text);
  return {};
}

}  // namespace

std::string price_of(const TapeInstrument& what, std::int64_t ticks) {
  return fixed(ticks, what.price_decimals, what.instrument.market == Market::spot ? 8 : what.price_decimals);
}
std::string size_of(const TapeInstrument& what, Int128 steps) {
  return fixed(steps, what.size_decimals, what.instrument.market == Market::spot ? 8 : what.size_decimals);
}

std::optional<Entry> parse_entry(const Address& address) {
  if (!address.market) return std::nullopt;
  Entry entry;
  std::string_view path = address.path;
  if (*address.market != Market::spot) {
    if (eat(path, "/market"))
      entry.door = Door::market;
    else if (eat(path, "/public"))
      entry.door = Door::open;
  }
  if (eat(path, "/ws")) {
    entry.streams = split(path, '/');
    return entry;
  }
  if (path != "/stream") return std::nullopt;
  entry.combined = true;
  if (auto streams = address.parameter("streams")) entry.streams = split(*streams, '/');
  return entry;
}

bool delivers(Market market, Door door, std::string_view stream) {
  if (market == Market::spot || (market == Market::inverse && door == Door::plain)) return true;
  const bool of_book = stream.find("@depth") != stream.npos || stream.ends_with("@bookTicker");
  return door == (of_book || stream.ends_with("@trade") ? Door::open : Door::market);
}

Request parse_request(Market market, std::string_view text) {
  Request request;
  simdjson::dom::parser parser;
  simdjson::dom::element message;
  auto refuse = [&](int code, std::string_view why) {
    request.method = Method::bad;
    request.error = error_answer(market, code, why, request.id);
    return request;
  };
  if (parser.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS)
    return refuse(3, "Invalid JSON: expected value at line 1 column 1");
  if (!message.is_object()) return refuse(2, "Invalid request: expected an object");
  request.id = id_of(message);
  if (request.id.empty()) {
    request.id = "null";
    return refuse(2, "Invalid request: request ID must be an unsigned integer");
  }
  std::string_view method;
  if (message["method"].get(method) != simdjson::SUCCESS) return refuse(2, "Invalid request: missing field `method`");
  static constexpr std::pair<std::string_view, Method> methods[] = {{"LIST_SUBSCRIPTIONS", Method::list},
                                                                    {"SUBSCRIBE", Method::subscribe},
                                                                    {"UNSUBSCRIBE", Method::unsubscribe},
                                                                    {"SET_PROPERTY", Method::set_property},
                                                                    {"GET_PROPERTY", Method::get_property}};
  for (const auto& [name, value] : methods) {
    if (name == method) request.method = value;
  }
  if (request.method == Method::bad) {
    return refuse(2,
                  "Invalid request: unknown variant, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
                  "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`");
  }
  if (request.method == Method::list) return request;
  simdjson::dom::array parameters;
  if (message["params"].get(parameters) != simdjson::SUCCESS)
    return refuse(2, "Invalid request: missing field `params`");
  if (request.method == Method::set_property || request.method == Method::get_property) {
    std::string_view name;
    if (parameters.at(0).get(name) != simdjson::SUCCESS)
      return refuse(2, "Invalid request: property name must be a string");
    if (name != "combined") return refuse(0, "Unknown property");
    if (request.method == Method::set_property && parameters.at(1).get(request.combined) != simdjson::SUCCESS)
      return refuse(1, "Invalid value type: expected Boolean");
    return request;
  }
  for (simdjson::dom::element parameter : parameters) {
    std::string_view name;
    if (parameter.get(name) != simdjson::SUCCESS) return refuse(2, "Invalid request: invalid type: expected a string");
    request.streams.push_back(decoded(name));
  }
  return request;
}

std::string acknowledgement(std::string_view id) { return fmt::format(R"({{"result":null,"id":{}}})", id); }

std::string stream_list(std::span<const std::string> streams, std::string_view id) {
  return fmt::format(R"({{"result":[{}],"id":{}}})",
                     rows(streams,
                          [](const std::string& stream) {
                            std::string out = "\"";
                            for (const char c : stream) {
                              if (c == '"' || c == '\\') out += '\\';
                              if (static_cast<unsigned char>(c) >= 0x20) out += c;
                            }
                            return out + '"';
                          }),
                     id);
}

// Spot answers errors flat, futures nested; an id is only there if the request had one.
std::string error_answer(Market market, int code, std::string_view message, std::string_view id) {
  if (market != Market::spot) return fmt::format(R"({{"error":{{"code":{},"msg":"{}"}},"id":{}}})", code, message, id);
  if (id == "null") return fmt::format(R"({{"code":{},"msg":"{}"}})", code, message);
  return fmt::format(R"({{"code":{},"msg":"{}","id":{}}})", code, message, id);
}

std::string stream_name(const Instrument& instrument, std::string_view kind) {
  std::string name = instrument.symbol;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name.append("@").append(kind);
}

std::string aggregate_frame(const TapeInstrument& what, const TapeTrade& t, Timestamp event_time) {
  const Instrument& i = what.instrument;
  const std::string p = price_of(what, t.price_ticks), q = size_of(what, t.size_steps);
  if (i.market == Market::spot)
    return fmt::format(
        R"({{"e":"aggTrade","E":{},"s":"{}","a":{},"p":"{}","q":"{}","f":{},"l":{},"T":{},"m":{},"M":true}})",
        ms(event_time), i.symbol, t.id, p, q, t.first_fill, t.last_fill, ms(t.time), t.buyer_is_maker);
  return fmt::format(
      R"({{"e":"aggTrade","E":{},"a":{},"s":"{}","p":"{}","q":"{}","nq":"{}","f":{},"l":{},"T":{},"m":{},"st":{}}})",
      ms(event_time), t.id, i.symbol, p, q, q, t.first_fill, t.last_fill, ms(t.time), t.buyer_is_maker,
      i.market == Market::linear ? 1 : 2);
}

std::string single_frame(const TapeInstrument& what, const TapeTrade& t, std::uint64_t fill, Timestamp event_time) {
  const Instrument& i = what.instrument;
  const std::string p = price_of(what, t.price_ticks), q = size_of(what, fill_size(t, fill));
  if (i.market == Market::spot)
    return fmt::format(R"({{"e":"trade","E":{},"s":"{}","t":{},"p":"{}","q":"{}","T":{},"m":{},"M":true}})",
                       ms(event_time), i.symbol, fill, p, q, ms(t.time), t.buyer_is_maker);
  return fmt::format(R"({{"e":"trade","E":{},"T":{},"s":"{}","t":{},"p":"{}","q":"{}","X":"MARKET","m":{},"st":{}}})",
                     ms(event_time), ms(t.time), i.symbol, fill, p, q, t.buyer_is_maker,
                     i.market == Market::linear ? 1 : 2);
}

std::string wrapped(std::string_view stream, std::string_view data) {
  return fmt::format(R"({{"stream":"{}","data":{}}})", stream, data);
}

}  // namespace cvdd::sim::binance
