#include "candles.hpp"

#include <algorithm>

#include "fields.hpp"

namespace cvdd::candles {

namespace {
constexpr unsigned decimals_of_sums = 8;

std::optional<Decimal> sum(const json::Scalar& field) {
  if (!fields::is_decimal_kind(field)) return std::nullopt;
  const auto read = parse_sum(field.text);
  if (!read || read->is_negative()) return std::nullopt;
  if (read->scale <= decimals_of_sums) return normalized(*read);
  const auto rounded = divide_half_even(*read, {1, 0}, decimals_of_sums);
  return rounded ? std::optional(normalized(*rounded)) : std::nullopt;
}

// Within a millionth: what an exchange may have rounded.
bool nearly(const Decimal& a, const Decimal& b) {
  const auto apart = subtract(a, b);
  const auto often = apart ? multiply(apart->is_negative() ? negate(*apart) : *apart, {1'000'000, 0}) : std::nullopt;
  return often && *often <= a;
}

bool make_candle(const std::vector<json::Scalar>& row, const Columns& c, const Instrument& instrument, Candle& out) {
  if (row.size() <= std::max({c.time, c.open, c.high, c.low, c.close, c.volume})) return false;
  const auto time = fields::integer(row[c.time]);
  const auto open = sum(row[c.open]), high = sum(row[c.high]), low = sum(row[c.low]), close = sum(row[c.close]);
  const auto volume = sum(row[c.volume]);
  constexpr std::uint64_t year_2250_us = 8'835'984'000'000'000;
  if (!time || *time > year_2250_us / static_cast<std::uint64_t>(c.time_unit_us)) return false;
  if (!open || !high || !low || !close || !volume) return false;
  auto units = multiply(*volume, instrument.contract_size);
  if (!units) return false;
  if (c.units != 0 && row.size() > c.units) {
    const auto said = sum(row[c.units]);
    if (!said) return false;
    if (!nearly(*units, *said)) units = said;
  }
  if (c.fills != 0) {
    const auto fills = row.size() > c.fills ? fields::integer(row[c.fills]) : std::nullopt;
    if (!fills) return false;
    out.fills = *fills;
  }
  out.time = {static_cast<std::int64_t>(*time) * c.time_unit_us};
  out.open = *open, out.high = *high, out.low = *low, out.close = *close;
  (instrument.market == Market::inverse ? out.quote : out.base) = normalized(*units);
  return true;
}
}  // namespace

bool read_row(json::ondemand::value value, unsigned depth, std::vector<json::Scalar>& out) {
  return json::each_item(value, depth, [&](json::ondemand::value cell) {
    out.emplace_back();
    return json::read(cell, depth + 1, out.back());
  });
}

bool read_cells(json::ondemand::value value, unsigned depth, Cells& out) {
  return json::each_item(value, depth, [&](json::ondemand::value item) {
    out.emplace_back();
    return read_row(item, depth + 1, out.back());
  });
}

Outcome<std::vector<Candle>> read(const Cells& rows, const Columns& columns, const Instrument& instrument) {
  std::vector<Candle> out;
  for (const auto& row : rows) {
    if (columns.closed != 0 && row.size() > columns.closed && row[columns.closed].is_string("0")) continue;
    Candle candle;
    if (!make_candle(row, columns, instrument, candle)) {
      return Failure{"candle " + std::to_string(out.size()) + " is none"};
    }
    out.push_back(candle);
  }
  std::ranges::sort(out, {}, &Candle::time);
  return out;
}

}  // namespace cvdd::candles
