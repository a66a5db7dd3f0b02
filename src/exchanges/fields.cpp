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

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (plain) {
      out += c;
    } else {
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

const Instrument* wanted(const SymbolTable& symbols, std::string_view symbol) {
  const auto found = symbols.find(symbol);
  return found == symbols.end() ? nullptr : found->second;
}

void take_none(const Scalar& list, const Instrument* topic, Parsed& out) {
  out.ignored = list.is(Kind::array);
  if (!out.ignored) out.refuse(Refusal::bad_field, topic);
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
