#include "registry.hpp"

#include <algorithm>
#include <vector>

namespace cvdd {

std::span<const Exchange* const> all_exchanges() {
  static const std::vector<const Exchange*> all = [] {
    std::vector<const Exchange*> out;
    for (const auto markets : {
#define EXCHANGE(name) name##_markets(),
#include "cvdd/exchanges/all.inc"
#undef EXCHANGE
         }) {
      out.insert(out.end(), markets.begin(), markets.end());
    }
    return out;
  }();
  return all;
}

const CandleInterval* Candles::find(Duration length) const {
  const auto found = std::ranges::find(intervals, length, &CandleInterval::length);
  return found == intervals.end() ? nullptr : &*found;
}

const DataChannel* Exchange::channel(DataKind kind, Stream stream) const {
  const auto found = std::ranges::find_if(channels, [&](const DataChannel& channel) {
    return channel.kinds.has(kind) && (!channel.stream || channel.stream == stream);
  });
  return found == channels.end() ? nullptr : &*found;
}

DataKinds Exchange::beside_trades() const {
  DataKinds kinds;
  for (const DataChannel& channel : channels) kinds.add(channel.kinds);
  return kinds.common(
      {DataKind::book, DataKind::mark, DataKind::funding, DataKind::open_interest, DataKind::liquidation});
}

const Exchange* find_exchange(std::string_view name, Market market) {
  for (const Exchange* exchange : all_exchanges()) {
    if (exchange->name == name && exchange->market == market) return exchange;
  }
  return nullptr;
}

}  // namespace cvdd
