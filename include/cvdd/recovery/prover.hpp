// The final proof of a market's bars: by ids that go on, by the exchange's own candles, by its newest trade; what they
// contradict becomes a gap, and every gap that history can close is made again from it. Coroutines on the io thread;
// what they decide with is in core/proof.hpp.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "cvdd/config/config.hpp"
#include "cvdd/ledger/proof.hpp"
#include "cvdd/ledger/remake.hpp"
#include "cvdd/recovery/history_client.hpp"

namespace cvdd {

// Rows on their way from the aggregator's thread to the provers. Any thread. Bounded: beyond `waiting_max` rows of a
// market the newest are not taken, and stay without a final proof.
class ProofMail {
 public:
  using Place = std::pair<std::string, Market>;
  using Letters = std::vector<std::pair<std::string, Claim>>;  // by symbol
  // Rows of this exchange and market are wanted.
  void open(const Place& place);
  void put(std::span<const Row> rows);
  [[nodiscard]] Letters take(const Place& place);
  [[nodiscard]] std::uint64_t refused() const;

  static constexpr std::size_t waiting_max = 200'000;

 private:
  mutable std::mutex mutex_;
  std::map<Place, Letters> waiting_;
  std::uint64_t refused_ = 0;
};

struct ProverSettings {
  AuditMode mode = AuditMode::all;        // which bars are compared with candles
  std::uint32_t requests_per_minute = 1;  // for comparing; making bars again takes what it needs of the whole budget
  Duration within = seconds(900);         // every bar has its final proof by then, where the exchange answers
  Stream stream = Stream::aggregate;
};

class Prover {
 public:
  Prover(HistoryContext context, ProofMail& mail, ProverSettings settings);
  // Runs until stop().
  asio::awaitable<void> run();
  void stop() { client_.stop(); }

  // What the files of an earlier run say of an instrument that is collected again. Before `unit_since` its sizes may
  // have been of another unit: of these bars candles alone tell. `ids_known`: of its newest trade, maybe of an older
  // row.
  void restored(const Instrument& instrument, std::span<const Row> rows, Timestamp unit_since, bool ids_known);
  // Nothing but what was counted was traded before `until`: the exchange was asked for its newest trade.
  void quiet_until(const Instrument& instrument, Timestamp until);
  // What was traded in [from, to) may have been counted in another unit: only candles can say which bars are right.
  void doubt_unit(const Instrument& instrument, Timestamp from, Timestamp to);
  // The exchange's clock was thought to be another: what was said of this time may be of another time.
  void doubt_time(const Instrument& instrument, Timestamp from, Timestamp to);
  // Its ids begin anew: what bars of before had can't be fetched by them any more.
  void renumbered(const Instrument& instrument);
  // It is not collected any more. False if it is being asked about, or something of it is to be told: to be tried again
  // later.
  [[nodiscard]] bool forget(const Instrument& instrument);
  // Bars before this moment have their final proof; empty: there is no bar yet.
  [[nodiscard]] std::optional<Timestamp> proven_until(const Instrument& instrument) const;
  // Why that moment stands still, in a word (ProofTrack::standstill); empty: it does not.
  [[nodiscard]] std::string_view standstill(const Instrument& instrument) const;

  struct Counters {
    std::uint64_t bars = 0;           // compared with candles
    std::uint64_t mismatches = 0;     // of them (or the candles' worth of them) different
    std::uint64_t failures = 0;       // questions without an answer
    std::uint64_t remade = 0;         // bars made again from history
    std::uint64_t contradictory = 0;  // the exchange's candle is not the sum of its own trades
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // More than half of 20 candles or more are not the sums of the exchange's own trades: then it is the comparison that
  // is wrong, not the bars. Comparing ends, with one line.
  [[nodiscard]] static constexpr bool beyond_belief(const Counters& c) {
    return c.contradictory >= 10 && c.contradictory * 2 > c.bars;
  }

  // The instrument that a row names, if it is collected; set by the market.
  std::function<const Instrument*(const std::string& symbol)> find;
  // Asks for the instrument's newest trade; the answer comes as quiet_until, or as trades.
  std::function<void(const Instrument&)> ask_newest;
  // The exchange's candle is not the sum of its own trades.
  std::function<void()> on_contradictory;
  // What doubt_unit() said of it is on its way to the ledger.
  std::function<void(const Instrument&)> on_unit_told;
  // Whether something of it is being fetched already.
  std::function<bool(const Instrument&)> repairing;

