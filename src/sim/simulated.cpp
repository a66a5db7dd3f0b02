#include "simulated.hpp"

namespace cvdd::sim {

namespace {
std::string named(std::string_view pattern, std::string_view base) {
  std::string out(pattern);
  if (const auto at = out.find("{}"); at != out.npos) out.replace(at, 2, base);
  return out;
}
}  // namespace

Simulated::Simulated(std::string_view name, std::span<const Description> descriptions)
    : name_(name), descriptions_(descriptions) {
  for (const Description& description : descriptions) markets_.push_back(description.market);
}

void Simulated::describe(TapeInstrument& made) const {
  Instrument& what = made.instrument;
  const Description& description = *std::ranges::find(descriptions_, what.market, &Description::market);
  what.symbol = named(description.symbol, what.base);
  what.quote = named(description.quote, what.base);
  what.settle = named(description.settle, what.base);
  complete(made);
}

std::vector<TapeCandle> Found::candles(Timestamp from, Timestamp to, Timestamp now, std::size_t most) const {
  if (index == Tape::npos) return {};
  return tape_candles(*tape, index, from, to, now, seconds(60), most);
}

Found find(const Tape* tape, std::string_view exchange, std::optional<Market> market, std::string_view symbol) {
  if (tape == nullptr || !market) return {};
  return {tape, tape->find(exchange, *market, symbol)};
}

Found find(const Tape* tape, const Protocol& protocol, std::string_view symbol) {
  for (const Market market : protocol.markets()) {
    if (const Found found = find(tape, protocol.name(), market, symbol)) return found;
  }
  return {};
}

Timestamp moment(const Address& address, std::string_view name) {
  return {static_cast<std::int64_t>(address.number(name, 0)) * 1'000};
}

std::optional<simdjson::dom::element> object_in(simdjson::dom::parser& parser, std::string_view text) {
  simdjson::dom::element message;
  const bool good = parser.parse(text.data(), text.size()).get(message) == simdjson::SUCCESS && message.is_object();
  return good ? std::optional(message) : std::nullopt;
}

std::optional<std::vector<std::string>> strings_in(simdjson::simdjson_result<simdjson::dom::element> list) {
  simdjson::dom::array items;
  if (list.get(items) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> out;
  for (const simdjson::dom::element item : items) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS) out.emplace_back(text);
  }
  return out;
}

}  // namespace cvdd::sim
