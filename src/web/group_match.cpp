// Which instruments a group has, which it could have been meant to have, and which of its members match none.
#include <algorithm>
#include <set>

#include "group.hpp"

namespace cvdd::web {

namespace {
std::string name_of_state(const InstrumentState& s) {
  return s.exchange + ":" + std::string(name_of(s.market)) + ":" + s.symbol;
}

bool matches_state(const MemberPattern& member, const InstrumentState& state) {
  return state.instrument != nullptr ? matches_member(member, *state.instrument)
                                     : matches_member(member, state.exchange, state.market, state.symbol);
}
}  // namespace

std::string Group::name() const {
  if (const auto* wanted = std::get_if<GroupWanted>(&of)) return wanted->name;
  std::string out;
  for (const InstrumentName& n : std::get<std::vector<InstrumentName>>(of)) {
    out += (out.empty() ? "" : ",") + n.exchange + ":" + std::string(name_of(n.market)) + ":" + n.symbol;
  }
  return out;
}

bool Group::has(const InstrumentState& state) const {
  if (const auto* wanted = std::get_if<GroupWanted>(&of)) {
    return state.instrument != nullptr ? is_member(*wanted, *state.instrument)
                                       : is_member(*wanted, state.exchange, state.market, state.symbol);
  }
  return std::ranges::any_of(std::get<std::vector<InstrumentName>>(of), [&](const InstrumentName& n) {
    return n.exchange == state.exchange && n.market == state.market && n.symbol == state.symbol;
  });
}

bool GroupMembers::has(const InstrumentState& state) {
  if (state.instrument == nullptr) {
    note_matches(state);
    return group_.has(state);
  }
  const auto [entry, fresh] = known_.try_emplace(state.instrument, false);
  if (fresh) {
    entry->second = group_.has(state);
    note_matches(state);
    looked_ = false;
  }
  return entry->second;
}

void GroupMembers::note_matches(const InstrumentState& state) {
  const auto* const wanted = std::get_if<GroupWanted>(&group_.of);
  if (wanted == nullptr) return;
  matched_.resize(wanted->members.size());
  for (std::size_t i = 0; i < matched_.size(); ++i) {
    if (!matched_[i] && matches_state(wanted->members[i], state)) matched_[i] = true;
  }
}

void GroupMembers::some_are_gone() {
  known_.clear();
  matched_.clear();
  looked_ = false;
}

std::vector<std::string> GroupMembers::unmatched() const {
  std::vector<std::string> out;
  const auto* const wanted = std::get_if<GroupWanted>(&group_.of);
  for (std::size_t i = 0; wanted != nullptr && i < wanted->members.size(); ++i) {
    if (i >= matched_.size() || !matched_[i]) out.push_back(to_string(wanted->members[i]));
  }
  return out;
}

void GroupMembers::look(std::span<const InstrumentState> states) {
  if (looked_) return;
  looked_ = true;
  left_out_.clear();
  if (group_.picked()) return;
  CommonUnit coin;
  std::set<std::pair<Market, bool>> kinds;
  for (const InstrumentState& s : states) {
    if (s.instrument == nullptr || !has(s)) continue;
    coin.add(s.instrument->base);
    kinds.emplace(s.market, is_dated(*s.instrument));
  }
  if (coin.get().empty()) return;
  for (const InstrumentState& s : states) {
    if (s.instrument == nullptr || has(s) || coin_name(s.instrument->base) != coin.get()) continue;
    if (kinds.contains({s.market, is_dated(*s.instrument)})) left_out_.push_back(name_of_state(s));
  }
}

std::vector<std::string> unmatched_members(const std::vector<GroupWanted>& groups,
                                           std::span<const InstrumentState> states) {
  std::vector<std::string> out;
  for (const GroupWanted& group : groups) {
    for (const MemberPattern& member : group.members) {
      const bool any = std::ranges::any_of(states, [&](const InstrumentState& s) { return matches_state(member, s); });
      if (!any) out.push_back(group.name + ": " + to_string(member));
    }
  }
  return out;
}

}  // namespace cvdd::web