 private:
  struct Job {
    const Instrument* instrument = nullptr;
    BarSpan span;
    bool remake = false;
  };
  struct Tracked {
    const Instrument* instrument = nullptr;
    ProofTrack track;
    Timestamp asked;              // for its newest trade
    Timestamp quiet_until;        // what was traded before is counted: the exchange was asked for its newest trade
    bool empty_before = false;    // the last answer had no candle at all
    bool had_ids = false;         // trades of before the rows are known by their ids
    bool beside = false;          // it has volume beside the CVD at times, of which candles tell nothing
    Timestamp anew;               // ids of bars that began before are of another numbering
    Timestamp leave_until;        // a repair is on its way to the rows
    std::optional<BarSpan> unit;  // in doubt since units changed, and not told yet
  };
  void read_mail();
  // Trades of its stream can be had by their ids, or by time.
  [[nodiscard]] bool has_history() const;
  [[nodiscard]] bool by_time() const;
  void tell_units();
  [[nodiscard]] std::vector<Job> jobs();
  enum class Readiness : std::uint8_t { ready, busy, maybe_quiet };  // to make bars again
  [[nodiscard]] Readiness readiness(Tracked& tracked, BarSpan span, Timestamp now) const;
  asio::awaitable<void> compare(Job job);
  [[nodiscard]] std::string audit_fills(const Claim& sum, const Candle& candle);
  void judge(const Instrument& instrument, ProofTrack& track, BarSpan span, const Candle* candle);
  asio::awaitable<void> remake(Job job);
  asio::awaitable<bool> candles_of(const Instrument& instrument, BarSpan span, std::vector<Candle>& out);
  asio::awaitable<bool> fetch(Job& job, std::vector<Trade>& out, std::string& error);
  asio::awaitable<bool> page_from(const Instrument& instrument, std::uint64_t id, std::vector<Trade>& out, bool& cut,
                                  std::string& error);
  asio::awaitable<void> take_news(const Instrument& instrument, std::span<const Trade> trades);
  // src/recovery/prover_pages.cpp
  asio::awaitable<bool> fetch_since(Job job, std::vector<Trade>& out, std::string& error);
  asio::awaitable<bool> fetch_backward(Job job, std::vector<Trade>& out, bool& readable, std::string& error);
  asio::awaitable<bool> fetch_by_id(Job& job, std::vector<Trade>& out, std::string& error);
  asio::awaitable<bool> fetch_before(Job job, std::vector<Trade>& out, bool& cut, std::string& error);
  [[nodiscard]] bool leave_out_before(Job& job, const Trade& first, std::string& error) const;
  asio::awaitable<bool> fetch_by_time(const Job& job, std::vector<Trade>& out, std::string& error);
  asio::awaitable<bool> reaches_back(const Job& job, std::string& error);
  [[nodiscard]] Figures held_against(BarSpan span, std::span<const Trade> trades,
                                     std::span<const Candle> candles) const;
  [[nodiscard]] std::vector<Record> rows_that_lack(const Instrument& instrument, std::span<const Trade> trades,
                                                   BarSpan but);
  void mark(const Instrument& instrument, RecordKind kind, BarSpan span);
  asio::awaitable<void> deliver_marks();
  [[nodiscard]] ProofTrack* track_of(const Instrument& instrument);

  HistoryContext context_;
  HistoryClient client_;
  ProofMail& mail_;
  ProverSettings settings_;
  ProofRules rules_;
  ProofMail::Place place_;
  TokenBucket share_;  // of the budget
  bool comparing_ = true;
  unsigned fills_right_ = 0;                  // candles in a row whose number of fills was ours
  std::map<std::uint32_t, Tracked> tracked_;  // by Instrument::id
  std::vector<std::pair<const Instrument*, std::vector<Record>>> marks_;  // to be delivered
  std::vector<Job> round_;                                                // that is under way
  bool delivering_ = false;
  std::size_t questions_ = 0;  // that this round may ask yet
  Counters counters_;
};

}  // namespace cvdd
