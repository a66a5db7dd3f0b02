// One market family's way from message to records: parse → checks → sequence → Records. Shared by all connections of
// the market and by replay, so that live feed, overlap and recordings are judged alike. Pure; io thread (or replay).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "cvdd/base/latency.hpp"
#include "cvdd/base/paged.hpp"
#include "cvdd/base/types.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/feed/trade_rate.hpp"
#include "cvdd/ledger/fill_order.hpp"
#include "cvdd/ledger/sequencer.hpp"

namespace cvdd {

struct IntakeCounters {
  std::uint64_t messages = 0;
  std::uint64_t trades = 0;  // trades handed on
  std::uint64_t duplicates = 0;
  std::uint64_t other_series = 0;  // of the stream that is not the instrument's source
  std::uint64_t ignored = 0;       // understood, not needed
  std::uint64_t holes = 0;
  std::uint64_t missing = 0;         // ids in those holes
  std::uint64_t twins = 0;           // second copies by another connection …
  std::uint64_t twin_lead_us = 0;    // … and by how much they came later, summed up
  std::uint64_t fetched = 0;         // trades that came from the exchange's history
  std::uint64_t ahead = 0;           // refused: more than 60 s ahead of the clock
  std::uint64_t contradictions = 0;  // trades that are not counted and no true copies of what is
  std::uint64_t renumbered = 0;      // instruments whose ids began anew
  std::uint64_t straddling = 0;      // messages not counted because a part of their fills was: the rest is a hole
  std::array<std::uint64_t, static_cast<std::size_t>(Refusal::count_)> refused{};
  [[nodiscard]] std::uint64_t refused_total() const;
};

class Intake {
 public:
  // `event_time`: trade times are the clock, so none can be ahead of it.
  Intake(const Exchange& exchange, bool event_time) : exchange_(exchange), event_time_(event_time) {}

  // The instrument must outlive the intake.
  void add(const Instrument& instrument);
  // It has ended, and nobody speaks of it any more: its number may be another's.
  void forget(const Instrument& instrument);
  // `newest`: no trade that was counted is newer.
  void resume_after(const Instrument& instrument, Series series, std::uint64_t last_id, Timestamp newest);
  // There are rows of it up to then, and no trade in them.
  void quiet_until(const Instrument& instrument, Timestamp until) { entry(instrument).quiet_until = until; }
  // The same; empty: it was not quiet all the time, or has traded since.
  [[nodiscard]] std::optional<Timestamp> quiet_until(const Instrument& instrument) const;
  // It has not traded since: the newest trade that the exchange has.
  void never_traded_after(const Instrument& instrument, Series series, std::uint64_t id, Timestamp time);
  // Ids of before that are to be fetched.
  void expect(const Instrument& instrument, std::uint64_t first, std::uint64_t last) {
    entry(instrument).sequencer.expect(first, last);
  }
  // What was traded since then, until it is confirmed, can't be summed up with what is known.
  void doubt_from(const Instrument& instrument, Timestamp from) {
    Entry& e = entry(instrument);
    e.doubted_from = e.doubted_from.us == 0 ? from : std::min(e.doubted_from, from);
  }
  // What sizes of trades made before `from` mean is not known: they are not counted, and their bars are in doubt.
  void unit_from(const Instrument& instrument, Timestamp from) { entry(instrument).unit_from = from; }
  // There are rows of it, but its ids have no order: what happened since can't be known.
  void resume_blindly(const Instrument& instrument) { entry(instrument).unsettled = Timestamp{}; }

  // By how much the times that are given here may be wrong: a subscription counts from the moment on by which it had
  // certainly begun.
  void set_clock_error(Duration error) { clock_error_ = error; }

