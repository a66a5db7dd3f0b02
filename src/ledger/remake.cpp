#include "cvdd/ledger/remake.hpp"

#include <algorithm>

namespace cvdd {

bool holds_all(std::span<const Trade> trades, std::span<const std::uint64_t> ids) {
  return std::ranges::all_of(ids, [&](std::uint64_t id) {
    const auto trade = std::ranges::lower_bound(trades, id, {}, &Trade::id);
    return trade != trades.end() && trade->first_id() <= id;
  });
}

bool believed(const Remade& remade, const Instrument& instrument) {
  if (remade.figures == Figures::agree) return true;
  if (remade.unit_in_doubt) return false;
  // Sizes of history are taken by today's contract.
  const bool trades_outweigh = instrument.ids == Ids::sequence && instrument.contract_size == Decimal{1, 0};
  if (remade.figures == Figures::differ) return remade.same && trades_outweigh;
  return !remade.refuted || trades_outweigh;
}

}  // namespace cvdd
