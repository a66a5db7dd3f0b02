// What may be missing of an instrument's bars: a hole, that is ids that have not come, or a loss, that is a time in
// which nobody listened; and what becomes of the bars when it is settled. Plain values and pure functions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/rebuilder.hpp"

namespace cvdd {

// `at` is the bar that counts the ids, the bars in [touch_from, at) say "?": they may be of any of them. If the ids
// can't be had all bars from doubt_from on are in doubt, what the files have included.
struct Hole {
  std::uint64_t first = 0, last = 0, left = 0;  // left: those that have not come
  Timestamp at, touch_from;
  Timestamp cut_from;    // bars from here on to `at` are whole once the hole is closed
  Timestamp doubt_from;  // the bar of the trade before
  bool cut = false;      // we were cut off (as against: messages came out of order)
  [[nodiscard]] bool touches(Timestamp bar) const { return bar >= touch_from && bar < at; }
  [[nodiscard]] bool has_any(std::uint64_t from, std::uint64_t to) const { return to >= first && from <= last; }
};

// Nothing is known of the bars [from, to] until the next trade's id tells how many trades that was.
struct Loss {
  enum class Cause : std::uint8_t {
    cut,      // the connection was lost, or mute
    absence,  // the process had not begun
    doubt,    // nothing shows that anything was lost
  };
  Timestamp from;          // first bar concerned
  Timestamp to;            // last bar concerned, once over
  Timestamp visible_from;  // bars before this keep what they said when the daemon stopped
  bool open = true;        // still cut off
  Cause cause = Cause::cut;
  // Another one comes before this one is settled: they are one.
  void merge(const Loss& other) {
    if (cause != other.cause) cause = Cause::cut;
    from = std::min(from, other.from);
    visible_from = std::min(visible_from, other.visible_from);
    if (!open && !other.open) to = std::max(to, other.to);
    open = open || other.open;
  }
};

// Every id of the hole is there now.
void close(const Hole& hole, BarSeries& bars, const Rebuilder& rebuilder);
// It is not to be had: its bars are in doubt for good, or until they are proven or made again.
void give_up(const Hole& hole, BarSeries& bars);
void give_up(const Loss& loss, BarSeries& bars);
// Nothing was missed before the bar `until`, and in it if it is the last that was concerned. Ids show that where they
// are known before and after: from the bar `ids_since` on. False: the rest of the loss, which begins there now, is
// left.
[[nodiscard]] bool settle(Loss& loss, Timestamp until, Timestamp ids_since, BarSeries& bars,
                          const Rebuilder& rebuilder);

}  // namespace cvdd
