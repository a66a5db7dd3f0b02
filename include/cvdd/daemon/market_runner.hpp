// One exchange and market while the daemon runs: its instruments by REST, spread over sessions. io thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"
#include "cvdd/base/instrument_ids.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/feed/instrument_list.hpp"
#include "cvdd/feed/session.hpp"
#include "cvdd/pipeline/aggregator.hpp"
#include "cvdd/recovery/backfill.hpp"
#include "cvdd/recovery/history_loader.hpp"
#include "cvdd/recovery/prover.hpp"

namespace cvdd {

struct MarketContext {
  asio::any_io_executor executor;
  Clock* clock = nullptr;
  FileSink* files = nullptr;
  std::function<std::unique_ptr<Transport>()> make_transport;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  Aggregator* aggregator = nullptr;
  Capture* capture = nullptr;         // null: nothing is captured
  CoalescedWakeup* wakeup = nullptr;  // of the aggregator
  const Remembered* restored = nullptr;
  ExchangeGate* gate = nullptr;             // of the exchange
  InstrumentIds* ids = nullptr;             // of all markets
  std::string cache_dir;                    // last good instrument lists
  RequestBudget* history_budget = nullptr;  // of the weight pool; null: no history
  std::uint32_t history_per_minute = 0;     // … its size
  DataKinds context;                        // what is kept beside the trades
  RequestBudget* context_budget =
      nullptr;  // of what is asked for that by REST; the same, also where there is no history
  // For that alone: nothing of it is captured.
  std::function<std::unique_ptr<Transport>()> make_context_transport;
  std::function<std::unique_ptr<HttpGet>()> make_context_http_get;
  ProofMail* proofs = nullptr;  // null: bars get no final proof
  ProverSettings prover;
  bool event_time = false;
  Duration interval = seconds(60);   // of the bars
  Duration history;                  // see MarketRunner::want
  Duration renew_after;              // age of a connection; 0: the exchange's limit decides
  std::optional<Duration> renew_at;  // time of day when nobody minds
  Duration in_flight;                // see SessionSettings
  Shard shard;                       // which of the wanted instruments are collected here
  std::function<asio::awaitable<void>(std::function<void()>)> beside;  // see ListRequest
};

class ContextFeed;
class ContextIntake;
class MarketConnections;
class MarketInstruments;
class MarketList;
class TimeKeeper;

// Holds a market's parts together: what is listed and wanted decides who is collected. Its parts are private, a file
// each: the list, the exchange's time, the instruments and how they begin, the connections.
class MarketRunner {
 public:
  MarketRunner(MarketContext context, const Exchange& exchange, const ExchangeConfig& config,
               std::vector<std::string> wanted);
  ~MarketRunner();

  // Runs until stop().
  asio::awaitable<void> run();
  void stop();
  // The names wanted from now on. Differences only: instruments that stay see nothing of it.
  // `history`: how far back the CVD of one that is new is to begin; 0: now. `context`: what is kept beside the trades.
  void want(std::vector<std::string> names, Duration history = {}, DataKinds context = {});
  // Soon after the end of a bar: connections that were not heard since ask for a sign of life.
  void nudge(Timestamp end);
  // When all that had arrived by then has been read: each connection says how far its instruments' trades are here.
  void watch();
  // Then too: what stands beside the trades is handed on, of the bars that ended.
  void flush_context();

  [[nodiscard]] const IntakeCounters& counters() const { return intake_.counters(); }
  [[nodiscard]] std::size_t instruments() const;
  [[nodiscard]] std::size_t live_instruments() const;
  // Names that are wanted and that the exchange does not know, or whose list has not come yet.
  [[nodiscard]] std::size_t unlisted() const { return listed_.empty() ? wanted_.size() : unlisted_.size(); }
  // For who looks on; src/daemon/market_view.cpp.
  void look(std::vector<InstrumentState>& out) const;
  void look(std::vector<ConnectionState>& out) const;
  [[nodiscard]] MarketState state() const;
  [[nodiscard]] const Latency& event_to_receipt() const { return intake_.event_to_receipt(); }
  // How long records waited for the aggregator, by batches.
  [[nodiscard]] const Latency& receipt_to_ledger() const { return *receipt_to_ledger_; }
  // How long connections were not read because their queues were full, summed up.
  [[nodiscard]] std::uint64_t backpressure_us() const;
  [[nodiscard]] std::uint64_t renewed() const;
  // How often a feed that was alive had kept trades from us.
  [[nodiscard]] std::uint64_t stalls() const;
  [[nodiscard]] const Prover* prover() const { return prover_.get(); }
  [[nodiscard]] const Backfill* backfill() const { return backfill_.get(); }
  // Instruments whose rows wait for their past.
  [[nodiscard]] std::size_t catching_up() const { return history_loader_ ? history_loader_->waiting() : 0; }
  // Of what is kept beside the trades; null: nothing ever was.
  [[nodiscard]] const ContextIntake* context() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::shared_ptr<const ExchangeTime> time() const { return time_; }

 private:
  asio::awaitable<void> follow_listings();
  asio::awaitable<void> tend_connections();
  void make_backfill();
  void make_prover(HistoryContext context);
  void make_parts(const ExchangeConfig& config);
  void heed(const HttpResponse& response, std::string& error);
  void apply(const std::vector<Instrument>& listed);
  void report_unknown(const std::vector<UnknownSymbol>& unknown);
  [[nodiscard]] bool may_tell_of(const std::string& symbol);
  void report_refused(const Instrument& instrument, const std::string& why);
  void list_again();
  void begin_context(std::span<const Instrument* const> instruments);
  void end_context(std::span<const Instrument* const> instruments);
  void want_context(DataKinds kinds);
  void tell_contradictions();

  MarketContext context_;
  const Exchange& exchange_;
  std::vector<std::string> wanted_;
  Stream stream_;
  std::vector<Url> rest_hosts_;
  std::shared_ptr<ExchangeTime> time_;
  bool relist_ = false;  // at once
  // What is wanted and not to be had may be so in a moment: a state of some seconds, a listing that is announced.
  Backoff unlisted_pause_{seconds(10), seconds(600), 1};
  std::chrono::steady_clock::time_point next_relist_{};
  Intake intake_;
  std::unique_ptr<TimeKeeper> time_keeper_;
  std::unique_ptr<MarketList> list_;
  std::unique_ptr<Backfill> backfill_;             // null: what is missed stays a gap
  std::unique_ptr<Prover> prover_;                 // null: bars get no final proof
  std::unique_ptr<HistoryLoader> history_loader_;  // null: the exchange has no candles to do it with
  std::unique_ptr<MarketInstruments> instruments_;
  std::unique_ptr<MarketConnections> connections_;
  std::vector<Url> ws_hosts_;
  std::unique_ptr<ContextFeed> context_feed_;  // null: nothing is kept beside the trades
  std::vector<Instrument> listed_;             // the exchange's newest answer
  std::set<std::string> reported_;             // unknown symbols that the log knows of
  std::shared_ptr<Latency> receipt_to_ledger_ = std::make_shared<Latency>();
  std::map<std::string, std::string> unlisted_;  // wanted names that the exchange does not list, and why
  std::map<std::string, std::string> refusals_;  // symbols, in the exchange's words
  std::uint64_t rest_requests_ = 0;
  std::map<unsigned, std::uint64_t> rest_refusals_{{403, 0}, {418, 0}, {429, 0}, {451, 0}};  // by HTTP status
  std::unique_ptr<Timer> tending_;
  std::chrono::steady_clock::time_point next_look_{}, next_tell_{};
  std::uint64_t contradictions_told_ = 0;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

}  // namespace cvdd
