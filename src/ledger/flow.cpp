#include "cvdd/ledger/flow.hpp"

#include <algorithm>

namespace cvdd {

namespace {
Decimal sum(const Decimal& a, const Decimal& b) { return add(a, b).value_or(a); }
}  // namespace

SizeBuckets::SizeBuckets(std::vector<Decimal> bounds) : bounds_(std::move(bounds)) {
  names_.emplace_back("0");
  for (const Decimal& bound : bounds_) names_.push_back(to_string(bound));
}

std::size_t SizeBuckets::of(const Decimal& quote) const {
  return static_cast<std::size_t>(std::upper_bound(bounds_.begin(), bounds_.end(), quote) - bounds_.begin());
}

// `next` begins where `piece` ends.
void DeltaPath::append(Piece& piece, const Piece& next) {
  piece.least = std::min(piece.least, sum(piece.sum, next.least));
  piece.most = std::max(piece.most, sum(piece.sum, next.most));
  piece.sum = sum(piece.sum, next.sum);
  piece.last = std::max(piece.last, next.last);
}

void DeltaPath::add(std::uint64_t first, std::uint64_t last, const Decimal& delta) {
  const Decimal none;
  const Piece one{first, last, delta, std::min(delta, none), std::max(delta, none)};
  const bool next = !pieces_.empty() && (last == 0 || first == pieces_.back().last + 1);
  if (next) return append(pieces_.back(), one);
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), first,
                                       [](std::uint64_t id, const Piece& piece) { return id < piece.first; });
  if (behind != pieces_.begin() && std::prev(behind)->last >= first) {
    // Inside a piece: of an id that was not missing, or where pieces had to be joined.
    lost_ = true;
    return append(*std::prev(behind), one);
  }
  const auto at = behind - pieces_.begin();
  pieces_.insert(behind, one);
  join_around(static_cast<std::size_t>(at));
}

// No more pieces than there are holes, and never too many: then the two oldest become one, and what comes between them
// can't be placed any more.
void DeltaPath::join_around(std::size_t at) {
  const auto join = [&](std::size_t left) {
    append(pieces_[left], pieces_[left + 1]);
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(left) + 1);
  };
  if (at + 1 < pieces_.size() && pieces_[at].last + 1 == pieces_[at + 1].first) join(at);
  if (at > 0 && pieces_[at - 1].last + 1 == pieces_[at].first) join(at - 1);
  if (pieces_.size() > pieces_max) join(0);
}

std::optional<DeltaPath::Extremes> DeltaPath::extremes() const {
  if (lost_) return std::nullopt;
  Piece all;
  for (const Piece& piece : pieces_) append(all, piece);
  return Extremes{all.least, all.most};
}

void add_to_flow(FlowBar& flow, const SizeBuckets& buckets, const Record& trade, bool ordered) {
  const bool buy = trade.aggressor() == Aggressor::buyer;
  const Decimal base = trade.base(), quote = trade.quote();
  FlowSums& sums = flow.buckets[buckets.of(quote)];
  (buy ? sums.buys : sums.sells) += trade.fills();
  Decimal& base_sum = buy ? sums.buy_base : sums.sell_base;
  Decimal& quote_sum = buy ? sums.buy_quote : sums.sell_quote;
  base_sum = sum(base_sum, base);
  quote_sum = sum(quote_sum, quote);
  std::optional<Decimal>& largest = buy ? flow.largest_buy_quote : flow.largest_sell_quote;
  if (!largest || quote > *largest) largest = quote;
  flow.path.add(ordered ? trade.first_id() : 0, ordered ? trade.id() : 0, buy ? base : negate(base));
}

}  // namespace cvdd
