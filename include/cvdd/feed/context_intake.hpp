// What stands beside the trades, on its way to the bars: of a bar the newest value of each kind, and every forced
// order. It shares nothing with the trades' intake. Pure but for the ring: times come in; io thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cvdd/exchanges/parsed.hpp"
#include "cvdd/pipeline/context_ring.hpp"

namespace cvdd {

struct ContextCounters {
  std::uint64_t values = 0;   // that came, before the newest of a bar was chosen
  std::uint64_t orders = 0;   // forced ones
  std::uint64_t refused = 0;  // rows that can't be read, or are of times to come
  std::uint64_t dropped = 0;  // the ring was full
  std::uint64_t lost = 0;     // feeds that were cut: instruments × kinds
};

class ContextIntake {
 public:
  // `interval`: of the bars.
  ContextIntake(Duration interval, std::shared_ptr<ContextRing> ring) : interval_(interval), ring_(std::move(ring)) {}

  // The instrument must stay until it is removed.
  void add(const Instrument& instrument, DataKinds kinds);
  void remove(const Instrument& instrument, Timestamp now);

  // What a message told. A value of a kind that was not subscribed confirms it. What the exchange gave no time was made
  // at `now`.
  void take(const Parsed& parsed, Timestamp now);
  void subscribed(const Instrument& instrument, DataKinds kinds, Timestamp now);
  void lost(const Instrument& instrument, DataKinds kinds, Timestamp since);
  void refused(const Instrument& instrument, DataKinds kinds, Timestamp now);
  // Hands on what belongs to bars that ended before `now`, and what there was no room for.
  void flush(Timestamp now);

  [[nodiscard]] const ContextCounters& counters() const { return counters_; }
  // How many feeds (instruments × kinds) there are, and how many of them are subscribed.
  [[nodiscard]] std::pair<std::size_t, std::size_t> feeds() const;

  // A value further ahead of the clock than this is refused, as a trade is.
  static constexpr Duration ahead_max = seconds(60);

 private:
  using What = FeedMark::What;
  struct Feed {
    std::optional<What> state;        // empty: it has not begun
    std::optional<Timestamp> untold;  // a value or a mark found no room: nothing is known since then
  };
  struct Held {
    const Instrument* instrument = nullptr;
    DataKinds kinds;
    std::array<Feed, static_cast<std::size_t>(DataKind::count_)> feeds;
    std::optional<BestPrices> book;
    std::optional<MarkPrice> mark;
    std::optional<FundingRate> funding;
    std::optional<OpenInterest> open_interest;
  };
  [[nodiscard]] static Feed& feed(Held& held, DataKind kind) { return held.feeds[static_cast<std::size_t>(kind)]; }
  template <class Value>
  void take_all(std::span<const Value> values, DataKind kind, std::optional<Value> Held::*member, Timestamp now);
  [[nodiscard]] Held* held_of(const Instrument* instrument, DataKind kind, Timestamp time, Timestamp now);
  template <class Value>
  void hand_on(Held& held, DataKind kind, std::optional<Value>& value);
  void say(Held& held, DataKind kind, What what, Timestamp time);
  void say_untold(Held& held, Timestamp now);
  void miss(Held& held, DataKind kind, Timestamp time);

  Duration interval_;
  std::shared_ptr<ContextRing> ring_;
  std::map<std::uint32_t, Held> held_;                       // by the instrument's number
  std::vector<std::pair<std::uint32_t, Timestamp>> ending_;  // for whose end there was no room; bounded by instruments
  ContextCounters counters_;
};

}  // namespace cvdd
