// Trades and marks → bars → rows: minute bucketing by trade time, CVD, quiet bars, revisions, and what is missing.
// Pure: time comes in as an argument. Owned and used by the aggregator thread (or by replay) alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/evidence.hpp"
#include "cvdd/ledger/open_bar.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"

namespace cvdd {

struct LedgerOptions {
  Duration interval = seconds(60);
  // true: an instrument's rows begin with its first trade, marks carry no usable time (replay, clock = "exchange").
  bool event_time = false;
  // true: holes may be filled from the exchange's history, so the bars they touch are kept until a verdict.
  bool repairs = false;
  // true: a bar is whole only as far as marks say that somebody watched, or ids go on. false: what is read is all that
  // there is (replay).
  bool watched = false;
};

struct LedgerCounters {
  std::uint64_t trades = 0;         // messages that moved a CVD
  std::uint64_t other = 0;          // messages beside the CVD
  std::uint64_t late = 0;           // trades of a bar that was written already
  std::uint64_t before_first = 0;   // trades of bars before the instrument's first one: dropped
  std::uint64_t too_late = 0;       // trades of bars no longer in memory: their loss is marked in the open bar
  std::uint64_t too_far_ahead = 0;  // trades more than bars_ahead_max after the newest bar: refused, marked
  std::uint64_t rows = 0;
  std::uint64_t revisions = 0;
};

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

  // What the files say of an instrument at last: what restore and count_flow go on with.
  struct Last {
    Row row;
    std::string last_id;        // of its newest trade, maybe of an earlier bar
    std::vector<FlowRow> flow;  // of the row's bar, each bucket; empty: no size buckets
  };
  // Whether rows say all that is known of it by now.
  [[nodiscard]] bool all_told(std::uint32_t instrument) const;
  // Nothing will come of it any more, and its number may become another's. Empty: it never had a row.
  std::optional<Last> forget(std::uint32_t instrument);

  // No row of the instrument is told until its candles are there: a new one's CVD begins with them, a known one's goes
  // on with them. Before its first record, after restore. Ends by itself after bars_kept_max bars.
  void hold(std::uint32_t instrument);
  // The next `candles` record of the instrument is about these: of bars whose trades can't be had, or cost too much to
  // fetch; oldest first, at bar starts.
  void give_candles(std::uint32_t instrument, std::vector<Candle> candles);
  // Rows of bars before those in memory, which candles made: due at once.
  [[nodiscard]] std::vector<Row> take_ready() { return std::exchange(ready_, {}); }

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
  [[nodiscard]] const LedgerCounters& counters() const { return counters_; }
  // Rows since the last call of instruments that have ended: maybe their last.
  [[nodiscard]] std::vector<Row> take_ended() { return std::exchange(ended_, {}); }
  // Instruments stopped by an overflow since the last call: one message each.
  [[nodiscard]] std::vector<std::string> take_errors();

  // Bars in memory per instrument once they are written, at least; more while something about them is open. They reach
  // back as far as it may take to find out that a connection is mute (`mute_after_max`), if they are not too many.
  [[nodiscard]] std::size_t bars_kept() const {
    const auto bars = static_cast<std::size_t>(mute_after_max.us / options_.interval.us) + 2;
    return std::clamp<std::size_t>(bars, 5, 64);
  }
  static constexpr Duration mute_after_max = seconds(400);
  // With something open about them. Without repairs only what comes by itself can still change them.
  [[nodiscard]] std::size_t bars_kept_max() const { return options_.repairs ? absence_max : 64; }
  static constexpr std::size_t absence_max = 240;
  static constexpr std::size_t bars_ahead_max = 100'000;
  // A doubt of more bars than this ahead is one of so many: an exchange may name any time.
  static constexpr std::int64_t doubted_ahead_max = 64;
  static constexpr std::size_t holes_max = 64;
  // Trades may have times in another order than their ids by so much: nobody knows on which side of a moment those were
  // whose ids are near it.
  static constexpr Duration near_the_end = seconds(7);

