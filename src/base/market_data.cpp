#include "cvdd/base/market_data.hpp"

#include <algorithm>

namespace cvdd {

namespace {
constexpr std::array<std::string_view, static_cast<std::size_t>(DataKind::count_)> kind_names{
    "trades", "book", "mark", "funding", "open_interest", "liquidations"};
constexpr std::array<std::string_view, 4> told_names{"", "all", "sampled", "flagged"};

template <class T>
bool is_newer(const std::optional<T>& known, const T& value) {
  return !known || value.time >= known->time;
}
}  // namespace

std::string_view name_of(DataKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::optional<DataKind> context_kind_from(std::string_view name) {
  const auto found = std::ranges::find(context_kinds, name, [](DataKind kind) { return name_of(kind); });
  return found == context_kinds.end() ? std::nullopt : std::optional(*found);
}

std::string_view name_of(LiquidationsTold told) { return told_names[static_cast<std::size_t>(told)]; }

std::optional<LiquidationsTold> liquidations_told_from(std::string_view name) {
  const auto found = std::ranges::find(told_names, name);
  if (found == told_names.end()) return std::nullopt;
  return static_cast<LiquidationsTold>(found - told_names.begin());
}

void merge(std::optional<BestPrices>& into, const BestPrices& value) {
  if (is_newer(into, value)) into = value;
}

void merge(std::optional<MarkPrice>& into, const MarkPrice& value) {
  if (!is_newer(into, value)) return;
  MarkPrice both = value;
  if (into && !both.mark) both.mark = into->mark;
  if (into && !both.index) both.index = into->index;
  into = both;
}

void merge(std::optional<FundingRate>& into, const FundingRate& value) {
  if (!is_newer(into, value)) return;
  FundingRate both = value;
  if (into && !both.rate) both.rate = into->rate;
  if (into && !both.applies) both.applies = into->applies;
  into = both;
}

void merge(std::optional<OpenInterest>& into, const OpenInterest& value) {
  if (is_newer(into, value)) into = value;
}

}  // namespace cvdd
