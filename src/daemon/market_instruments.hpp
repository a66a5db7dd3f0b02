// The instruments that a market has ever collected, and how each begins: where an earlier run left off, in the past, or
// now; and what a contract size that changes puts in doubt. io thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/daemon/market_runner.hpp"
#include "unit_history.hpp"

namespace cvdd {

struct MarketInstrumentsContext {
  const MarketContext* market = nullptr;
  const Exchange* exchange = nullptr;
  Stream stream = Stream::aggregate;
  Intake* intake = nullptr;
  std::shared_ptr<const ExchangeTime> time;
  Backfill* backfill = nullptr;             // null: what is missed stays a gap
  Prover* prover = nullptr;                 // null: bars get no final proof
  HistoryLoader* history_loader = nullptr;  // null: nothing begins in the past
  std::string name;                         // of the market, for the log
};

class MarketInstruments {
 public:
  explicit MarketInstruments(MarketInstrumentsContext context);

  // What the run before has left on disk; `listed`: its last list.
  void load(std::vector<Instrument> listed);
  // The list that is in force from now on. Sizes that are not what they were count as changed from now.
  void listed(std::span<const Instrument> list);
  // A list was read whole: the next run may rely on when.
  void keep_listed_at() const { units_.save(); }
  // Rows say, or are about to, that its bars are in doubt because of its contract size.
  void unit_told(const Instrument& instrument) { units_.told(instrument.symbol); }
  // One that is collected from now on; known to intake and aggregator, and to recovery what an earlier run left open.
  // `history`: how far back the CVD of one that is new is to begin; 0: now. Valid for ever.
  const Instrument& adopt(const Instrument& found, Duration history);
  // Null: it was never collected.
  [[nodiscard]] const Instrument* find(const std::string& symbol) const;
  // How many messages of these an earlier run saw in five quiet seconds, by the last of its whole bars; 0: that is not
  // known, or long ago.
  [[nodiscard]] std::uint32_t usual_messages(std::span<const Instrument* const> instruments) const;

  // The exchange's time was thought to be `was`, and is `is`: what was said of the time since may be of another.
  void clock_moved(Timestamp was, Timestamp is, Timestamp since);

  // The exchange's list is read again this often.
  static constexpr std::chrono::minutes relist_every{10};

 private:
  void resume(const Instrument& instrument, const LastKnown& known);
  [[nodiscard]] bool want_past(const Instrument& instrument, const LastKnown* known, Duration history);
  void fetch_again(const Instrument& instrument, std::span<const Row> rows);
  void change_unit(Instrument& known, const Instrument& found);
  void note_unit_of_before(const Instrument& instrument, Timestamp last_row);
  void doubt_unit(const Instrument& instrument, Timestamp from, Timestamp by);
  [[nodiscard]] const LastKnown* restored(const Instrument& instrument) const;

  MarketInstrumentsContext context_;
  UnitHistory units_;
  std::vector<Instrument> listed_before_;     // by the run before, as far as the disk has it
  std::deque<Instrument> instruments_;        // addresses are stable: everything points here; none is ever taken away
  std::map<std::string, Instrument*> known_;  // all of them, by symbol
};

}  // namespace cvdd