 private:
  // Ids that are missing. `at` is the bar that counts them, the bars in [touch_from, at) say "?": they may be of any of
  // them. If the ids can't be had all bars from doubt_from on are in doubt, what the files have included.
  struct Hole {
    std::uint64_t first, last, left;
    Timestamp at, touch_from;
    Timestamp cut_from;    // bars from here on to `at` are whole once the hole is closed
    Timestamp doubt_from;  // the bar of the trade before
    bool cut = false;      // we were cut off (as against: messages came out of order)
    [[nodiscard]] bool touches(Timestamp bar) const { return bar >= touch_from && bar < at; }
  };
  // Nothing is known of [from, to] until the next trade's id tells how many trades that was.
  struct Loss {
    Timestamp from;          // first bar concerned
    Timestamp to;            // last bar concerned, once over
    Timestamp visible_from;  // bars before this keep what they said when the daemon stopped
    bool open = true;        // still cut off
    bool cut = false;        // at some time nobody listened
    bool absence = false;    // of the time before the process began, and nothing else
    bool doubt = false;      // nothing shows that anything was lost
  };
  // Bars made again from scratch beside those that the files have, until all their trades are there.
  struct Rebuild {
    RebuildPlan plan;
    std::uint64_t left = 0;
    std::map<Timestamp, Bar> fresh;
    bool dead = false;  // not to be had: what comes of it is passed over, since the files' bars know a part of it
    [[nodiscard]] bool holds(const Record& record) const {
      return record.id() >= plan.first && record.first_id() <= plan.last;
    }
    [[nodiscard]] bool covers(Timestamp bar) const { return bar >= plan.from && bar <= plan.to; }
  };
  // Bars made again of all their trades, which come one after the other. One at a time; the next takes its place.
  struct Remake {
    Timestamp from, to;  // their beginnings are in [from, to)
    std::uint64_t left = 0;
    std::map<Timestamp, Bar> fresh;
    [[nodiscard]] bool covers(Timestamp bar) const { return bar >= from && bar < to; }
  };
  struct FlowCvd {
    Decimal base, quote;
  };
  // What an instrument with size buckets has beside its bars.
  struct FlowAccount {
    std::shared_ptr<const SizeBuckets> buckets;
    FlowRules rules;
    std::vector<FlowCvd> before;  // of each bucket, before bars.front()
  };
  enum class State : std::uint8_t { idle, active, ended, stopped };
  struct Account {
    const Instrument* instrument = nullptr;
    std::size_t clock = 0;  // index into clocks_
    State state = State::idle;
    std::deque<Bar> bars;  // contiguous in time from `front`
    Timestamp front;
    Timestamp first_bar;           // trades before it are not ours
    Timestamp ids_since;           // the bar of the newest id that an earlier run knew: ids prove nothing of before
    Timestamp end_bar;             // when ended
    Decimal cvd_base, cvd_quote;   // before bars.front()
    std::optional<Decimal> close;  // last price before bars.front()
    std::optional<std::uint64_t> last_id;
    IdText next_name;         // of the trade that comes next
    Timestamp last_trade;     // trade time of the newest; of an earlier run: its bar
    Timestamp traded;         // trade time of the newest since the process began; 0: none yet
    Timestamp watched;        // what was traded before is here, for all that its connection …
    Timestamp by_ids;         // … or its ids can tell …
    Timestamp doubted_until;  // bars that are still to come are in doubt up to this one; 0: none is
    Timestamp ids_from;       // … since the first of them: it says nothing of before
    std::optional<Loss> loss;
    std::vector<Hole> holes;
    Timestamp restored_end;  // of the newest row of an earlier run; 0: there is none
    bool killed = false;     // that run has not written the bar that it ended in
    std::vector<Rebuild> rebuilds;
    std::optional<Remake> remake;
    bool held = false;
    std::vector<Candle> candles;        // given, and not yet in effect
    std::unique_ptr<FlowAccount> flow;  // null: no size buckets
    // Ids go on from before it to behind it.
    [[nodiscard]] bool passed_by_ids(Timestamp bar, Duration interval) const {
      return instrument->ids == Ids::sequence && bar >= ids_from && bar + interval <= by_ids;
    }
    [[nodiscard]] const FlowRules* rules() const { return flow ? &flow->rules : nullptr; }
    std::optional<Row> cut_row;  // of the files: their newest, if it lacks something, while held
  };

