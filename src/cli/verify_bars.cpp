#include "verify_bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cvdd/base/counted.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd {

namespace {
constexpr std::size_t shown_max = 20;  // contradictions of an instrument and day that are told

constexpr std::array<const char*, static_cast<std::size_t>(NotAskable::count_)> reasons = {
    "gap",
    "cut",
    "from candles",
    "in a candle's time that is not whole",
    "without a candle",
    "that nobody could be asked about"};

NotAskable reason_of(const Claim& claim) {
  switch (claim.status) {
    case BarStatus::gap:
      return NotAskable::gap;
    case BarStatus::partial:
      return NotAskable::cut;
    case BarStatus::history:
      return NotAskable::candles;
    case BarStatus::live:
    case BarStatus::repaired:
      break;
  }
  return NotAskable::company;
}

// Of all bars of [from, to); empty: not all of them are there, and whole.
std::optional<Claim> sum_of(const Claims& claims, BarSpan span, const ProofRules& rules) {
  Claim out;
  for (Timestamp t = span.from; t < span.to; t = t + rules.interval) {
    const auto claim = claims.find(t);
    if (claim == claims.end() || reason_of(claim->second) != NotAskable::company || !add(out, claim->second)) {
      return std::nullopt;
    }
  }
  return out;
}
}  // namespace

void Tally::add(const Tally& more) {
  bars += more.bars;
  proven += more.proven;
  contradicted += more.contradicted;
  for (std::size_t i = 0; i < not_askable.size(); ++i) not_askable[i] += more.not_askable[i];
}

Tally compare_bars(const Claims& claims, std::span<const Candle> candles, const ProofRules& rules,
                   const CandleFacts& facts, std::vector<std::string>& lines) {
  Tally tally;
  for (auto begin = claims.begin(); begin != claims.end();) {
    const Timestamp from = bar_start(begin->first, rules.candle), to = from + rules.candle;
    const auto end = claims.lower_bound(to);
    const auto count = static_cast<std::uint64_t>(std::distance(begin, end));
    tally.bars += count;
    const auto sum = sum_of(claims, {from, to}, rules);
    const auto candle = std::ranges::find(candles, from, &Candle::time);
    if (!sum) {
      for (auto bar = begin; bar != end; ++bar) ++tally[reason_of(bar->second)];
    } else if (candle == candles.end() && !facts.quiet_left_out) {
      tally[NotAskable::no_candle] += count;
    } else {
      const std::string what = audit(*sum, candle == candles.end() ? Candle{} : *candle, facts);
      (what.empty() ? tally.proven : tally.contradicted) += count;
      if (!what.empty() && lines.size() <= shown_max) {
        lines.push_back(lines.size() < shown_max ? format_time(from) + " " + what : "…");
      }
    }
    begin = end;
  }
  return tally;
}

std::string text_of(const Tally& tally) {
  const std::uint64_t left = std::accumulate(tally.not_askable.begin(), tally.not_askable.end(), std::uint64_t{0});
  std::vector<std::string> why;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (tally.not_askable[i] > 0) why.push_back(fmt::format("{} {}", tally.not_askable[i], reasons[i]));
  }
  return fmt::format("{}: {} proven, {} contradicted, {} not askable{}", counted(tally.bars, "bar"), tally.proven,
                     tally.contradicted, left, why.empty() ? "" : fmt::format(" ({})", fmt::join(why, ", ")));
}

}  // namespace cvdd
