#include "groups.hpp"

#include "asked.hpp"

namespace cvdd::web {

bool Groups::define(const std::vector<GroupWanted>& wanted) {
  if (wanted == wanted_) return false;
  wanted_ = wanted;
  names_.clear();
  listed_.clear();
  for (const GroupWanted& group : wanted) {
    names_.push_back(group.name);
    listed_.emplace(group.name, Group{group});
  }
  return true;
}

Groups::Entry* Groups::find(const GroupAsked& asked) {
  if (const auto* name = std::get_if<std::string>(&asked)) {
    auto found = listed_.find(*name);
    if (const std::size_t place = found == listed_.end() ? place_of(*name, names_) : nobody; place != nobody) {
      found = listed_.find(names_[place]);
    }
    return found == listed_.end() ? nullptr : &found->second;
  }
  Group group{std::get<std::vector<InstrumentName>>(asked)};
  std::string key = group.name();
  Entry& entry = picked_.try_emplace(std::move(key), std::move(group)).first->second;
  entry.asked = true;
  return &entry;
}

bool Groups::append(std::string& out, Entry& entry, const Snapshot& snapshot, const Board& board, Spark spark,
                    bool full) {
  std::vector<GroupMember> found;
  entry.names.clear();
  for (const InstrumentState& state : snapshot.states) {
    if (!entry.members.has(state)) continue;
    found.push_back({&state, snapshot.open_of(state), board.find({{state.exchange, state.market}, state.symbol})});
    if (found.size() <= group_members_max) entry.names.insert({state.exchange, state.market, state.symbol});
  }
  const Group& group = entry.members.group();
  if (found.empty() && group.picked()) return false;
  entry.members.look(snapshot.states);
  append_group(out, entry.members, found, snapshot.time, board.interval(), spark, full);
  return true;
}

bool Groups::append(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board,
                    Spark spark) {
  Entry* const entry = find(asked);
  return entry != nullptr && append(out, *entry, snapshot, board, spark, true);
}

bool Groups::append_short(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board,
                          InstrumentNames& members) {
  Entry* const entry = find(asked);
  if (entry == nullptr) return false;
  if (entry->made != snapshot.time) {
    entry->text.clear();
    (void)append(entry->text, *entry, snapshot, board, Spark::none, false);
    entry->made = snapshot.time;
  }
  members.insert(entry->names.begin(), entry->names.end());
  out += entry->text;
  return !entry->text.empty();
}

void Groups::some_are_gone() {
  for (auto* groups : {&listed_, &picked_}) {
    for (auto& [name, entry] : *groups) entry.members.some_are_gone();
  }
}

void Groups::tidy() {
  for (auto e = picked_.begin(); e != picked_.end();) {
    e = std::exchange(e->second.asked, false) ? std::next(e) : picked_.erase(e);
  }
}

}  // namespace cvdd::web