  // The event clock of one exchange and market.
  struct EventClock {
    std::string exchange;
    Market market = Market::spot;
    Timestamp newest, closed;
  };
  void subscribed(Account& account, Timestamp time);
  void lost(Account& account, const Record& record);
  void watched(Account& account, const Record& record);
  void contradicted(Account& account, const Record& record);
  void proven(Account& account, const Record& record);
  void unsubscribed(Account& account, Timestamp time);
  void hole(Account& account, const Record& record);
  void trade(Account& account, const Record& record);
  void begin(Account& account, Timestamp bar, bool partial);
  [[nodiscard]] bool begin_earlier(Account& account, Timestamp bar);
  void continue_after_absence(Account& account, Timestamp bar);
  void doubt_restored(Account& account, Bar& bar, const Record& record);
  void resolve_loss(Account& account, Timestamp until);
  void give_up_loss(Account& account);
  void first_id_ever(Account& account);
  void fill_hole(Account& account, std::uint64_t first, std::uint64_t last);
  void give_up(Account& account, const Hole& hole);
  [[nodiscard]] bool take_rebuild(Account& account, const Record& record);
  void remake(Account& account, const Record& record);
  void again(Account& account, const Record& record);
  void finish_remake(Account& account);
  [[nodiscard]] bool settled(const Account& account, Timestamp time, const Bar& bar) const;
  void finish_rebuild(Account& account, Rebuild& rebuild);
  void uncover(Account& account, Bar& bar, Timestamp time);
  static void heal(const Account& account, Bar& bar, Timestamp time);
  void verdict(Account& account, const Record& record);
  void take_candles(Account& account, const Record& record);
  void tell_candle(Account& account, const Candle& candle);
  void release(Account& account, Timestamp whole);
  void close_hole(Account& account, const Hole& hole);
  void stop(Account& account, Timestamp bar);
  void close_account(Account& account, Timestamp upto, std::vector<Row>& rows);
  void retire(Account& account);
  // Whatever its place in the order of ids.
  [[nodiscard]] static Timestamp newest_of(const Account& account) {
    return std::max(account.last_trade, account.traded);
  }
  // nullptr if the bar is before the first one in memory or too far ahead.
  [[nodiscard]] Bar* bar_at(Account& account, Timestamp bar);
  [[nodiscard]] bool extend(Account& account, Timestamp bar);
  [[nodiscard]] Evidence evidence_of(const Account& account, Timestamp time, const Bar& bar) const;
  [[nodiscard]] Row row_of(const Account& account, Timestamp time, const Bar& bar) const;
  [[nodiscard]] Timestamp newest_bar(const Account& account) const;
  void tell_flow(const Account& account, const Bar& bar, const Row& row);
  [[nodiscard]] std::optional<Last> last_of(const Account& account) const;
  [[nodiscard]] static std::vector<FlowRow> last_flow_of(const Account& account, std::size_t bars, const Row& row);
  static void restore_flow(const FlowAccount& account, FlowBar& bar, const std::map<std::string, const FlowRow*>& rows);
  static void add_flow(std::vector<FlowCvd>& cvds, const Bar& bar);
  // Whether buckets' CVDs change where the bar's own sums do not: an earlier run had not told its buckets.
  [[nodiscard]] static bool moves_flow(const Account& account, const Bar& was, const Bar& is);

  LedgerOptions options_;
  std::vector<Account> accounts_;     // by Instrument::id
  std::vector<std::uint32_t> order_;  // ids in the order they were added
  std::vector<EventClock> clocks_;
  std::optional<Timestamp> newest_trade_;
  LedgerCounters counters_;
  std::vector<std::string> errors_;
  std::vector<Row> ready_, ended_;
  std::vector<FlowRow> flow_rows_;
};

}  // namespace cvdd
