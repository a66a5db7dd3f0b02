#include "cvdd/recovery/repair_queue.hpp"

#include <algorithm>
#include <iterator>

namespace cvdd {

RepairProgress judge_page(const Repair& repair, const HistoryPage& page, std::size_t asked, bool short_is_end) {
  using Next = RepairProgress::Next;
  // A row that can't be read was there all the same: nothing more is to be had of its id.
  std::optional<std::uint64_t> oldest, newest;
  const auto note = [&](std::uint64_t id) {
    oldest = std::min(oldest.value_or(id), id);
    newest = std::max(newest.value_or(id), id);
  };
  for (const Trade& trade : page.trades) note(trade.id);
  for (const HistoryPage::Refused& row : page.refused) {
    if (row.id != 0) note(row.id);
  }
  const bool is_short = page.rows() < asked;
  // A page that begins at a moment may end before the repair does.
  const bool ends_before = newest && *newest < repair.first;
  if (ends_before && !is_short && repair.since.us != 0) return {Next::more, repair.first, repair.rows};
  // What is older than the repair came along; there is nothing of it yet.
  if (!newest || ends_before) return {repair.last == 0 ? Next::done : Next::later, repair.first, repair.rows};
  // Cut at its old end: as many as it gives are asked for from there on.
  if (!short_is_end && is_short && *oldest > repair.first) return {Next::cut, repair.first, page.rows()};
  if (repair.last != 0 && *newest >= repair.last) return {Next::done, 0, repair.rows};
  // Ids are contiguous, so a page that ends before the hole does has more behind it, unless the exchange is late.
  if (!is_short) return {Next::more, *newest + 1, repair.rows};
  return {repair.last == 0 ? Next::done : Next::later, *newest + 1, repair.rows};
}

bool RepairQueue::add(Repair repair) {
  if (waiting_.size() >= waiting_max) return false;
  waiting_.push_back(repair);
  return true;
}

std::optional<Repair> RepairQueue::take(Time now) {
  for (auto r = waiting_.rbegin(); r != waiting_.rend(); ++r) {
    if (r->due > now) continue;
    const Repair found = *r;
    waiting_.erase(std::next(r).base());
    return found;
  }
  return std::nullopt;
}

bool RepairQueue::again(Repair repair, Time now) {
  if (repair.attempts >= pauses.size()) return false;
  repair.due = now + pauses[repair.attempts++];
  return add(repair);
}

Repair RepairQueue::best_begin(const Repair& repair, std::uint64_t rows) const {
  Repair begin = repair;
  for (const Repair& r : waiting_) {
    // Older holes only as far as the page still reaches this one's end, or all of a page's worth of it.
    const std::uint64_t reach = std::min(repair.last, repair.first + rows - 1);
    if (r.instrument == repair.instrument && r.last != 0 && r.first < begin.first && r.first + rows > reach) begin = r;
  }
  return begin;
}

std::optional<RepairQueue::Time> RepairQueue::next_due() const {
  const auto soonest = std::min_element(waiting_.begin(), waiting_.end(),
                                        [](const Repair& a, const Repair& b) { return a.due < b.due; });
  return soonest == waiting_.end() ? std::nullopt : std::optional(soonest->due);
}

}  // namespace cvdd
