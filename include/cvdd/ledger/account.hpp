// One instrument's part of a ledger: its bars, what is in doubt of them, and what each record and each closing does to
// them. Pure; owned by the ledger.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/bar_series.hpp"
#include "cvdd/ledger/gap_tracker.hpp"
#include "cvdd/ledger/ledger_options.hpp"
#include "cvdd/ledger/ledger_output.hpp"
#include "cvdd/ledger/open_bar.hpp"
#include "cvdd/ledger/past.hpp"
#include "cvdd/ledger/rebuilder.hpp"
#include "cvdd/ledger/remaker.hpp"

namespace cvdd {

class Account {
 public:
  // `instrument`: stays as long as this; nullptr: nobody's, and only known() may be asked. `clock`: the index of its
  // event clock.
  explicit Account(const LedgerOptions& options = {}, const Instrument* instrument = nullptr, std::size_t clock = 0);

  [[nodiscard]] bool known() const { return instrument_ != nullptr; }
  [[nodiscard]] std::size_t clock() const { return clock_; }
  [[nodiscard]] const BarSeries& bars() const { return bars_; }

  // A sum did not fit: nothing is to be applied any more.
  [[nodiscard]] bool stopped() const { return state_ == State::stopped; }

  // As the ledger's.
  void restore(std::span<const Row> rows, std::optional<std::uint64_t> last_id);
  void count_flow(std::shared_ptr<const SizeBuckets> buckets, std::span<const FlowRow> known);
  void hold() { past_.hold(bars_); }
  void give(std::vector<Candle> candles) { past_.give(std::move(candles)); }

  // What a record says (docs/records.md).
  // True: a trade was counted, or an id without volume, and event time has come as far as it.
  [[nodiscard]] bool trade(const Record& record, LedgerOutput& out);
  void name(const IdText& text) { next_name_ = text; }
  void subscribed(Timestamp time);
  void unsubscribed(Timestamp time);
  void lost(const Record& record) {
    if (active()) gaps_.lost(bars_, record);
  }
  void hole(const Record& record) {
    if (active()) gaps_.hole(bars_, record);
  }
  void watched(const Record& record) {
    if (active()) gaps_.watched(record.time(), record.count() > 0);
  }
  void contradicted(const Record& record);
  void proven(const Record& record);
  void verdict(const Record& record);
  void remake(const Record& record);
  void again(const Record& record, LedgerOutput& out);
  void candles(const Record& record, LedgerOutput& out);

  // Appends the rows that are due of bars that end at or before `upto`.
  void close(Timestamp upto, LedgerOutput& out, std::vector<Row>& rows);
  // The same at the end of the run, with the bar of `now`; bars that end after `whole_until` are cut.
  void finish(Timestamp whole_until, Timestamp now, LedgerOutput& out, std::vector<Row>& rows);

  // Empty unless it has begun and not ended. `now`: where nothing is newer.
  [[nodiscard]] std::optional<OpenBar> open_bar(Timestamp now) const;
  // The newest written bar says gap.
  [[nodiscard]] bool gap() const;

 private:
  enum class State : std::uint8_t { idle, active, ended, stopped };

  void begin(Timestamp bar);
  [[nodiscard]] IdText take_name();
  void release(Timestamp whole);
  void stop(Timestamp bar, LedgerOutput& out);
  [[nodiscard]] bool active() const { return state_ == State::active; }
  [[nodiscard]] bool ordered() const { return instrument_->ids == Ids::sequence; }

  const Instrument* instrument_;
  std::size_t clock_;
  LedgerOptions options_;
  State state_ = State::idle;
  Timestamp traded_;  // trade time of the newest since the process began; 0: none yet
  IdText next_name_;  // of the trade that comes next
  BarSeries bars_;
  GapTracker gaps_;
  Rebuilder rebuilder_;
  Remaker remaker_;
  Past past_;
};

}  // namespace cvdd
