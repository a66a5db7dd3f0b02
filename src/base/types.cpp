#include "cvdd/base/types.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
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
constexpr std::int64_t time_limit_us = std::int64_t{1} << 53;  // the year 2255
}  // namespace

std::optional<std::uint64_t> sequence_id(std::string_view text) {
  std::uint64_t id = 0;
  if (text.empty() || text.size() > 19) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::optional<IdText> IdText::from(std::string_view text) {
  if (text.size() > size_max) return std::nullopt;
  IdText out;
  std::copy(text.begin(), text.end(), out.chars.begin());
  return out;
}

std::string_view IdText::view() const {
  return {chars.data(), static_cast<std::size_t>(std::find(chars.begin(), chars.end(), '\0') - chars.begin())};
}

Record Record::mark(RecordKind kind, std::uint32_t instrument, Timestamp time, std::uint64_t id, std::uint64_t count) {
  Record r;
  r.kind_ = static_cast<std::uint64_t>(kind) & 0xF;
  r.instrument_ = instrument & 0x7FFFFU;
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
  Record r =
      mark(kind, trade.instrument->id, trade.time, trade.id_high != 0 || trade.series == Series::block ? 0 : trade.id);
  r.fills_ = trade.fills;
  r.merged_ = trade.merged ? 1U : 0U;
  r.aggressor_ = static_cast<std::uint64_t>(trade.aggressor) & 0x3;
  r.price_ = static_cast<std::int64_t>(p.mantissa);
  r.price_scale_ = p.scale & 0x1FU;
  r.base_ = trade.base.mantissa;
  r.base_scale_ = trade.base.scale & 0x3FU;
  r.quote_ = trade.quote.mantissa;
  r.quote_scale_ = trade.quote.scale & 0x3FU;
  return r;
}

Record Record::as_again() const {
  Record out = *this;
  const RecordKind kind = this->kind() == RecordKind::trade ? RecordKind::again : RecordKind::again_other;
  out.kind_ = static_cast<std::uint64_t>(kind) & 0xFU;
  return out;
}

Record Record::name(const IdText& text, std::uint32_t instrument) {
  static_assert(sizeof(base_) + sizeof(quote_) + sizeof(price_) == IdText::size_max);
  Record r = mark(RecordKind::name, instrument, {});
  std::memcpy(&r.base_, text.chars.data(), sizeof(base_));
  std::memcpy(&r.quote_, text.chars.data() + sizeof(base_), sizeof(quote_));
  std::memcpy(&r.price_, text.chars.data() + sizeof(base_) + sizeof(quote_), sizeof(price_));
  return r;
}

IdText Record::name() const {
  IdText out;
  std::memcpy(out.chars.data(), &base_, sizeof(base_));
  std::memcpy(out.chars.data() + sizeof(base_), &quote_, sizeof(quote_));
  std::memcpy(out.chars.data() + sizeof(base_) + sizeof(quote_), &price_, sizeof(price_));
  return out;
}

}  // namespace cvdd
