#include "cvdd/ledger/remake.hpp"

#include <algorithm>

namespace cvdd {

bool holds_all(std::span<const Trade> trades, std::span<const std::uint64_t> ids) {
  return std::ranges::all_of(ids, [&](std::uint64_t id) {
    const auto trade = std::ranges::lower_bound(trades, id, {}, &Trade::id);
    return trade != trades.end() && trade->first_id() <= id;
  });
}

bool put_behind(std::span<const Trade> page, std::vector<Trade>& trades) {
  const auto known = [&](const Trade& t) { return !trades.empty() && t.first_id() <= trades.back().id; };
  const auto fresh = std::ranges::find_if_not(page, known);
  const auto apart = [](const Trade& a, const Trade& b) { return b.first_id() != a.id + 1; };
  if (std::adjacent_find(fresh, page.end(), apart) != page.end()) return false;
  if (fresh != page.end() && !trades.empty() && apart(trades.back(), *fresh)) return false;
  trades.insert(trades.end(), fresh, page.end());
  return true;
}

std::optional<std::size_t> put_before(std::span<const Trade> page, std::vector<Trade>& trades) {
  if (trades.empty()) return std::nullopt;
  const Trade& first = trades.front();
  const auto same = std::ranges::find_if(
      page, [&](const Trade& t) { return t.id == first.id && t.id_high == first.id_high && t.time == first.time; });
  if (same == page.end()) return std::nullopt;
  trades.insert(trades.begin(), page.begin(), same);
  return static_cast<std::size_t>(same - page.begin());
}

bool believed(const Remade& remade, const Instrument& instrument) {
  if (remade.figures == Figures::agree) return true;
  if (remade.unit_in_doubt) return false;
  // Sizes of history are taken by today's contract.
  const bool whole = instrument.ids == Ids::sequence || remade.numbered;
  const bool trades_outweigh = whole && instrument.contract_size == Decimal{1, 0};
  if (remade.figures == Figures::differ) return remade.same && trades_outweigh;
  return !remade.refuted || trades_outweigh;
}

}  // namespace cvdd
