#include "cvdd/ledger/rebuild_plan.hpp"

#include <algorithm>
#include <optional>

namespace cvdd {

bool is_first_ever(std::span<const Row> rows, const Row& row) {
  return &row == &rows.front() && row.cvd_base == row.delta_base && row.cvd_quote == row.delta_quote;
}

namespace {
bool lacks_trades(std::span<const Row> rows, const Row& row) {
  return row.status == BarStatus::gap || (row.status == BarStatus::partial && !is_first_ever(rows, row));
}
}  // namespace

Numbering newest_numbering(std::span<const Row> rows, std::uint64_t newest, Duration interval) {
  constexpr std::uint64_t far_back = 100;
  Numbering out{{}, newest};
  std::uint64_t lowest = newest;
  for (std::size_t i = rows.size(); i-- > 0;) {
    for (const std::string* text : {&rows[i].last_id, &rows[i].first_id}) {
      const auto id = sequence_id(*text);
      if (!id) continue;
      if (lowest != 0 && *id > lowest + far_back) {
        out.since = rows[i].time + interval;
        return out;
      }
      out.highest = std::max(out.highest, *id);
      lowest = lowest == 0 ? *id : std::min(lowest, *id);
    }
  }
  return out;
}

bool begins_with_nothing(std::span<const Row> rows) { return !rows.empty() && is_first_ever(rows, rows.front()); }

std::vector<RebuildPlan> plan_rebuilds(std::span<const Row> rows, Duration interval) {
  std::vector<RebuildPlan> plans;
  std::optional<std::uint64_t> before;  // last id of the newest bar that is whole
  std::optional<std::uint64_t> newest;  // of all rows so far
  Timestamp after_whole;                // the end of that bar, and of the quiet ones after it
  std::optional<RebuildPlan> run;
  std::uint64_t lowest = 0, highest = 0;  // of the run's own rows; 0: none is known
  // Trades change places at a bar's end: where the run's own ids are beyond its neighbours', ids don't tell whose bar
  // the ones between are of.
  const auto finish = [&](std::uint64_t last) {
    run->last = last;
    const bool apart = lowest == 0 || (lowest >= run->first && highest <= last);
    if (apart && last + 1 >= run->first && last + 1 - run->first <= rebuild_ids_max) plans.push_back(*run);
    run.reset();
  };
  for (const Row& row : rows) {
    const auto first = sequence_id(row.first_id), last = sequence_id(row.last_id);
    if (last) newest = last;
    if (lacks_trades(rows, row)) {
      if (!run && before) {
        run = RebuildPlan{*before + 1, 0, after_whole, row.time, false, after_whole};
        lowest = highest = 0;
      }
      for (const auto& id : {first, last}) {
        if (!id) continue;
        lowest = lowest == 0 ? *id : std::min(lowest, *id);
        highest = std::max(highest, *id);
      }
      if (run) run->to = row.time;
      if (run && last) run->open_from = row.time;
      continue;
    }
    if (!run) after_whole = row.time + interval;
    if (!last || !first) continue;  // a quiet bar tells nothing of ids
    if (run) {
      run->to = row.time - interval;
      finish(*first - 1);
    }
    before = last;
    after_whole = row.time + interval;
  }
  if (run && newest) {
    run->open = true;
    finish(*newest);
  }
  return plans;
}

}  // namespace cvdd
