#include "cvdd/sim/protocol.hpp"

#include <algorithm>
#include <charconv>

#include "simulated.hpp"

namespace cvdd::sim {

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string_view> Address::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::uint64_t Address::number(std::string_view name, std::uint64_t otherwise) const {
  const auto text = parameter(name);
  std::uint64_t value = 0;
  if (!text || text->size() > 18) return otherwise;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc{} && end == text->data() + text->size() ? value : otherwise;
}

bool eat(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  if (path.size() > prefix.size() && path[prefix.size()] != '/') return false;
  path.remove_prefix(prefix.size());
  return true;
}

std::vector<TapeCandle> tape_candles(const Tape& tape, std::size_t index, Timestamp from, Timestamp to, Timestamp now,
                                     Duration interval, std::size_t most) {
  std::vector<TapeCandle> out;
  const TapeInstrument& what = tape.instruments()[index];
  const auto price = [&](std::int64_t ticks) { return fixed(ticks, what.price_decimals, what.price_decimals); };
  Timestamp time = bar_start(from, interval);
  if (time < from) time = time + interval;
  for (; time <= to && time <= now && out.size() < most; time = time + interval) {
    const TapeBar bar = tape.bar(index, time, interval);
    const Int128 steps = bar.buy_size + bar.sell_size;
    out.push_back({time, price(bar.open), price(bar.high), price(bar.low), price(bar.close), steps,
                   fixed(steps, what.size_decimals, what.size_decimals), bar.buys + bar.sells});
  }
  return out;
}

Address parse_address(std::string_view target, std::string_view host) {
  Address result;
  result.host = host;
  if (const auto end = target.find('\n'); end != target.npos) {
    result.body = target.substr(end + 1);
    target = target.substr(0, end);
  }
  const auto question = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, question);
  std::string_view rest = target.substr(std::min(question + 1, target.size()));
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    const auto equals = std::min(part.find('='), part.size());
    result.query.emplace_back(part.substr(0, equals), equals < part.size() ? decoded(part.substr(equals + 1)) : "");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const Protocol* protocol : protocols()) {
    for (const Market market : protocol->markets()) {
      const std::string prefix = "/" + std::string(protocol->name()) + "/" + std::string(name_of(market));
      if (!eat(path, prefix)) continue;
      result.exchange = protocol->name();
      result.market = market;
    }
  }
  result.path = decoded(path);
  return result;
}

std::span<const Protocol* const> protocols() {
  static const std::vector<const Protocol*> all{
#define EXCHANGE(name) &simulated_##name(),
#include "cvdd/exchanges/all.inc"
#undef EXCHANGE
  };
  return all;
}

const Protocol* find_protocol(std::string_view name) {
  const auto found = std::ranges::find(protocols(), name, &Protocol::name);
  return found == protocols().end() ? nullptr : *found;
}

const Protocol* owner_of(Address& address) {
  if (!address.exchange.empty()) return find_protocol(address.exchange);
  for (const Protocol* protocol : protocols()) {
    if (protocol->owns(address)) return protocol;
  }
  return nullptr;
}

std::string fixed(Int128 value, unsigned scale, unsigned decimals) {
  std::string digits;
  const bool negative = value < 0;
  for (Int128 rest = negative ? -value : value; rest > 0; rest /= 10)
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  while (digits.size() < scale + 1U) digits += '0';
  std::ranges::reverse(digits);
  std::string fraction = digits.substr(digits.size() - scale);
  fraction.resize(decimals, '0');
  digits.resize(digits.size() - scale);
  if (negative) digits.insert(digits.begin(), '-');
  return decimals == 0 ? digits : digits + '.' + fraction;
}

std::string price_text(const TapeInstrument& what, const TapeTrade& trade) {
  return fixed(trade.price_ticks, what.price_decimals, what.price_decimals);
}

std::string size_text(const TapeInstrument& what, std::int64_t steps) {
  return fixed(steps, what.size_decimals, what.size_decimals);
}

std::span<const TapeTrade> with_times(std::span<const TapeTrade> trades, Timestamp from, Timestamp to) {
  const auto begin = std::ranges::lower_bound(trades, from, {}, &TapeTrade::time);
  const auto end = std::ranges::lower_bound(trades, to, {}, &TapeTrade::time);
  return begin < end ? std::span(begin, end) : std::span<const TapeTrade>();
}

std::span<const TapeTrade> with_ids(std::span<const TapeTrade> trades, std::uint64_t first, std::uint64_t last) {
  const auto from = std::ranges::lower_bound(trades, first, {}, &TapeTrade::id);
  const auto to = std::ranges::upper_bound(trades, last, {}, &TapeTrade::id);
  return from < to ? std::span(from, to) : std::span<const TapeTrade>();
}

}  // namespace cvdd::sim
