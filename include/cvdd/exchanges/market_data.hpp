// Kinds of data that exchanges publish, and the values of those that are no trades: what stands beside the trades of an
// instrument. Plain values; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
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

  void add(const BestPrices& value) { best_prices.push_back(value); }
  void add(const MarkPrice& value) { mark_prices.push_back(value); }
  void add(const FundingRate& value) { funding_rates.push_back(value); }
  void add(const OpenInterest& value) { open_interest.push_back(value); }
  void add(const Liquidation& value) { liquidations.push_back(value); }
  void clear() {
    best_prices.clear();
    mark_prices.clear();
    funding_rates.clear();
    open_interest.clear();
    liquidations.clear();
  }
};

}  // namespace cvdd
