// Groups of instruments: whose CVDs are summed, and what the sum is now. Pure; exact.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "board.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/config/group_members.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "cvdd/ledger/open_bar.hpp"
#include "json.hpp"
#include "query.hpp"

namespace cvdd::web {

// Of a group of the symbol list its definition; of instruments that somebody picked their names.
struct Group {
  std::variant<GroupWanted, std::vector<InstrumentName>> of;
  // What it is asked for by: "btc", or "a:spot:X,b:linear:Y".
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool picked() const { return of.index() == 1; }
  [[nodiscard]] bool has(const InstrumentState& state) const;
};

// One of each group, with what was found before: whether an instrument belongs to it is asked every second.
class GroupMembers {
 public:
  explicit GroupMembers(Group group) : group_(std::move(group)) {}
  [[nodiscard]] const Group& group() const { return group_; }
  [[nodiscard]] bool has(const InstrumentState& state);
  // Some instruments are collected no more: another may come to lie where one of them did.
  void some_are_gone();
  // Looks at what is beside the members once more, if there are other instruments than before. `states`: all there are.
  void look(std::span<const InstrumentState> states);
  // Members as the symbol list has them, which match nothing that is collected.
  [[nodiscard]] std::vector<std::string> unmatched() const;
  // Collected instruments of the members' coin and of their kinds (market, dated or not), which are no members.
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  void note_matches(const InstrumentState& state);
  Group group_;
  std::unordered_map<const Instrument*, bool> known_;
  std::vector<bool> matched_;  // of each member of the definition
  std::vector<std::string> left_out_;
  bool looked_ = false;
};

// Sums over what has one unit alone; dollars of all kinds count as USD where they differ. "": they have none in common.
class CommonUnit {
 public:
  void add(std::string_view unit);
  [[nodiscard]] std::string_view get() const;
  // "BTC, ETH, …": of those that have none in common, some.
  [[nodiscard]] std::string differing() const;

 private:
  std::vector<std::string> units_;  // that differ; as many as are told
  bool dollars_ = true;
};

// A sum that may end where numbers end: then there is none.
class Sum {
 public:
  void add(const std::optional<Decimal>& value) {
    if (value_ && value) {
      value_ = cvdd::add(*value_, *value);
    } else {
      value_.reset();
    }
  }
  [[nodiscard]] const std::optional<Decimal>& get() const { return value_; }

 private:
  std::optional<Decimal> value_ = Decimal{};
};

// How bad it is that a bar of a group has one of these: the higher, the worse.
[[nodiscard]] int gravity(BarStatus status);

inline constexpr std::size_t group_members_max = 200;

struct GroupMember {
  const InstrumentState* state = nullptr;
  const OpenBar* open = nullptr;        // may be null: it does not count yet
  const Board::Track* track = nullptr;  // may be null
};
// As one of /api/v1/instruments, with "group" or "instruments" in place of the name. `full`: with its members, and a
// sparkline where one is wanted. Of more than group_members_max nothing is summed.
void append_group(std::string& out, const GroupMembers& group, std::span<const GroupMember> members, Timestamp now,
                  Duration interval, Spark spark, bool full);

// "BTC spot: binance:spot:BTCUSDX" of each member of a group that matches nothing of `states`.
[[nodiscard]] std::vector<std::string> unmatched_members(const std::vector<GroupWanted>& groups,
                                                         std::span<const InstrumentState> states);

}  // namespace cvdd::web
