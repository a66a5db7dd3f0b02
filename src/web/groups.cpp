#include "groups.hpp"

namespace cvdd::web {

void Groups::define(const std::vector<GroupWanted>& wanted) {
  if (wanted == wanted_) return;
  wanted_ = wanted;
  names_.clear();
  listed_.clear();
  for (const GroupWanted& group : wanted) {
    names_.push_back(group.name);
    listed_.emplace(group.name, GroupMembers(Group{group}));
  }
}

bool Groups::append(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board,
                    Spark spark, InstrumentNames* names) {
  GroupMembers* members = nullptr;
  if (const auto* name = std::get_if<std::string>(&asked)) {
    const auto found = listed_.find(*name);
    if (found == listed_.end()) return false;
    members = &found->second;
  } else {
    Group group{std::get<std::vector<InstrumentName>>(asked)};
    std::string key = group.name();
    Entry& entry = picked_.try_emplace(std::move(key), Entry{GroupMembers(std::move(group))}).first->second;
    entry.asked = true;
    members = &entry.members;
  }
  std::vector<GroupMember> found;
  for (const InstrumentState& state : snapshot.states) {
    if (!members->has(state)) continue;
    found.push_back({&state, snapshot.open_of(state), board.find({{state.exchange, state.market}, state.symbol})});
  }
  for (const GroupMember& m : found) {
    if (names == nullptr) break;
    const std::tuple parts(std::string_view(m.state->exchange), m.state->market, std::string_view(m.state->symbol));
    if (!names->contains(parts)) names->insert({m.state->exchange, m.state->market, m.state->symbol});
  }
  if (found.empty() && members->group().picked()) return false;
  append_group(out, members->group(), found, snapshot.time, board.interval(), spark);
  return true;
}

void Groups::tidy() {
  for (auto e = picked_.begin(); e != picked_.end();) {
    e = std::exchange(e->second.asked, false) ? std::next(e) : picked_.erase(e);
  }
}

}  // namespace cvdd::web
