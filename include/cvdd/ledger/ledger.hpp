// Trades and marks → bars → rows: minute bucketing by trade time, CVD, quiet bars, revisions, and what is missing. All
// instruments together: whose record it is, whose rows come first, and whose clock they close by. Pure: time comes in
// as an argument. Owned and used by the aggregator thread (or by replay) alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/account.hpp"
#include "cvdd/ledger/ledger_options.hpp"
#include "cvdd/ledger/ledger_output.hpp"
#include "cvdd/ledger/open_bar.hpp"

namespace cvdd {

class Ledger {
 public:
  explicit Ledger(LedgerOptions options) : options_(options) {}

  // Instruments are known by Instrument::id; adding one twice is a programmer error.
  void add_instrument(const Instrument& instrument);
  [[nodiscard]] bool knows(std::uint32_t instrument) const;
  // Continues after the newest row of the files. Before the instrument's first record.
  // `last_id`: of its newest trade, which may belong to an earlier bar; empty if there never was one, or if rows don't
  // print the ids by which holes are seen.
  void restore(std::uint32_t instrument, const Row& newest, std::optional<std::uint64_t> last_id);
  // The same, with bars before the newest that are to be made again (plan_rebuilds): oldest first, the newest last.
  void restore(std::uint32_t instrument, std::span<const Row> rows, std::optional<std::uint64_t> last_id);

  // No row of the instrument is told until its candles are there: a new one's CVD begins with them, a known one's goes
  // on with them. Before its first record, after restore. Ends by itself after bars_kept_max bars.
  void hold(std::uint32_t instrument);
  // The next `candles` record of the instrument is about these: of bars whose trades can't be had, or cost too much to
  // fetch; oldest first, at bar starts.
  void give_candles(std::uint32_t instrument, std::vector<Candle> candles);
  // Rows of bars before those in memory, which candles made: due at once.
  [[nodiscard]] std::vector<Row> take_ready() { return std::exchange(out_.ready, {}); }

  // The instrument's volume is counted by the size of its trades too. After restore, before its first record. `known`:
  // what the files say of the bars that were restored, or else the newest rows of its buckets; of other buckets:
  // nothing is gone on with.
  void count_flow(std::uint32_t instrument, std::shared_ptr<const SizeBuckets> buckets, std::span<const FlowRow> known);
  // Rows of the flow file that belong to the rows told since the last call.
  [[nodiscard]] std::vector<FlowRow> take_flow_rows();

  void apply(const Record& record);
  // These records come before long, or next: what they will touch is on its way from memory, all of it at once.
  void expect(std::span<const Record> records) const;
  void expect_now(std::span<const Record> records) const;

  // Appends the rows that are due: of every bar that ends at or before `upto`, and revisions of older ones;
  // ordered by time, instruments in the order they were added.
  void close(Timestamp upto, std::vector<Row>& rows);
  // The end of the run at `now`: as close, and the bars that end after `whole_until` as `partial`.
  void finish(Timestamp whole_until, Timestamp now, std::vector<Row>& rows);

  // Event time, as close: each exchange and market by its own clock, the newest trade time seen there less `delay`.
  // One market's messages may reach us long before another's, so one clock for all would close bars too early.
  void close_by_event(Duration delay, std::vector<Row>& rows);
  // Whether a bar has ended by event time since the last close_by_event.
  [[nodiscard]] bool event_due(Duration delay) const;

  // Appends the bar that is open at `now` of every instrument that has begun and not ended.
  void open_bars(Timestamp now, std::vector<OpenBar>& out) const;
  // Instruments whose newest written bar says gap.
  [[nodiscard]] std::size_t gaps() const;

  // The newest trade time seen of any instrument; empty before the first trade.
  [[nodiscard]] std::optional<Timestamp> newest_trade() const { return newest_trade_; }
  [[nodiscard]] const LedgerCounters& counters() const { return out_.counters; }
  // Instruments stopped by an overflow since the last call: one message each.
  [[nodiscard]] std::vector<std::string> take_errors() { return std::exchange(out_.errors, {}); }

  static constexpr std::size_t absence_max = LedgerOptions::absence_max;

 private:
  // The event clock of one exchange and market.
  struct EventClock {
    std::string exchange;
    Market market = Market::spot;
    Timestamp newest, closed;
  };
  void trade(Account& account, const Record& record);

  LedgerOptions options_;
  std::vector<Account> accounts_;     // by Instrument::id
  std::vector<std::uint32_t> order_;  // ids in the order they were added
  std::vector<EventClock> clocks_;
  std::optional<Timestamp> newest_trade_;
  LedgerOutput out_;
};

}  // namespace cvdd
