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
  void define(const std::vector<GroupWanted>& wanted);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // As append_group; false: the symbol list has none of that name (any more), or a picked one has no member here.
  // `members`: they are added to it.
  bool append(std::string& out, const GroupAsked& asked, const Snapshot& snapshot, const Board& board, Spark spark,
              InstrumentNames* members = nullptr);
  // Picked ones that nobody has asked for since the last call are forgotten.
  void tidy();

 private:
  struct Entry {
    GroupMembers members;
    bool asked = true;
  };
  std::vector<GroupWanted> wanted_;
  std::vector<std::string> names_;
  std::map<std::string, GroupMembers> listed_;
  std::map<std::string, Entry> picked_;  // as many as all streams may want
};

}  // namespace cvdd::web
