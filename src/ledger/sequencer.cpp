#include "cvdd/ledger/sequencer.hpp"

#include <algorithm>

namespace cvdd {

Sequencer::Decision Sequencer::decide(Series series, std::uint64_t first, std::uint64_t last) {
  if (series == Series::block) {
    if (last_block_ && last <= *last_block_) return {Verdict::duplicate};
    last_block_ = last;
    return {Verdict::next};
  }
  if (!source_) source_ = series;
  if (*source_ != series) return {Verdict::other_series};
  if (!last_) {
    last_ = last;
    return {Verdict::next};
  }
  if (first > *last_) return up_to(first, last);
  if (last > *last_) {
    // Two messages that cut the same fills differently: those that are known can't be told from those that are not.
    const std::uint64_t missing = *last_ + 1;
    remember_hole(missing, last);
    last_ = last;
    return {Verdict::straddles, missing, last - missing + 1};
  }
  return {fill(first, last)};
}

// What comes after everything known.
Sequencer::Decision Sequencer::up_to(std::uint64_t first, std::uint64_t last) {
  Decision decision{Verdict::next};
  if (first > *last_ + 1) {
    decision.hole_first = *last_ + 1;
    decision.hole_count = first - *last_ - 1;
    remember_hole(*last_ + 1, first - 1);
  }
  last_ = last;
  return decision;
}

Sequencer::Verdict Sequencer::decide_opaque(OpaqueId id, Timestamp time) {
  if (!seen_) seen_ = std::make_unique<RecentIds>();
  return seen_->insert(id, time) ? Verdict::next : Verdict::duplicate;
}

Sequencer::Decision Sequencer::told(Series series, std::uint64_t newest) {
  if (!source_) source_ = series;
  if (*source_ != series) return {Verdict::other_series};
  if (!last_) {
    last_ = newest;
    return {Verdict::next};
  }
  if (newest <= *last_) return {Verdict::next};
  return up_to(newest + 1, newest);
}

void Sequencer::resume_after(Series series, std::uint64_t last_id) {
  source_ = series;
  last_ = last_id;
  holes_.clear();
}

bool Sequencer::waits_for(std::uint64_t first, std::uint64_t last) const {
  return std::any_of(holes_.begin(), holes_.end(), [&](const Range& r) { return r.first <= last && r.last >= first; });
}

// All of it waited for: late. None: a duplicate. A part: the message can't be used, and the part stays waited for.
Sequencer::Verdict Sequencer::fill(std::uint64_t first, std::uint64_t last) {
  const auto hole =
      std::find_if(holes_.begin(), holes_.end(), [&](const Range& r) { return first >= r.first && last <= r.last; });
  if (hole == holes_.end()) return waits_for(first, last) ? Verdict::straddles : Verdict::duplicate;
  const Range lower{hole->first, first - 1}, upper{last + 1, hole->last};
  const bool has_lower = first > hole->first, has_upper = last < hole->last;
  if (has_lower && has_upper) {
    *hole = lower;
    holes_.insert(hole + 1, upper);
    if (holes_.size() > holes_max) holes_.erase(holes_.begin());
  } else if (has_lower) {
    *hole = lower;
  } else if (has_upper) {
    *hole = upper;
  } else {
    holes_.erase(hole);
  }
  return Verdict::late;
}

void Sequencer::remember_hole(std::uint64_t first, std::uint64_t last) {
  if (holes_.size() == holes_max) holes_.erase(holes_.begin());
  holes_.push_back({first, last});
}

}  // namespace cvdd