  // Reads one message received at `now`; appends records to `out`. The answer (acks, notices) is valid until the
  // next call. A trade of an instrument whose subscription was not confirmed yet confirms it. Trades of a snapshot
  // count where ids go on from before; where nothing is known they say only where the ids begin.
  // `feed`: by which connection; the instrument is lost when the last that carries it is.
  const Parsed& take(std::string_view message, Timestamp now, std::vector<Record>& out, std::uint32_t feed = 1);
  // The same in two steps, for messages that came together. Reads the first of them, `ahead` at most, and has what
  // their trades will touch fetched from memory meanwhile; valid until the next call of either. Each is to be taken, in
  // order.
  [[nodiscard]] std::span<const Parsed> read(std::span<const std::string_view> messages);
  void take(const Parsed& parsed, Timestamp now, std::vector<Record>& out, std::uint32_t feed);
  static constexpr std::size_t ahead = 8;

  // Trades from the exchange's history, oldest first. They confirm no subscription. Where ids have no order those up to
  // `known_until` are passed over: they were received in their time. Not those that certainly were not: we listened,
  // and no id that came since then is forgotten. Of what is as old as forgotten ids nobody knows: its bars are
  // contradicted, unless they are just being `made_again`.
  void take_history(std::span<const Trade> trades, std::vector<Record>& out, Timestamp known_until = {},
                    bool made_again = false);
  // All of the instrument's bars that begin in [from, to), made again of these trades, in order: those that nobody knew
  // are counted first, and none of them counts again when it comes after all.
  void take_again(const Instrument& instrument, std::span<const Trade> trades, Timestamp from, Timestamp to,
                  std::vector<Record>& out);
  // Up to when ids show that every trade is known: the time of the newest, if none before it is waited for. Empty: they
  // don't tell.
  [[nodiscard]] std::optional<Timestamp> known_by_ids(const Instrument& instrument) const;
  [[nodiscard]] bool waits_for(const Instrument& instrument, std::uint64_t first, std::uint64_t last) const;
  // The newest id of the instrument and its series, as far as they are known.
  [[nodiscard]] std::optional<std::uint64_t> last_id(const Instrument& instrument) const;
  [[nodiscard]] std::optional<Series> source(const Instrument& instrument) const;
  // The time of the newest trade that is known; 0: none is.
  [[nodiscard]] Timestamp newest(const Instrument& instrument) const {
    return entries_.has(instrument.id) ? entries_[instrument.id].newest : Timestamp{};
  }

  // See Sequencer::cover.
  [[nodiscard]] bool cover(const Instrument& instrument, std::uint64_t first, std::uint64_t last) {
    return entry(instrument).sequencer.cover(first, last);
  }

  // Called for every hole found in live trades: instrument, first missing id, how many.
  std::function<void(const Instrument&, std::uint64_t, std::uint64_t)> on_hole;

  // Of opaque ids. Up to when everything was received that there was: a cut's beginning, or the newest trade less a
  // while in which messages may pass each other. 0: never.
  [[nodiscard]] Timestamp known_until(const Instrument& instrument) const;
  // Until when that may have been: what came later was received.
  [[nodiscard]] Timestamp unsettled_to(const Instrument& instrument) const {
    return entries_[instrument.id].unsettled_to;
  }
  // Of opaque ids: whether a cut waits for its page of history.
  [[nodiscard]] bool unsettled(const Instrument& instrument) const {
    return entries_[instrument.id].unsettled.has_value();
  }
  // What a cut cost is found out, or will never be.
  void settle(const Instrument& instrument);
  // Whether it was ever confirmed: before that nobody wants to hear of it.
  [[nodiscard]] bool begun(const Instrument& instrument) const {
    return entries_.has(instrument.id) && entries_[instrument.id].heard_from.us != 0;
  }
  // When it was first confirmed; 0: never.
  [[nodiscard]] Timestamp heard_from(const Instrument& instrument) const {
    return entries_.has(instrument.id) ? entries_[instrument.id].heard_from : Timestamp{};
  }
  // The first id of a live trade, where ids are a sequence; 0: none came yet.
  [[nodiscard]] std::uint64_t first_live(const Instrument& instrument) const {
    return entries_.has(instrument.id) ? entries_[instrument.id].first_live : 0;
  }
  // Since when the exchange tells of trades of it (heartbeats) that its feed has not brought; empty: of none.
  [[nodiscard]] std::optional<Timestamp> owed_since(const Instrument& instrument) const {
    const Entry& e = entries_[instrument.id];
    return e.owed_since.us == 0 ? std::nullopt : std::optional(e.owed_since);
  }
  void owes_nothing(const Instrument& instrument) { entry(instrument).owed_since = {}; }
  [[nodiscard]] TradeRate& pace(const Instrument& instrument) { return entry(instrument).pace; }

