// All groups that there are or that somebody picked, and what each of them is now. io thread.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "group.hpp"
#include "live.hpp"
#include "want.hpp"

namespace cvdd::web {

class Groups {
 public:
  // Those of the symbol list, as it is now.
  // Whether they have changed.
  bool define(const std::vector<GroupWanted>& wanted);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // As append_group, full; false: the symbol list has none of that name (any more), or a picked one has no member here.
  bool append(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board, Spark spark);
  // The same, not full, made once for each snapshot. `members`: they are added to it.
  bool append_short(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board,
                    InstrumentNames& members);
  // Some instruments are collected no more.
  void some_are_gone();
  // Picked ones that nobody has asked for since the last call are forgotten.
  void tidy();

 private:
  struct Entry {
    explicit Entry(Group group) : members(std::move(group)) {}
    GroupMembers members;
    bool asked = true;
    Timestamp made;    // of which snapshot the following is
    std::string text;  // empty: it has no member
    InstrumentNames names;
  };
  [[nodiscard]] Entry* find(const GroupAsked& asked);
  static bool append(std::string& out, Entry& entry, const Snapshot& snapshot, const Board& board, Spark spark,
                     bool full);
  std::vector<GroupWanted> wanted_;
  std::vector<std::string> names_;
  std::map<std::string, Entry> listed_;
  std::map<std::string, Entry> picked_;  // as many as all streams may want
};

}  // namespace cvdd::web
