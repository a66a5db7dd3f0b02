// One exchange and market while the daemon runs: its instruments by REST, spread over sessions. io thread only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/feed/instrument_list.hpp"
#include "cvdd/feed/session.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"
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
  CoalescedWakeup* wakeup = nullptr;  // of the aggregator
  const Remembered* restored = nullptr;
  ExchangeGate* gate = nullptr;  // of the exchange
  std::function<std::uint32_t()> next_instrument_id;
  std::string cache_dir;                    // last good instrument lists
  RequestBudget* history_budget = nullptr;  // of the weight pool; null: no history
  std::uint32_t history_per_minute = 0;     // … its size
  ProofMail* proofs = nullptr;              // null: bars get no final proof
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

class MarketRunner {
 public:
  MarketRunner(MarketContext context, const Exchange& exchange, const ExchangeConfig& config,
               std::vector<std::string> wanted);

  // Runs until stop().
  asio::awaitable<void> run();
  void stop();
  // The names wanted from now on. Differences only: instruments that stay see nothing of it.
  // `history`: how far back the CVD of one that is new is to begin; 0: now.
  void want(std::vector<std::string> names, Duration history = {});
  // Soon after the end of a bar: connections that were not heard since ask for a sign of life.
  void nudge(Timestamp end);
  // When all that had arrived by then has been read: each connection says how far its instruments' trades are here.
  void watch();

  [[nodiscard]] const IntakeCounters& counters() const { return intake_.counters(); }
  [[nodiscard]] std::size_t instruments() const { return active_.size(); }
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
  [[nodiscard]] std::uint64_t renewed() const { return renewed_; }
  // How often a feed that was alive had kept trades from us.
  [[nodiscard]] std::uint64_t stalls() const { return stalls_; }
  [[nodiscard]] const Prover* prover() const { return prover_.get(); }
  [[nodiscard]] const Backfill* backfill() const { return backfill_.get(); }
  // Instruments whose rows wait for their past.
  [[nodiscard]] std::size_t catching_up() const { return history_loader_ ? history_loader_->waiting() : 0; }
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::shared_ptr<const ExchangeTime> time() const { return time_; }

  // How many sessions, and how many instruments each gets: as few as the limit allows, evenly filled.
  [[nodiscard]] static std::vector<std::size_t> spread(std::size_t instruments, std::size_t per_connection);

 private:
  asio::awaitable<std::vector<Instrument>> load_instruments();
  asio::awaitable<bool> fetch_instruments(std::vector<Instrument>& listed, std::string& error);
  bool cached_instruments(std::vector<Instrument>& listed);
  asio::awaitable<void> follow_listings();
  asio::awaitable<void> measure_time();
  void report_time();
  void weigh_time();
  void set_time(std::int64_t anchor);
  [[nodiscard]] bool trades_agree_with(Timestamp now) const;
  void heed(const HttpResponse& response, std::string& error);
  void apply(const std::vector<Instrument>& listed);
  void fetch_again(const Instrument& instrument, std::span<const Row> rows);
  void make_prover(HistoryContext context);
  bool want_past(const Instrument& instrument, const LastKnown* known);
  void report_unknown(const std::vector<UnknownSymbol>& unknown);
  [[nodiscard]] const Instrument* adopt(const Instrument& found);
  void change_unit(Instrument& known, const Instrument& found);
  void note_unit_of_before(const Instrument& instrument, Timestamp last_row);
  void load_units();
  void save_units();
  // The exchange's list is read again this often.
  static constexpr std::chrono::minutes relist_every{10};
  void list_again();
  [[nodiscard]] std::uint32_t usual_messages(std::span<const Instrument* const> instruments) const;
  void begin(const std::vector<const Instrument*>& instruments);
  void end(const std::vector<const Instrument*>& instruments);
  Session& make_session(std::shared_ptr<ChannelWriter> writer = nullptr);
  Session& start(Session& session);
  [[nodiscard]] Session* twin_of(const Session& session) const;  // nullptr: it has none, or is one
  [[nodiscard]] bool is_twin(const Session& session) const;
  asio::awaitable<void> tend_connections();
  void renew(Session& old);
  [[nodiscard]] bool renewing(const Session& session) const;
  void look_for_quiet();
  void tell_contradictions();
  void answered(const Instrument& instrument, Answered answer);
  void look_for_lulls();
  void found_mute(Session& session);
  void take_over();
  void make_backfill();
  void set_limits(Session& session) const;
  [[nodiscard]] std::string cache_file() const;
  [[nodiscard]] std::string units_file() const;