  // Called when a subscription was confirmed and ids before it are known: something may have been missed.
  std::function<void(const Instrument&)> on_confirmed;

  // Called when an instrument of opaque ids speaks again that was silent for so long that it should have traded
  // `expected` times.
  std::function<void(const Instrument&, Timestamp from, Timestamp to, double expected)> on_silence;

  // Called when an instrument's ids begin anew.
  std::function<void(const Instrument&)> on_renumbered;

  // The subscription was acknowledged. Nothing happens if it is confirmed already.
  void confirm(const Instrument& instrument, Timestamp now, std::vector<Record>& out, std::uint32_t feed = 1);
  // Nothing is known of the instrument since `since`, until it is confirmed again; unless another feed carries it.
  void lose(const Instrument& instrument, Timestamp since, std::vector<Record>& out, std::uint32_t feed = 1);
  // This feed, if it carries the instrument, has brought what was traded before `until`. An instrument that is silent
  // for longer than its own pace explains is vouched for no further than it was heard.
  void watched(const Instrument& instrument, Timestamp until, Timestamp now, std::vector<Record>& out,
               std::uint32_t feed);
  // It lags: nothing that it said of later holds; unless another feed carries the instrument.
  void watched_no_further(const Instrument& instrument, Timestamp until, std::vector<Record>& out, std::uint32_t feed);
  // The exchange's time was thought to be `was`, and is `is`: what is remembered by it moves along.
  void clock_moved(const Instrument& instrument, Timestamp was, Timestamp is);
  // Its time was ahead: who is collected was subscribed before `is`, and is watched no further than until then.
  void watched_anew(const Instrument& instrument, Timestamp is, std::vector<Record>& out) const;
  // A trade of the time since `since` came that can't be counted: nothing is known from there on until ids or history
  // tell.
  // `doubt`: may have come; nothing shows that one did.
  void missed(const Instrument& instrument, Timestamp since, Timestamp now, std::vector<Record>& out,
              bool doubt = false);
  // This connection is no more.
  void forget_feed(std::uint32_t feed);
  // This connection ends in order, and does not carry the instrument any more.
  void leave(const Instrument& instrument, std::uint32_t feed);
  // The instrument is not wanted any more: its trades are ignored from now on.
  void end(const Instrument& instrument, Timestamp now, std::vector<Record>& out);
  // Wanted again after end().
  void wanted_again(const Instrument& instrument) { entry(instrument).ended = false; }
  [[nodiscard]] bool confirmed(const Instrument& instrument) const;

  [[nodiscard]] const Exchange& exchange() const { return exchange_; }
  [[nodiscard]] const IntakeCounters& counters() const { return counters_; }
  // Of live trades, by the exchange's clock.
  [[nodiscard]] const Latency& event_to_receipt() const { return event_to_receipt_; }
  // The newest trade's time as it came, whether it was counted or not, and when: a witness of the exchange's clock.
  struct Witness {
    Timestamp event, received;
  };
  [[nodiscard]] const Witness& witness() const { return witness_; }
  // When the newest live trade was received; 0: none yet.
  [[nodiscard]] Timestamp last_heard() const { return last_heard_; }

