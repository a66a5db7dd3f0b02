#include "cvdd/core/bar.hpp"

#include <tuple>

namespace cvdd {

bool add_trade(Bar& bar, const Record& trade, const IdText& name) {
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
  if (!bar.has_trades()) {
    bar.open = bar.high = bar.low = bar.close = price;
    bar.open_time = bar.close_time = trade.time();
    bar.first_id = trade.first_id();
    bar.last_id = trade.id();
    bar.first_name = bar.last_name = name.view();
  } else {
    if (price > *bar.high) bar.high = price;
    if (price < *bar.low) bar.low = price;
    if (std::make_tuple(trade.time(), trade.first_id()) < std::make_tuple(bar.open_time, bar.first_id)) {
      bar.open = price;
      bar.open_time = trade.time();
      bar.first_id = trade.first_id();
      bar.first_name = name.view();
    }
    // Ids without an order are all the same here: then the last to arrive is the last.
    if (std::make_tuple(trade.time(), trade.id()) >= std::make_tuple(bar.close_time, bar.last_id)) {
      bar.close = price;
      bar.close_time = trade.time();
      bar.last_id = trade.id();
      bar.last_name = name.view();
    }
  }
  bar.changed = bar.delta_changed = true;
  return true;
}

bool add_other(Bar& bar, const Record& trade) {
  const auto base = add(bar.other_base, trade.base());
  const auto quote = add(bar.other_quote, trade.quote());
  if (!base || !quote) return false;
  bar.other_base = *base;
  bar.other_quote = *quote;
  bar.changed = true;
  return true;
}

}  // namespace cvdd
