// What an instrument with size buckets has beside its bars, and what the flow file says of them. Pure; owned by the
// instrument's bar series.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/flow.hpp"

namespace cvdd {

class FlowAccount {
 public:
  // `ordered`: the instrument's ids have an order.
  FlowAccount(std::shared_ptr<const SizeBuckets> buckets, bool ordered);

  // How its trades are counted. Stays as long as this.
  [[nodiscard]] const FlowRules& rules() const { return rules_; }

  // Goes on from what the files say; of other buckets than now nothing is gone on with. `bars`: the restored ones, the
  // first of which begins at `oldest`, each `interval` long.
  void restore(std::deque<Bar>& bars, Timestamp oldest, Duration interval, std::span<const FlowRow> known);
  // The bar is the next that leaves the memory: the buckets' CVDs before those in memory have it.
  void drop(const Bar& bar) { count(before_, bar); }
  // Appends the flow rows that belong to a bar's row. `bars`: in memory; a bar that is none of them is before them.
  void tell(const std::deque<Bar>& bars, const Bar& bar, const Row& row, std::vector<FlowRow>& out) const;

 private:
  struct Cvd {
    Decimal base, quote;
  };
  using RowsOfBar = std::map<std::string, const FlowRow*>;  // by bucket
  static void count(std::vector<Cvd>& cvds, const Bar& bar);
  [[nodiscard]] bool complete(const RowsOfBar& rows) const;
  void restore(FlowBar& bar, const RowsOfBar& rows) const;

  std::shared_ptr<const SizeBuckets> buckets_;
  FlowRules rules_;
  std::vector<Cvd> before_;  // of each bucket, before the bars in memory
};

}  // namespace cvdd