  // A live trade further ahead of the clock than this is refused (docs/csv.md).
  static constexpr Duration ahead_max = seconds(60);

 private:
  // An id that does not continue what is known, of a trade that is newer than all of it.
  struct Anew {
    std::uint64_t first = 0, newest = 0;
    Timestamp time;
    unsigned count = 0;
  };
  struct Counted {
    std::uint64_t id = 0, id_high = 0;
    Record record;
  };
  struct Entry {
    Sequencer sequencer;
    Anew anew;
    std::vector<Counted> recent;  // the newest that were counted, a ring: what a copy must be like
    std::size_t recent_next = 0;
    Timestamp begun_at;  // when a snapshot said where ids begin
    Timestamp checked;   // when history was last asked because of something that was missed
    bool confirmed = false;
    bool ended = false;
    std::array<std::uint32_t, 4> feeds{};  // connections that carry it; 0: a free place
    std::uint32_t first_feed = 0;          // which of them brought the newest trade …
    Timestamp first_at;                    // … and when
    std::uint64_t first_id = 0, first_id_high = 0;
    std::optional<Timestamp> unsettled;  // of opaque ids: cut off since then, and nobody knows what that cost
    Timestamp unsettled_to;              // … until then
    Timestamp doubted_from;              // to be said to be in doubt when it is confirmed; 0: nothing is
    Timestamp heard_from;                // first confirmed
    Timestamp quiet_until;               // of rows without a trade; 0: there are none
    Timestamp unit_from;                 // sizes of before mean something that nobody knows
    Timestamp newest;                    // trade time
    std::uint64_t first_live = 0;
    std::uint64_t first_ever = 0;  // the id that ids began with, where none was known before it; 0: one was
    Timestamp owed_since;
    FillOrder fills;
    TradeRate pace;
  };
  void take_trade(const Trade& trade, Timestamp now, std::vector<Record>& out, std::uint32_t feed);
  void note_twin(Entry& e, const Trade& trade, Timestamp now, std::uint32_t feed, bool first);
  void take_newest(const Newest& newest, Timestamp now, std::vector<Record>& out);
  [[nodiscard]] Timestamp made_after(const Instrument& instrument, Timestamp now) const;
  void take_refused(const Parsed& parsed, Timestamp now, std::vector<Record>& out, std::uint32_t feed);
  void take_copy(Entry& e, const Trade& trade, const Record& record, Timestamp now, std::vector<Record>& out);
  [[nodiscard]] bool begins_anew(Entry& e, const Trade& trade, const Record& record);
  static void remember(Entry& e, const Trade& trade, const Record& record);
  void expect_before_first(Entry& e, const Trade& trade, std::vector<Record>& out);
  void note_silence(const Entry& e, const Instrument& instrument, Timestamp now) const;
  bool of_known_fills(Entry& e, const Trade& trade, const Sequencer::Decision& decision, std::vector<Record>& out);
  static void push_id_alone(const Trade& trade, std::vector<Record>& out);
  [[nodiscard]] static bool of_unknown_size(const Entry& e, const Trade& trade, std::vector<Record>& out);
  [[nodiscard]] static Sequencer::Decision decide(Entry& e, const Trade& trade);
  [[nodiscard]] bool counts(const Sequencer::Decision& decision);
  void note(const Instrument& instrument, const Sequencer::Decision& decision, Timestamp time,
            std::vector<Record>& out);
  Entry& entry(const Instrument& instrument);

  const Exchange& exchange_;
  bool event_time_;
  Duration clock_error_;
  SymbolTable symbols_;
  Paged<Entry> entries_;  // by Instrument::id; those of other markets lie between
  std::array<Parsed, ahead> parsed_;
  IntakeCounters counters_;
  Latency event_to_receipt_;
  Timestamp last_heard_;
  Witness witness_;
  std::map<std::uint32_t, Timestamp> swept_;  // by feed: when all of its instruments were last said to be in doubt
};

}  // namespace cvdd
