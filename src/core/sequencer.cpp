#include "cvdd/core/sequencer.hpp"

#include <algorithm>

namespace cvdd {

Sequencer::Decision Sequencer::decide(Series series, std::uint64_t id) {
  if (series == Series::block) {
    if (last_block_ && id <= *last_block_) return {Verdict::duplicate};
    last_block_ = id;
    return {Verdict::next};
  }
  if (!source_) source_ = series;
  if (*source_ != series) return {Verdict::other_series};
  if (!last_) {
    last_ = id;
    return {Verdict::next};
  }
  if (id > *last_) {
    Decision decision{Verdict::next};
    if (id > *last_ + 1) {
      decision.hole_first = *last_ + 1;
      decision.hole_count = id - *last_ - 1;
      remember_hole(*last_ + 1, id - 1);
    }
    last_ = id;
    return decision;
  }
  if (*last_ - id > restart_distance) {
    last_ = id;
    holes_.clear();
    return {Verdict::restarted};
  }
  return {take_from_holes(id) ? Verdict::late : Verdict::duplicate};
}

void Sequencer::resume_after(Series series, std::uint64_t last_id) {
  source_ = series;
  last_ = last_id;
  holes_.clear();
}

bool Sequencer::waits_for(std::uint64_t first, std::uint64_t last) const {
  return std::any_of(holes_.begin(), holes_.end(), [&](const Range& r) { return r.first <= last && r.last >= first; });
}

bool Sequencer::take_from_holes(std::uint64_t id) {
  auto hole = std::find_if(holes_.begin(), holes_.end(), [&](const Range& r) { return id >= r.first && id <= r.last; });
  if (hole == holes_.end()) return false;
  if (hole->first == hole->last) {
    holes_.erase(hole);
  } else if (id == hole->first) {
    ++hole->first;
  } else if (id == hole->last) {
    --hole->last;
  } else {
    Range upper{id + 1, hole->last};
    hole->last = id - 1;
    holes_.insert(hole + 1, upper);
    if (holes_.size() > holes_max) holes_.erase(holes_.begin());
  }
  return true;
}

void Sequencer::remember_hole(std::uint64_t first, std::uint64_t last) {
  if (holes_.size() == holes_max) holes_.erase(holes_.begin());
  holes_.push_back({first, last});
}

}  // namespace cvdd
