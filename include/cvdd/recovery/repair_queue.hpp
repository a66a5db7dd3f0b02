// What is to be fetched from the exchange's history, and in which order. Pure: times come in.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

struct Repair {
  const Instrument* instrument = nullptr;
  // Ids [first, last]. `last` 0: whatever there is from `first` on (nothing was heard since a cut).
  std::uint64_t first = 0, last = 0;
  std::chrono::steady_clock::time_point due;
  unsigned attempts = 0;   // without progress
  bool recent = false;     // ids have no order: the newest trades there are
  bool by_trades = false;  // candles would not do
  bool lull = false;       // a question about a whole connection
  bool question = false;   // nothing is known to be missing: is it quiet, or are we deaf?
  std::size_t rows = 0;    // the exchange cuts its pages to so many; 0: not that we know
  // Of opaque ids: it was silent in this time, and speaks again. Was it silent? 0: that is not the question.
  Timestamp silent_from{}, silent_to{};
  // Where ids can't be asked for: none of these trades was made before.
  Timestamp since{};
  bool newest = false;      // of an instrument that was quiet: has it traded since?
  bool improbable = false;  // its silence was no chance, so that what can't be known is a gap
};

// How far a page brought a repair.
struct RepairProgress {
  enum class Next : std::uint8_t {
    more,   // the next page begins at `first`
    cut,    // the page does not reach back to `first`: to be asked again at once, for `rows`
    done,   // all that the exchange has was there
    later,  // nothing came: try again later
  } next = Next::done;
  std::uint64_t first = 0;
  std::size_t rows = 0;  // see Repair
};
// `page`: the answer to this repair's instrument; `asked`: how many rows it was asked for. `short_is_end`: see
// Exchange.
[[nodiscard]] RepairProgress judge_page(const Repair& repair, const HistoryPage& page, std::size_t asked,
                                        bool short_is_end = true);

class RepairQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // False if the queue is full (its hole stays a gap).
  [[nodiscard]] bool add(Repair repair);
  // The newest one that is due: what was lost last can still be had everywhere, and is looked at first.
  [[nodiscard]] std::optional<Repair> take(Time now);
  // Tries again after a while; false if it has been tried often enough.
  [[nodiscard]] bool again(Repair repair, Time now);
  // The repair with whose first id a page of `rows` had best begin, so that it holds this repair's beginning and, for
  // nothing, as many older holes of the same instrument as fit before it.
  [[nodiscard]] Repair best_begin(const Repair& repair, std::uint64_t rows) const;
  // When the next one is due; empty: there is none.
  [[nodiscard]] std::optional<Time> next_due() const;
  // Whether the question about a silence of the instrument waits.
  [[nodiscard]] bool asks(const Instrument& instrument) const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&](const Repair& r) { return r.instrument == &instrument && r.silent_from.us != 0; });
  }
  // Whether something of the instrument waits that is known to be missing.
  [[nodiscard]] bool has(const Instrument& instrument) const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&](const Repair& r) { return r.instrument == &instrument && !r.question && r.last != 0; });
  }
  // Nothing of it is wanted any more. How many of them were questions.
  std::size_t forget(const Instrument& instrument) {
    std::size_t questions = 0;
    std::erase_if(waiting_, [&](const Repair& r) {
      questions += r.instrument == &instrument && r.question ? 1U : 0U;
      return r.instrument == &instrument;
    });
    return questions;
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  static constexpr std::size_t waiting_max = 20'000;
  // From the first look to the last, half an hour.
  static constexpr std::array<std::chrono::seconds, 11> pauses{
      std::chrono::seconds(2),   std::chrono::seconds(5),   std::chrono::seconds(10), std::chrono::seconds(20),
      std::chrono::seconds(40),  std::chrono::seconds(60),  std::chrono::seconds(60), std::chrono::seconds(120),
      std::chrono::seconds(300), std::chrono::seconds(600), std::chrono::seconds(900)};

 private:
  std::vector<Repair> waiting_;  // in the order they were found
};

}  // namespace cvdd
