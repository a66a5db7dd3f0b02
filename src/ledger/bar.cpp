#include "cvdd/ledger/bar.hpp"

#include <tuple>

namespace cvdd {

namespace {
// Ids without an order are all the same here: then the last to arrive is the last.
void note_ids(Bar& bar, const Record& trade, const IdText& name) {
  const auto first = std::make_tuple(trade.time(), trade.first_id()), last = std::make_tuple(trade.time(), trade.id());
  if (!bar.has_ids() || first < std::make_tuple(bar.first_time, bar.first_id)) {
    bar.first_time = trade.time();
    bar.first_id = trade.first_id();
    if (!name.empty() || !bar.first_name.empty()) bar.first_name = name.view();
  }
  if (!bar.has_ids() || last >= std::make_tuple(bar.last_time, bar.last_id)) {
    bar.last_time = trade.time();
    bar.last_id = trade.id();
    if (!name.empty() || !bar.last_name.empty()) bar.last_name = name.view();
  }
}
}  // namespace

bool add_trade(Bar& bar, const Record& trade, const IdText& name, const FlowRules* flow) {
  const bool buy = trade.aggressor() == Aggressor::buyer;
  Decimal& base = buy ? bar.buy_base : bar.sell_base;
  Decimal& quote = buy ? bar.buy_quote : bar.sell_quote;
  const auto base_sum = add(base, trade.base());
  const auto quote_sum = add(quote, trade.quote());
  if (!base_sum || !quote_sum) return false;
  base = *base_sum;
  quote = *quote_sum;
  (buy ? bar.buys : bar.sells) += trade.fills();

  const Decimal price = trade.price();
  const auto first = std::make_tuple(trade.time(), trade.first_id()), last = std::make_tuple(trade.time(), trade.id());
  const bool begins = !bar.has_trades() || first < std::make_tuple(bar.open_time, bar.open_id);
  const bool ends = !bar.has_trades() || last >= std::make_tuple(bar.close_time, bar.close_id);
  if (!bar.high || price > *bar.high) bar.high = price;
  if (!bar.low || price < *bar.low) bar.low = price;
  if (begins) {
    bar.open = price;
    bar.open_time = trade.time();
    bar.open_id = trade.first_id();
  }
  if (ends) {
    bar.close = price;
    bar.close_time = trade.time();
    bar.close_id = trade.id();
  }
  note_ids(bar, trade, name);
  if (flow != nullptr) add_to_flow(bar.flow.of(*flow->buckets), *flow->buckets, trade, flow->ordered);
  bar.changed = bar.delta_changed = true;
  return true;
}

bool add_other(Bar& bar, const Record& trade, const IdText& name, const FlowRules* flow) {
  const auto base = add(bar.other_base, trade.base());
  const auto quote = add(bar.other_quote, trade.quote());
  if (!base || !quote) return false;
  bar.other_base = *base;
  bar.other_quote = *quote;
  if (trade.id() != 0 || !name.empty()) note_ids(bar, trade, name);  // else it is numbered for itself
  // Its id is one of the sequence, and no hole in the delta's path.
  if (flow != nullptr && flow->ordered && trade.id() != 0) {
    bar.flow.of(*flow->buckets).path.add(trade.first_id(), trade.id(), {});
  }
  bar.changed = true;
  return true;
}

bool may_have_counted(const Bar& bar, const Record& trade, bool ordered) {
  // Trades of a bar may have ids in another order than their times, by so many.
  constexpr std::uint64_t ids_beside = 100;
  if (!bar.restored || bar.written_status == BarStatus::partial || !bar.has_ids()) return false;
  if (!ordered || trade.id() == 0) return true;
  return trade.id() + ids_beside >= bar.first_id && trade.first_id() <= bar.last_id + ids_beside;
}

}  // namespace cvdd
