#include "cvdd/ledger/proof.hpp"

#include <algorithm>
#include <array>

namespace cvdd {

namespace {
bool whole(const Claim& claim) { return claim.status == BarStatus::live || claim.status == BarStatus::repaired; }
// Of which something can be asked: cut bars and candles' own are what they are.
bool comparable(const Claim& claim) { return whole(claim) || claim.status == BarStatus::gap; }

// From one attempt to the next.
constexpr std::array<Duration, 6> pauses{seconds(20),  seconds(60),    seconds(180),
                                         seconds(600), seconds(1'200), seconds(3'600)};
constexpr std::size_t first_bars = 24;
constexpr std::int64_t absent_max = 240;  // what the ledger keeps
constexpr Duration tail = seconds(20);    // before a run's end its rows may lack what was on its way

bool same(const Claim& a, const Claim& b) {
  return a.buys == b.buys && a.sells == b.sells && a.buy_base == b.buy_base && a.sell_base == b.sell_base &&
         a.buy_quote == b.buy_quote && a.sell_quote == b.sell_quote && a.other_base == b.other_base;
}
}  // namespace

template <class Use>
void ProofTrack::each(BarSpan span, const Use& use) {
  for (auto b = bars_.lower_bound(span.from); b != bars_.end() && b->first < span.to; ++b) use(b->second);
}

// The bars between the rows of before and this run's first.
void ProofTrack::fill_absent(Timestamp before, Timestamp now, const ProofRules& rules) {
  fill_absent_ = false;
  if (bars_.empty() || before - bars_.rbegin()->first > Duration{absent_max * rules.interval.us}) return;
  for (Timestamp t = bars_.rbegin()->first + rules.interval; t < before && bars_.size() < size_max;
       t = t + rules.interval) {
    Bar& bar = bars_[t];
    bar.claim.time = t;
    bar.claim.status = BarStatus::gap;
    bar.claim.restored = bar.again = bar.absent = true;
    bar.due = now + rules.heal_after;
  }
}

// Once there is a bar with ids: it, and those before it in which nothing was seen.
void ProofTrack::doubt_first(Timestamp now, const ProofRules& rules) {
  first_ids_prove_ = true;
  std::size_t count = 0;
  for (auto b = bars_.rbegin(); b != bars_.rend() && count < first_bars; ++b, ++count) {
    if (!whole(b->second.claim) || b->second.by == By::figures) continue;
    b->second.again = true;
    b->second.by = By::none;
    b->second.due = now + rules.heal_after;
  }
}

void ProofTrack::put(const Claim& row, Timestamp now, const ProofRules& rules) {
  if ((fill_absent_ || rules.by_time) && !row.restored) fill_absent(row.time, now, rules);
  const auto [place, fresh] = bars_.try_emplace(row.time);
  Bar& bar = place->second;
  // A row that was written again for its CVD alone is cut as it was.
  Claim claim = row;
  // An instrument's end has cut it, if there was a bar before: the rest may be had.
  const bool ended = rules.by_time && row.status == BarStatus::partial && place != bars_.begin();
  claim.cut = row.cut || bar.claim.cut || ended;
  if (claim.cut && claim.status == BarStatus::partial) claim.status = BarStatus::gap;
  if (fresh) bar.unit = claim.time < unit_since_;
  if (!fresh && claim.rev < bar.claim.rev) return;
  // A gap that is told of once more, or for the first time, after it was made again: that did not take effect.
  const bool still_gap =
      claim.status == BarStatus::gap && bar.by != By::none && (bar.absent || claim.rev > bar.claim.rev);
  bar.absent = false;
  const bool news = fresh || still_gap || !same(bar.claim, claim) || bar.claim.status != claim.status;
  const bool restored = claim.restored || (!fresh && bar.claim.restored && !news);
  const bool numbers = fresh || !same(bar.claim, claim);
  bar.claim = claim;
  bar.claim.restored = restored;
  if (!news) return;
  if (numbers) bar.compared = rules.candle.us == 0 || !comparable(claim);
  if (claim.status == BarStatus::gap || numbers) bar.by = comparable(claim) ? By::none : By::ids;
  if (claim.status == BarStatus::gap) {
    if (bar.due.us == 0 || still_gap) bar.due = now + rules.heal_after;
  } else if (bar.again && !claim.restored) {
    bar.again = false;
  }
  if (!first_ids_prove_ && claim.first_id && rules.candle != rules.interval) doubt_first(now, rules);
}

void ProofTrack::restored(Timestamp now, const ProofRules& rules, bool ids_are_a_sequence) {
  if (bars_.empty()) return;
  const Timestamp end = bars_.rbegin()->first + rules.interval;
  // Bars between them of which there is no row: nobody ran, and they are to be made of history.
  for (Timestamp t = bars_.begin()->first; t < end && bars_.size() < size_max; t = t + rules.interval) {
    const auto [bar, missing] = bars_.try_emplace(t);
    if (!missing) continue;
    bar->second.claim.time = t;
    bar->second.claim.status = BarStatus::gap;
    bar->second.claim.restored = bar->second.absent = true;
  }
  std::optional<std::uint64_t> before;
  for (auto& [time, bar] : bars_) {
    if (!bar.claim.restored) continue;
    const bool joined = !before || !bar.claim.first_id || *bar.claim.first_id == *before + 1;
    if (bar.claim.last_id) before = bar.claim.last_id;
    if (!comparable(bar.claim)) continue;
    const bool at_the_end = time + rules.interval + tail > end || time + Duration{2 * rules.interval.us} > end;
    bar.again = at_the_end || (ids_are_a_sequence && !joined) || bar.claim.status == BarStatus::gap;
    // Where trades can't be addressed the page of the newest holds them for a while only.
    if (bar.again) bar.due = ids_are_a_sequence ? now + rules.heal_after : now;
    if (!bar.again && ids_are_a_sequence && rules.candle.us == 0) bar.by = By::ids;
  }
}

void ProofTrack::ids_until(Timestamp time, const ProofRules& rules) {
  for (auto& [start, bar] : bars_) {
    if (start + rules.interval > time) return;
    if (bar.by == By::none && whole(bar.claim) && !bar.claim.restored && !bar.again && !bar.refuted) {
      bar.by = By::ids;
    }
  }
}

void ProofTrack::quiet_until(Timestamp time, const ProofRules& rules) { ids_until(time, rules); }

std::optional<BarSpan> ProofTrack::to_compare(Timestamp now, Duration age, const ProofRules& rules) const {
  if (rules.candle.us == 0) return std::nullopt;
  std::optional<BarSpan> span;
  for (const auto& [time, bar] : bars_) {
    const Timestamp from = bar_start(time, rules.candle), to = from + rules.candle;
    if (to + rules.settles > now) break;
    if (bar.compared) continue;
    if (!span) {
      // A restored one does not wait for company.
      if (to + age > now && !bar.claim.restored) return std::nullopt;
      span = BarSpan{from, to};
    }
    span->to = to;
  }
  return span;
}

std::optional<BarSpan> ProofTrack::to_remake(Timestamp now, const ProofRules& rules) const {
  const auto wanted = [](const Bar& bar) {
    return (bar.again || bar.refuted || bar.claim.status == BarStatus::gap) && bar.due.us != 0 &&
           bar.attempts <= pauses.size() && bar.by == By::none;
  };
  // Who was tried least, then who is oldest: what can't be had must not keep others from their turn.
  auto first = bars_.end();
  for (auto b = bars_.begin(); b != bars_.end(); ++b) {
    const bool due = wanted(b->second) && b->second.due <= now && b->first + rules.interval + rules.settles <= now;
    if (due && (first == bars_.end() || b->second.attempts < first->second.attempts)) first = b;
  }
  std::optional<BarSpan> span;
  for (auto b = first; b != bars_.end() && wanted(b->second); ++b) {
    if (span && (b->first != span->to || (span->to - span->from).us >= bars_max * rules.interval.us)) break;
    if (!span) span = BarSpan{b->first, b->first};
    span->to = b->first + rules.interval;
  }
  if (!span || rules.candle.us == 0) return span;
  // As many whole candles as there are, all of whose bars are there and over: what is made again can be held against
  // them. Else what lies in the first alone, so that it takes no other from its candle.
  BarSpan whole{bar_start(span->from, rules.candle), bar_start(span->from, rules.candle)};
  while (whole.to < span->to && whole.to + rules.candle + rules.settles <= now &&
         sum({whole.to, whole.to + rules.candle}, rules).has_value()) {
    whole.to = whole.to + rules.candle;
  }
  if (whole.to > whole.from) return whole;
  return BarSpan{span->from, std::min(span->to, whole.from + rules.candle)};
}

std::optional<Claim> ProofTrack::sum(BarSpan span, const ProofRules& rules) const {
  Claim out;
  out.time = span.from;
  out.status = BarStatus::live;
  for (Timestamp t = span.from; t < span.to; t = t + rules.interval) {
    const auto bar = bars_.find(t);
    if (bar == bars_.end() || !comparable(bar->second.claim) || !add(out, bar->second.claim)) return std::nullopt;
  }
  return out;
}

bool ProofTrack::by_ids(BarSpan span) const {
  const auto from = bars_.lower_bound(span.from), to = bars_.lower_bound(span.to);
  return std::all_of(from, to, [](const auto& b) { return b.second.by == By::ids && !b.second.claim.restored; });
}

bool ProofTrack::any_gap(BarSpan span) const {
  const auto from = bars_.lower_bound(span.from), to = bars_.lower_bound(span.to);
  return std::any_of(from, to, [](const auto& b) { return b.second.claim.status == BarStatus::gap; });
}

void ProofTrack::agreed(BarSpan span) {
  each(span, [](Bar& bar) {
    bar.compared = true;
    bar.again = bar.refuted = bar.unit = false;
    bar.by = By::figures;
  });
}

void ProofTrack::not_judged(BarSpan span, bool ids_are_a_sequence) {
  each(span, [&](Bar& bar) {
    bar.compared = true;
    const bool doubted = bar.again || bar.refuted || bar.by != By::none || !whole(bar.claim);
    if (ids_are_a_sequence && bar.claim.restored && !doubted) bar.by = By::ids;
  });
}

void ProofTrack::refuted(BarSpan span, Timestamp now) {
  each(span, [&](Bar& bar) {
    bar.compared = bar.refuted = true;
    bar.by = By::none;
    bar.attempts = 0;
    bar.due = now;
  });
}

bool ProofTrack::lacks(const Claim& theirs, Timestamp now, const ProofRules& rules) {
  const auto bar = bars_.find(theirs.time);
  if (bar == bars_.end() || !bar->second.claim.restored || !whole(bar->second.claim) || bar->second.refuted)
    return false;
  if (theirs.buys <= bar->second.claim.buys && theirs.sells <= bar->second.claim.sells) return false;
  refuted({theirs.time, theirs.time + rules.interval}, now);
  return true;
}

void ProofTrack::doubt_unit(BarSpan span, Timestamp now) {
  refuted(span, now);
  each(span, [](Bar& bar) {
    bar.unit = true;
    bar.compared = false;
  });
}

void ProofTrack::unit_since(Timestamp time) {
  unit_since_ = std::max(unit_since_, time);
  each({bars_.empty() ? time : bars_.begin()->first, time}, [](Bar& bar) { bar.unit = true; });
}

bool ProofTrack::unit_in_doubt(BarSpan span) const {
  const auto from = bars_.lower_bound(span.from), to = bars_.lower_bound(span.to);
  return std::any_of(from, to, [](const auto& b) { return b.second.unit; });
}

bool ProofTrack::is_refuted(BarSpan span) const {
  const auto from = bars_.lower_bound(span.from), to = bars_.lower_bound(span.to);
  return std::any_of(from, to, [](const auto& b) { return b.second.refuted; });
}

void ProofTrack::failed(BarSpan span, Timestamp now) {
  each(span, [&](Bar& bar) {
    const std::size_t pause = std::min<std::size_t>(bar.attempts, pauses.size() - 1);
    ++bar.attempts;
    bar.due = now + pauses[pause];
  });
}

void ProofTrack::remade(BarSpan span) {
  each(span, [](Bar& bar) {
    bar.again = bar.refuted = bar.unit = false;
    bar.claim.restored = false;
    bar.by = By::figures;
    bar.attempts = 0;
  });
}

std::optional<std::uint64_t> ProofTrack::ask_from(Timestamp from, std::uint64_t newest) const {
  const auto begin = bars_.lower_bound(from);
  std::optional<std::uint64_t> anew;  // of bars between that have the new numbers
  for (auto b = std::make_reverse_iterator(begin); b != bars_.rend(); ++b) {
    const Claim& claim = b->second.claim;
    if (!claim.last_id) continue;
    if (*claim.last_id > newest) return anew;
    if (whole(claim)) return claim.last_id;
    anew = claim.first_id;
  }
  for (auto b = begin; b != bars_.end(); ++b) {
    if (b->second.claim.first_id) return b->second.claim.first_id;
  }
  return newest;
}

std::vector<std::uint64_t> ProofTrack::ids_of(BarSpan span) const {
  std::vector<std::uint64_t> ids;
  for (auto b = bars_.lower_bound(span.from); b != bars_.end() && b->first < span.to; ++b) {
    for (const auto& id : {b->second.claim.first_id, b->second.claim.last_id}) {
      if (id) ids.push_back(*id);
    }
  }
  return ids;
}

bool ProofTrack::knows_below(std::uint64_t id) const {
  return std::ranges::any_of(bars_,
                             [&](const auto& b) { return b.second.claim.first_id && *b.second.claim.first_id < id; });
}

bool ProofTrack::traded(BarSpan span) const {
  const auto from = bars_.lower_bound(span.from), to = bars_.lower_bound(span.to);
  return std::any_of(from, to, [](const auto& b) { return b.second.claim.buys + b.second.claim.sells > 0; });
}

std::optional<Timestamp> ProofTrack::proven_until(const ProofRules& rules) const {
  for (const auto& [time, bar] : bars_) {
    if (bar.by == By::none) return time;
  }
  return bars_.empty() ? proven_ : bars_.rbegin()->first + rules.interval;
}

void ProofTrack::prune(Timestamp now, Duration keep) {
  while (!bars_.empty()) {
    const auto& [time, bar] = *bars_.begin();
    const bool finished = done(bar) || bar.attempts > pauses.size();
    if (bars_.size() <= size_max && (!finished || time + keep > now)) return;
    if (bar.by != By::none) proven_ = time;
    bars_.erase(bars_.begin());
  }
}

}  // namespace cvdd
