#include "cvdd/app/repairs.hpp"

#include <algorithm>
#include <iterator>

namespace cvdd {

RepairProgress judge_page(const Repair& repair, const std::vector<Trade>& page, std::size_t page_max) {
  using Next = RepairProgress::Next;
  // What is older than the repair came along; there is nothing of it yet.
  if (page.empty() || page.back().id < repair.first) {
    return {repair.last == 0 ? Next::done : Next::later, repair.first};
  }
  const std::uint64_t newest = page.back().id;
  if (repair.last != 0 && newest >= repair.last) return {Next::done, 0};
  // Ids are contiguous, so a page that ends before the hole does has more behind it, unless the exchange is late.
  if (page.size() >= page_max) return {Next::more, newest + 1};
  return {repair.last == 0 ? Next::done : Next::later, newest + 1};
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

std::uint64_t RepairQueue::best_begin(const Repair& repair, std::uint64_t rows) const {
  std::uint64_t begin = repair.first;
  for (const Repair& r : waiting_) {
    // Older holes only as far as the page still reaches this one's end, or all of a page's worth of it.
    const std::uint64_t reach = std::min(repair.last, repair.first + rows - 1);
    if (r.instrument == repair.instrument && r.last != 0 && r.first < begin && r.first + rows > reach) begin = r.first;
  }
  return begin;
}

std::optional<RepairQueue::Time> RepairQueue::next_due() const {
  const auto soonest = std::min_element(waiting_.begin(), waiting_.end(),
                                        [](const Repair& a, const Repair& b) { return a.due < b.due; });
  return soonest == waiting_.end() ? std::nullopt : std::optional(soonest->due);
}

}  // namespace cvdd
