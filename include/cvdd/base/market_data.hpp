// Kinds of data that exchanges publish, and the values of those that are no trades: what stands beside the trades of an
// instrument. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

enum class DataKind : std::uint8_t { trade, book, mark, funding, open_interest, liquidation, count_ };

// What stands beside the trades, and as symbol lists spell it.
inline constexpr std::array<DataKind, 5> context_kinds{DataKind::book, DataKind::mark, DataKind::funding,
                                                       DataKind::open_interest, DataKind::liquidation};
[[nodiscard]] std::string_view name_of(DataKind kind);
[[nodiscard]] std::optional<DataKind> context_kind_from(std::string_view name);

// A set of them: one channel may tell several at once.
class DataKinds {
 public:
  constexpr DataKinds() = default;
  constexpr DataKinds(std::initializer_list<DataKind> kinds) {
    for (const DataKind kind : kinds) bits_ |= bit(kind);
  }
  [[nodiscard]] constexpr bool has(DataKind kind) const { return (bits_ & bit(kind)) != 0; }
  constexpr void add(DataKinds others) { bits_ |= others.bits_; }
  // Those that are in both.
  [[nodiscard]] constexpr DataKinds common(DataKinds others) const {
    others.bits_ &= bits_;
    return others;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend bool operator==(const DataKinds&, const DataKinds&) = default;

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

// The rate that applies next, as a fraction, and when it does. Empty: this message does not tell it.
struct FundingRate {
  const Instrument* instrument = nullptr;
  Timestamp time;
  std::optional<Timestamp> applies;
  std::optional<Decimal> rate;
};

// Contracts that are open, counted once each. Empty: this message does not tell it; the mark price makes it of the
// other.
struct OpenInterest {
  const Instrument* instrument = nullptr;
  Timestamp time;
  std::optional<Decimal> base, quote;
};

// A forced order. Its side is that of the order which closes the position: a buyer closes a short.
struct Liquidation {
  const Instrument* instrument = nullptr;
  Timestamp time;
  Aggressor side = Aggressor::unknown;
  Decimal price, base, quote;
};

// The newer of two by the exchange's time; of what the newer message does not tell, the older holds.
void merge(std::optional<BestPrices>& into, const BestPrices& value);
void merge(std::optional<MarkPrice>& into, const MarkPrice& value);
void merge(std::optional<FundingRate>& into, const FundingRate& value);
void merge(std::optional<OpenInterest>& into, const OpenInterest& value);

// How many of its forced orders an exchange tells (the CSV's column `liq_kind`).
enum class LiquidationsTold : std::uint8_t {
  none,
  all,
  sampled,  // at most some of them
  flagged,  // trades that carry a mark
};
[[nodiscard]] std::string_view name_of(LiquidationsTold told);
[[nodiscard]] std::optional<LiquidationsTold> liquidations_told_from(std::string_view name);

// What the feed of one kind is: told to who keeps the bars, like a value.
struct FeedMark {
  enum class What : std::uint8_t {
    subscribed,  // it tells everything from `time` on
    lost,        // nothing is known from `time` on, until it is subscribed again
    refused,     // the exchange does not serve it
    ended,       // the instrument is not collected any more, whatever the kind
  };
  What what = What::subscribed;
  DataKind kind = DataKind::book;
  Timestamp time;
};

// One value on its way to the bars. Its `instrument` is null: the number says whose it is, for as long as it is valid.
struct ContextUpdate {
  std::uint32_t instrument = 0;
  std::variant<FeedMark, BestPrices, MarkPrice, FundingRate, OpenInterest, Liquidation> value;
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
