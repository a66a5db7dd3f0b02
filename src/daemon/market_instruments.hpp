// The instruments that a market collects, or did until a day ago, and how each begins: where an earlier run left off,
// in the past, or now; and what a contract size that changes puts in doubt. io thread.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cvdd/daemon/market_runner.hpp"
#include "departed.hpp"
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
  // `history`: how far back the CVD of one that is new is to begin; 0: now. Valid until it is forgotten. Null: it can't
  // be collected now, and why not; later it may.
  [[nodiscard]] const Instrument* adopt(const Instrument& found, Duration history, std::string& why);
  // It is collected no more.
  void ended(const Instrument& instrument);
  // Every half second: whether some waited for their turn, which has come. Thousands that begin at once would hold
  // everybody else.
  [[nodiscard]] bool next_turn() {
    begun_ = 0;
    return std::exchange(some_wait_, false);
  }
  // Every few seconds: those that ended long ago are forgotten, and their numbers given back. `refers`: whether anybody
  // outside still has to do with it.
  void forget_ended(const std::function<bool(const Instrument&)>& refers);
  // Null: it is not known, or not any more.
  [[nodiscard]] const Instrument* find(const std::string& symbol) const;
  // How many messages of these an earlier run saw in five quiet seconds, by the last of its whole bars; 0: that is not
  // known, or long ago.
  [[nodiscard]] std::uint32_t usual_messages(std::span<const Instrument* const> instruments) const;

  // The exchange's time was thought to be `was`, and is `is`: what was said of the time since may be of another.
  void clock_moved(Timestamp was, Timestamp is, Timestamp since);

  // So long after its end nothing about an instrument can still be open but what says so itself.
  static constexpr std::chrono::hours forgotten_after{24};
  // What one market may hold, so that no exchange can take all the numbers there are, or all memory: several times what
  // any lists.
  static constexpr std::size_t instruments_max = 16'384;
  static constexpr std::size_t begun_at_once = 1'000;
  // The exchange's list is read again this often.
  static constexpr std::chrono::minutes relist_every{10};

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Known {
    std::unique_ptr<Instrument> instrument;  // everything points here
    std::optional<Time> ended;
  };
  struct Leaving {
    std::unique_ptr<Instrument> instrument;
    std::shared_ptr<const Aggregator::Farewell> farewell;
  };
  [[nodiscard]] bool has_room() const { return known_.size() + leaving_.size() < instruments_max; }
  void tell_full(const Instrument& found);
  [[nodiscard]] bool let_go(const Instrument& instrument) const;
  void put_away();
  void resume(const Instrument& instrument, const LastKnown& known);
  [[nodiscard]] bool want_past(const Instrument& instrument, const LastKnown* known, Duration history);
  void fetch_again(const Instrument& instrument, std::span<const Row> rows);
  void change_unit(Instrument& known, const Instrument& found);
  void note_unit_of_before(const Instrument& instrument, Timestamp last_row);
  void doubt_unit(const Instrument& instrument, Timestamp from, Timestamp by);
  [[nodiscard]] const LastKnown* restored(const Instrument& instrument) const;

  MarketInstrumentsContext context_;
  UnitHistory units_;
  std::vector<Instrument> listed_before_;  // by the run before, as far as the disk has it
  std::map<std::string, Known> known_;     // by symbol
  std::list<Leaving> leaving_;             // until the aggregator has done with them
  Departed departed_;
  bool told_full_ = false, some_wait_ = false;
  std::size_t begun_ = 0;  // in this turn
};

}  // namespace cvdd