  MarketContext context_;
  const Exchange& exchange_;
  std::vector<std::string> wanted_;
  Stream stream_;
  std::vector<Url> ws_hosts_, rest_hosts_;
  HostSelector hosts_;
  std::shared_ptr<ExchangeTime> time_;
  ListMemory list_memory_;
  std::string list_error_;     // why a part of the list can't be had; the log knows it
  bool listed_fresh_ = false;  // from the exchange, not from disk, and all of it
  bool relist_ = false;        // at once
  // What is wanted and not to be had may be so in a moment: a state of some seconds, a listing that is announced.
  Backoff unlisted_pause_{seconds(10), Duration{std::chrono::microseconds(relist_every).count()}, 1};
  Timestamp listed_at_;                           // when the list that is in force was read, by the exchange's clock
  std::vector<Instrument> listed_before_;         // by the run before, as far as the disk has it
  Timestamp listed_before_at_;                    // when it last read one, as far as the disk has it
  std::map<std::string, Timestamp> units_since_;  // symbols whose contract size changed: by when it had
  std::chrono::steady_clock::time_point next_relist_{};
  Timestamp agreed_at_;  // trades bore out the time then; 0: they never did
  // Since when trades are ahead of the local clock, where there is nothing else to go by, and by how much.
  std::optional<std::pair<Timestamp, Duration>> trades_ahead_;
  std::optional<std::int64_t> time_doubted_;  // an answer that nobody else agreed with
  bool clock_reported_ = false;               // the log knows that the local clock is wrong
  Intake intake_;
  // A connection that fell silent: when it is asked about again, and since when it owes us what history had.
  struct SilenceAsked {
    std::chrono::steady_clock::time_point next{};
    std::optional<std::chrono::steady_clock::time_point> owed;
  };
  std::map<const Session*, SilenceAsked> lulls_;
  std::unique_ptr<Backfill> backfill_;             // null: what is missed stays a gap
  std::unique_ptr<Prover> prover_;                 // null: bars get no final proof
  std::unique_ptr<HistoryLoader> history_loader_;  // null: the exchange has no candles to do it with
  std::deque<Instrument> instruments_;        // addresses are stable: everything points here; none is ever taken away
  std::map<std::string, Instrument*> known_;  // all of them, by symbol
  std::map<const Instrument*, Session*> active_;  // those collected now, and by which connection
  std::vector<Instrument> listed_;                // the exchange's newest answer
  std::set<std::string> reported_;                // unknown symbols that the log knows of
  // A session without instruments has been told to end; it stays here, so that its coroutine may return in peace.
  std::vector<std::unique_ptr<Session>> sessions_;
  std::uint64_t backpressure_before_us_ = 0;  // of sessions that are gone
  EndCounts ends_before_{};
  std::size_t queue_max_before_ = 0;
  std::shared_ptr<Latency> receipt_to_ledger_ = std::make_shared<Latency>();
  std::map<std::string, std::string> unlisted_;  // wanted names that the exchange does not list, and why
  std::map<std::string, std::string> refusals_;  // symbols, in the exchange's words
  std::uint64_t rest_requests_ = 0;
  std::map<unsigned, std::uint64_t> rest_refusals_{{403, 0}, {418, 0}, {429, 0}, {451, 0}};  // by HTTP status
  struct Renewal {
    Session* old;
    Session* next;
    std::chrono::steady_clock::time_point delivers_since{};
  };
  std::vector<Renewal> renewals_;
  std::uint32_t redundancy_ = 1;
  std::size_t per_connection_ = 0;      // instruments, at most
  std::map<Session*, Session*> twins_;  // of each connection the other that carries the same
  std::unique_ptr<Timer> tending_;
  std::uint64_t renewed_ = 0, stalls_ = 0;
  std::chrono::steady_clock::time_point next_look_{}, next_tell_{};
  std::uint64_t contradictions_told_ = 0;
  std::map<const Session*, std::deque<std::chrono::steady_clock::time_point>> stalled_;  // of the last ten minutes
  std::size_t session_number_ = 0;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

}  // namespace cvdd
