#include "fields.hpp"

#include <algorithm>

namespace cvdd::fields {

std::optional<Decimal> decimal(const Scalar& field) { return parse_decimal(field.text); }

std::optional<std::uint64_t> integer(const Scalar& field) {
  if (!is_decimal_kind(field)) return std::nullopt;
  return parse_digits(field.text);
}

std::optional<std::uint64_t> number(const Scalar& field) {
  return field.is(Kind::number) ? integer(field) : std::nullopt;
}

std::string_view text(const Scalar& field) { return field.is_string() ? field.text : std::string_view{}; }

std::optional<Timestamp> milliseconds_since_1970(const Scalar& field) {
  constexpr std::uint64_t year_2250 = 8'835'984'000'000;
  const auto ms = integer(field);
  if (!ms || *ms == 0 || *ms > year_2250) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(*ms) * 1'000};
}

namespace {
// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400, year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// The digits [at, at + length), or -1.
std::int64_t digits(std::string_view text, std::size_t at, std::size_t length) {
  std::int64_t n = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return -1;
    n = n * 10 + (c - '0');
  }
  return n;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

std::optional<Timestamp> iso_time(const Scalar& field) {
  std::string_view s = text(field);
  const std::string_view zone = s.ends_with("+00:00") ? "+00:00" : "Z";
  if (!s.ends_with(zone)) return std::nullopt;
  s.remove_suffix(zone.size());
  if (s.size() < 19 || s.size() > 34 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':') {
    return std::nullopt;
  }
  const std::int64_t year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
  const std::int64_t hour = digits(s, 11, 2), minute = digits(s, 14, 2), second = digits(s, 17, 2);
  if (year < 1971 || year > 2250 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  std::int64_t fraction = 0, unit = 1'000'000;
  if (s.size() > 19 && s[19] == '.') {
    for (const char c : s.substr(20)) {
      if (c < '0' || c > '9') return std::nullopt;
      unit /= 10;
      fraction += (c - '0') * unit;
    }
  } else if (s.size() != 19) {
    return std::nullopt;
  }
  return Timestamp{((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60'000'000 + second * 1'000'000 +
                   fraction};
}

bool read_uuid(std::string_view text, Trade& trade) {
  if (text.size() != 36) return false;
  std::uint64_t halves[2] = {0, 0};
  unsigned read = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const int digit = hex_digit(text[i]);
    if (dash ? text[i] != '-' : digit < 0) return false;
    if (dash) continue;
    std::uint64_t& half = halves[read++ / 16];
    half = half * 16 + static_cast<std::uint64_t>(digit);
  }
  trade.id_high = halves[0];
  trade.id = halves[1];
  trade.name = *IdText::from(text);
  return true;
}

std::optional<Aggressor> aggressor(const Scalar& field, std::string_view buy, std::string_view sell) {
  if (field.is_string(buy)) return Aggressor::buyer;
  if (field.is_string(sell)) return Aggressor::seller;
  return std::nullopt;
}

Refusal read_volume(const Scalar& price, const Scalar& size, Trade& trade) {
  if (!is_decimal_kind(price) || !is_decimal_kind(size)) return Refusal::bad_field;
  const auto p = decimal(price);
  const auto q = decimal(size);
  if (!p || !q || !p->is_positive() || !q->is_positive()) return Refusal::bad_number;
  trade.price = *p;
  return convert(trade, *q) ? Refusal::none : Refusal::overflow;
}

bool convert(Trade& trade, const Decimal& size) {
  const Decimal& contract = trade.instrument->contract_size;
  Decimal units = size;
  if (contract.mantissa != 1 || contract.scale != 0) {
    const auto product = multiply(size, contract);
    if (!product) return false;
    units = normalized(*product);
  }
  const bool inverse = trade.instrument->market == Market::inverse;
  const auto other = inverse ? divide_half_even(units, trade.price, 12) : multiply(units, trade.price);
  if (!other) return false;
  trade.base = inverse ? *other : units;
  trade.quote = inverse ? units : *other;
  return true;
}

bool usable_symbol(const Scalar& field) {
  return field.is(Kind::string) && !field.text.empty() && std::ranges::none_of(field.text, [](char c) {
           return c == ',' || c == '"' || (c >= 0 && c <= ' ') || c == 0x7f;
         });
}

bool assume_pair(std::string_view exchange, std::string_view symbol, char between, Instrument& out) {
  const auto at = symbol.find(between);
  if (at == symbol.npos || symbol.find(between, at + 1) != symbol.npos) return false;
  out = Instrument{};
  out.exchange = exchange;
  out.market = Market::spot;
  out.symbol = symbol;
  out.base = symbol.substr(0, at);
  out.quote = symbol.substr(at + 1);
  return true;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string quoted_topics(const DataChannel& channel, std::span<const Instrument* const> instruments) {
  std::vector<std::string> topics;
  std::string out;
  for (const Instrument* instrument : instruments) {
    std::string topic = channel.topic_of(*instrument);
    if (std::ranges::find(topics, topic) != topics.end()) continue;
    if (!topics.empty()) out += ',';
    out += in_quotes(topic);
    topics.push_back(std::move(topic));
  }
  return out;
}

const Instrument* wanted(const SymbolTable& symbols, std::string_view symbol) {
  const auto found = symbols.find(symbol);
  return found == symbols.end() ? nullptr : found->second;
}

void take_past(HistoryPage& out, const Trade& trade, Refusal refusal, std::optional<std::uint64_t> id,
               std::optional<Timestamp> time) {
  if (refusal == Refusal::none) {
    out.trades.push_back(trade);
  } else {
    out.refused.push_back({id.value_or(0), time.value_or(Timestamp{}), refusal});
  }
}

// Of one instrument, so all of one kind. Rows of one moment stay as they came.
void put_in_order(HistoryPage& page, bool newest_first) {
  if (newest_first) std::ranges::reverse(page.trades);
  if (page.trades.empty()) return;
  if (page.trades.front().instrument->ids == Ids::opaque) {
    std::ranges::stable_sort(page.trades, {}, &Trade::time);
  } else {
    std::ranges::stable_sort(page.trades, {}, &Trade::id);
  }
}

}  // namespace cvdd::fields
