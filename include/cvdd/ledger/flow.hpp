// Volume by the size of trades: what a bar's buckets hold, and the path that its delta took. A structure beside the bar
// that exists only where buckets are configured. Pure values; owned by the ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

// Where buckets begin, in quote units; ascending, the first is 0. Shared by all who have the same.
class SizeBuckets {
 public:
  // `bounds`: ascending, above 0.
  explicit SizeBuckets(std::vector<Decimal> bounds);
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] const std::vector<Decimal>& bounds() const { return bounds_; }
  // As rows print it: the lower bound.
  [[nodiscard]] const std::string& name(std::size_t bucket) const { return names_[bucket]; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // Of a trade of this size.
  [[nodiscard]] std::size_t of(const Decimal& quote) const;
  // The bucket that is none: all of the bar.
  static constexpr const char* all = "all";

 private:
  std::vector<Decimal> bounds_;  // without the first
  std::vector<std::string> names_;
};

struct FlowSums {
  std::uint64_t buys = 0, sells = 0;  // fills, as a bar's
  Decimal buy_base, sell_base, buy_quote, sell_quote;
};

// The extremes of a running delta that begins at 0, whatever order its trades come in: pieces without a missing id,
// each with its own extremes, are put together by their ids. Ids without an order: as they came.
class DeltaPath {
 public:
  // The next trade, or (0) an id beside the CVD. `first`, `last`: the ids it covers; 0: they have no order.
  void add(std::uint64_t first, std::uint64_t last, const Decimal& delta);
  struct Extremes {
    Decimal least, most;
  };
  // Empty: a trade came so late that nobody can tell when it was.
  [[nodiscard]] std::optional<Extremes> extremes() const;
  static constexpr std::size_t pieces_max = 256;

 private:
  struct Piece {
    std::uint64_t first = 0, last = 0;
    Decimal sum, least, most;  // from its beginning on
  };
  static void append(Piece& piece, const Piece& next);
  void join_around(std::size_t at);
  std::vector<Piece> pieces_;  // by id
  bool lost_ = false;
};

struct FlowBar {
  std::vector<FlowSums> buckets;
  std::optional<Decimal> largest_buy_quote, largest_sell_quote;
  DeltaPath path;
  bool path_known = true;  // false: of a row of an earlier run
};

// A bar is copied as a whole, and its flow with it.
class FlowOfBar {
 public:
  FlowOfBar() = default;
  FlowOfBar(const FlowOfBar& other) : flow_(other.flow_ ? std::make_unique<FlowBar>(*other.flow_) : nullptr) {}
  FlowOfBar(FlowOfBar&&) noexcept = default;
  FlowOfBar& operator=(const FlowOfBar& other) {
    if (this != &other) flow_ = other.flow_ ? std::make_unique<FlowBar>(*other.flow_) : nullptr;
    return *this;
  }
  FlowOfBar& operator=(FlowOfBar&&) noexcept = default;
  ~FlowOfBar() = default;
  [[nodiscard]] const FlowBar* get() const { return flow_.get(); }
  // Made when it is first asked for.
  [[nodiscard]] FlowBar& of(const SizeBuckets& buckets) {
    if (!flow_) {
      flow_ = std::make_unique<FlowBar>();
      flow_->buckets.resize(buckets.size());
    }
    return *flow_;
  }

 private:
  std::unique_ptr<FlowBar> flow_;
};

// Adds a trade of the CVD, whose sums fit the bar's. `ordered`: its id has an order.
void add_to_flow(FlowBar& flow, const SizeBuckets& buckets, const Record& trade, bool ordered);

// One line of the flow file, as values (docs/csv-flow.md).
struct FlowRow {
  Timestamp time;
  std::string exchange;
  Market market = Market::spot;
  std::string symbol, bucket;  // a lower bound, or SizeBuckets::all
  std::uint32_t rev = 0;
  BarStatus status = BarStatus::live;
  FlowSums sums;
  Decimal delta_base, delta_quote, cvd_base, cvd_quote;
  // Of all of the bar alone. Empty: not known, or there was none.
  std::optional<Decimal> delta_min_base, delta_max_base, largest_buy_quote, largest_sell_quote;
};

}  // namespace cvdd
