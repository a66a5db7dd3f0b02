// What the clients of /api/v1/stream are told. io thread.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "client.hpp"
#include "groups.hpp"
#include "live.hpp"

namespace cvdd::web {

// What all streams know of each instrument: only what changed is told again.
struct Known {
  FeedState state = FeedState::unlisted;
  Timestamp bar, last_trade;
  Decimal cvd_base, cvd_quote;
  std::uint64_t fills = 0;
  std::optional<BarStatus> written = std::nullopt;  // for what is told in short
  bool operator==(const Known&) const = default;
};
struct Told {
  std::unordered_map<const Instrument*, Known> listed;
  std::map<Board::Key, Known> unlisted;
  // Whether it is news; from now on it is not.
  [[nodiscard]] bool changes(const InstrumentState& state, const Known& now);
  // Those that are collected no more are forgotten: another may come to lie where one of them did.
  void forget_gone(const Snapshot& snapshot);
};

using Streams = std::vector<std::shared_ptr<StreamClient>>;
void tell_rows(const Streams& streams, std::span<const Row> rows);
// Which instruments are new, and which are collected no more; nothing if none is.
void tell_list(const Streams& streams, const Live::Changes& changes, Timestamp time);
// Which groups there are by now.
void tell_names(const Streams& streams, const std::vector<std::string>& groups, Timestamp time);
// Those of [from, to) that are in `names`, in full, into one message for a client; false: none is.
bool append_items(std::string& out, const InstrumentNames& names, Spark spark, const Snapshot& snapshot,
                  std::size_t from, std::size_t to, const Board& board);
// The beginning of such a message; "]}" ends it.
[[nodiscard]] std::string items_head(Spark spark, Timestamp time);
// One group that a client wants: in full if it was told nothing of it, else if it changed. `told`: what it is told by
// now.
using GroupsTold = std::map<std::string, std::string>;
bool append_group_news(std::string& items, StreamClient& client, const GroupAsked& asked, Spark spark, Groups& groups,
                       const Snapshot& snapshot, const Board& board, GroupsTold& told);
// In short, to those who want the rest: those of [from, to) that changed, and all of them to the fresh ones.
void tell_rest(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               const Board& board, Told& told);
// Of the instruments [from, to) of the snapshot: those that changed, and all of them to the fresh ones.
void tell_open(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               Told& told);

}  // namespace cvdd::web
