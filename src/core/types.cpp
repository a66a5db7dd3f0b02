#include "cvdd/core/types.hpp"

#include <limits>

namespace cvdd {

namespace {
constexpr std::array<std::string_view, 4> market_names{"spot", "linear", "inverse", "option"};
constexpr std::array<std::string_view, 5> status_names{"gap", "partial", "history", "repaired", "live"};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}
}  // namespace

std::string_view name_of(Market market) { return market_names[static_cast<std::size_t>(market)]; }
std::optional<Market> market_from(std::string_view name) { return find_name<Market>(market_names, name); }
std::string_view name_of(BarStatus status) { return status_names[static_cast<std::size_t>(status)]; }
std::optional<BarStatus> bar_status_from(std::string_view name) { return find_name<BarStatus>(status_names, name); }

namespace {
constexpr std::int64_t time_limit_us = std::int64_t{1} << 54;  // the year 2540
}

Record Record::mark(RecordKind kind, std::uint32_t instrument, Timestamp time, std::uint64_t id, std::uint64_t count) {
  Record r;
  r.kind_ = static_cast<std::uint64_t>(kind) & 0x7;
  r.instrument_ = instrument & 0xFFFFFU;
  r.time_us_ = static_cast<std::uint64_t>(time.us) & (static_cast<std::uint64_t>(time_limit_us) - 1);
  r.id_ = id;
  r.base_ = static_cast<Int128>(count);
  return r;
}

std::optional<Record> Record::from(const Trade& trade) {
  if (trade.instrument == nullptr || trade.time.us < 0 || trade.time.us >= time_limit_us) return std::nullopt;
  RecordKind kind = RecordKind::trade;
  if (trade.placeholder) {
    kind = RecordKind::placeholder;
  } else if (!trade.in_cvd || trade.aggressor == Aggressor::unknown) {
    kind = RecordKind::other;
  }
  const Decimal& p = trade.price;
  if (p.mantissa > std::numeric_limits<std::int64_t>::max() || p.mantissa < 0 || p.scale > 31) return std::nullopt;
  if (trade.base.scale > decimal_scale_max || trade.quote.scale > decimal_scale_max) return std::nullopt;
  Record r = mark(kind, trade.instrument->id, trade.time, trade.id);
  r.fills_ = trade.fills;
  r.aggressor_ = static_cast<std::uint64_t>(trade.aggressor) & 0x3;
  r.price_ = static_cast<std::int64_t>(p.mantissa);
  r.price_scale_ = p.scale & 0x1FU;
  r.base_ = trade.base.mantissa;
  r.base_scale_ = trade.base.scale & 0x3FU;
  r.quote_ = trade.quote.mantissa;
  r.quote_scale_ = trade.quote.scale & 0x3FU;
  return r;
}

}  // namespace cvdd
