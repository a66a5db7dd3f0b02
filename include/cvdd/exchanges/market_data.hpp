// Kinds of data that exchanges publish, and the values of those that are no trades: what stands beside the trades of an
// instrument. Plain values; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

enum class DataKind : std::uint8_t { trade, book, mark, funding, open_interest, liquidation, count_ };

// A set of them: one channel may tell several at once.
class DataKinds {
 public:
  constexpr DataKinds(std::initializer_list<DataKind> kinds) {
    for (const DataKind kind : kinds) bits_ |= bit(kind);
  }
  [[nodiscard]] constexpr bool has(DataKind kind) const { return (bits_ & bit(kind)) != 0; }

 private:
  static constexpr unsigned bit(DataKind kind) { return 1U << static_cast<unsigned>(kind); }
  unsigned bits_ = 0;
};

// Best bid and ask, sizes in base units. Empty: nobody bids, nobody asks.
struct BestPrices {
  const Instrument* instrument = nullptr;
  Timestamp time;  // the exchange's, here and below
  std::optional<Decimal> bid, bid_size, ask, ask_size;
};

// Empty: this message does not tell it.
struct MarkPrice {
  const Instrument* instrument = nullptr;
  Timestamp time;
  std::optional<Decimal> mark, index;
};

// The rate that applies next, as a fraction, and when it does.
struct FundingRate {
  const Instrument* instrument = nullptr;
  Timestamp time, applies;
  Decimal rate;
};

// Contracts that are open, counted once each.
struct OpenInterest {
  const Instrument* instrument = nullptr;
  Timestamp time;
  Decimal base, quote;
};

// A forced order. Its side is that of the order which closes the position: a buyer closes a short.
struct Liquidation {
  const Instrument* instrument = nullptr;
  Timestamp time;
  Aggressor side = Aggressor::unknown;
  Decimal price, base, quote;
};

// What one message told beside trades: typed lists, so that nobody switches on a kind to learn what a field means.
struct BesideTrades {
  std::vector<BestPrices> best_prices;
  std::vector<MarkPrice> mark_prices;
  std::vector<FundingRate> funding_rates;
  std::vector<OpenInterest> open_interest;
  std::vector<Liquidation> liquidations;

  template <class T>
  [[nodiscard]] std::vector<T>& list() {
    if constexpr (std::is_same_v<T, BestPrices>) return best_prices;
    if constexpr (std::is_same_v<T, MarkPrice>) return mark_prices;
    if constexpr (std::is_same_v<T, FundingRate>) return funding_rates;
    if constexpr (std::is_same_v<T, OpenInterest>) return open_interest;
    if constexpr (std::is_same_v<T, Liquidation>) return liquidations;
  }
  void clear() {
    best_prices.clear();
    mark_prices.clear();
    funding_rates.clear();
    open_interest.clear();
    liquidations.clear();
  }
};

}  // namespace cvdd
