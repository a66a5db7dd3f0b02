#include "fields.hpp"

#include <algorithm>
#include <cstring>

namespace cvdd::fields {

namespace {
// Days since 1970-01-01 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = y / 400, year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// So many digits, or a negative number.
template <std::size_t count>
int digits(const char* at) {
  int n = 0, wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = at[i] - '0';
    wrong |= digit | (9 - digit);  // negative if it is none
    n = n * 10 + digit;
  }
  return wrong < 0 ? -1 : n;
}

// The number that eight hexadecimal digits are, all at once; whether they are such is added to `wrong`, a bit for each.
std::uint64_t eight_hex(const char* first_four, const char* last_four, std::uint64_t& wrong) {
  std::uint64_t v = 0;
  std::memcpy(&v, first_four, 4);
  std::memcpy(reinterpret_cast<char*>(&v) + 4, last_four, 4);
  constexpr std::uint64_t ones = 0x0101010101010101, high = 0x80 * ones;
  const std::uint64_t low = v & ~high;
  const std::uint64_t digit = low ^ (0x30 * ones), letter = (low | (0x20 * ones)) ^ (0x60 * ones);
  const std::uint64_t no_digit = digit + 0x76 * ones;                                // more than 9
  const std::uint64_t no_letter = (letter + 0x79 * ones) | ~(letter + 0x7F * ones);  // more than 6, or 0
  wrong |= (v | (no_digit & no_letter)) & high;
  std::uint64_t n = (v & (0x0F * ones)) + ((v >> 6U) & ones) * 9;
  n = (n << 4U | n >> 8U) & 0x00FF00FF00FF00FF;
  n = (n << 8U | n >> 16U) & 0x0000FFFF0000FFFF;
  return (n << 16U | n >> 32U) & 0xFFFFFFFF;
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
  const char* const at = s.data();
  const int year = digits<4>(at), month = digits<2>(at + 5), day = digits<2>(at + 8);
  const int hour = digits<2>(at + 11), minute = digits<2>(at + 14), second = digits<2>(at + 17);
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
  return Timestamp{((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60'000'000 +
                   std::int64_t{second} * 1'000'000 + fraction};
}

std::optional<Timestamp> seconds_since_1970(const Scalar& field) {
  constexpr Int128 year_2250_us = 8'835'984'000'000'000;
  const auto time = is_decimal_kind(field) ? parse_decimal(field.text) : std::nullopt;
  const auto us = time ? multiply(*time, {1'000'000, 0}) : std::nullopt;
  if (!us || !us->is_positive()) return std::nullopt;
  Int128 whole = us->mantissa;
  for (unsigned i = 0; i < us->scale; ++i) whole /= 10;
  if (whole <= 0 || whole > year_2250_us) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(whole)};
}

bool read_uuid(std::string_view text, Trade& trade) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  const char* const at = text.data();
  std::uint64_t wrong = 0;
  const std::uint64_t parts[] = {eight_hex(at, at + 4, wrong), eight_hex(at + 9, at + 14, wrong),
                                 eight_hex(at + 19, at + 24, wrong), eight_hex(at + 28, at + 32, wrong)};
  if (wrong != 0) return false;
  trade.id_high = parts[0] << 32U | parts[1];
  trade.id = parts[2] << 32U | parts[3];
  trade.name = *IdText::from(text);
  return true;
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
