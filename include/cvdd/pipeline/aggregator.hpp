// The aggregator thread: drains every channel into the ledger, closes bars on time, hands rows to the store.
// It never calls into the io thread. Instruments and channels arrive by a mailbox.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "cvdd/base/latency.hpp"
#include "cvdd/ledger/context.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/pipeline/context_ring.hpp"
#include "cvdd/pipeline/row_feed.hpp"
#include "cvdd/pipeline/wakeup.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/file_syncer.hpp"

namespace cvdd {

class Capture;

struct AggregatorOptions {
  Duration interval = seconds(60);
  Duration close_delay = seconds(2);
  bool event_time = false;
  bool repairs = false;        // see LedgerOptions
  bool watched = false;        // bars wait for read_until, and are whole as far as marks say
  Capture* capture = nullptr;  // where what the ledger is told is noted; null: nowhere
  // How an instrument's volume is counted by the size of its trades; null: not at all. Aggregator thread.
  std::function<std::shared_ptr<const SizeBuckets>(const Instrument&)> size_buckets = {};
  std::function<Timestamp()> now;                      // the wall clock
  std::function<Timestamp()> local;                    // the machine's, for latencies; may be empty
  std::function<void(std::span<const Row>)> on_rows;   // after rows were written; on the aggregator thread
  std::function<void(const std::string&)> on_problem;  // one line that an operator should read
  std::function<void(const std::string&)> on_note;     // … that an operator may want to know
};

// What the io thread and tests may read at any time.
struct AggregatorStats {
  std::atomic<std::uint64_t> records{0}, rows{0}, revisions{0}, late{0}, before_first{0}, bars_closed{0};
  std::atomic<std::uint64_t> backlog_rows{0};  // waiting in memory for the disk
  std::atomic<std::uint64_t> gaps{0};          // instruments whose newest bar says gap
  std::atomic<std::uint64_t> refused_rows{0};  // the backlog was full
  std::atomic<std::uint64_t> context_rows{0}, context_revisions{0}, context_late{0};
  std::atomic<std::int64_t> newest_trade_us{0};
  std::atomic<std::uint64_t> queue_max{0};  // records of one queue that were found waiting, at most
  Latency bar_write;                        // rows made text and handed to the kernel
  Latency event_to_ledger;                  // of trades, by the local clock as it is
};

class Aggregator {
 public:
  // `restored`: the newest row of every instrument in the files; both must outlive the aggregator.
  Aggregator(AggregatorOptions options, CsvStore& store, FileSyncer& syncer, const Remembered& restored);
  ~Aggregator();

  // Any thread; in effect before the first record that is pushed afterwards. The instrument must stay, until it is
  // forgotten. `held`: see Ledger::hold. `known`: what to go on with, in place of what the files said at the start.
  void add_instrument(const Instrument& instrument, bool held = false,
                      std::shared_ptr<const LastKnown> known = nullptr);
  // The instrument ended, and nothing will be pushed of it any more. Any thread. Once `done` nothing refers to it, and
  // its number may be another's; `known` is what to go on with if it comes again, and empty if it never had a row.
  struct Farewell {
    std::atomic<bool> done{false};
    std::optional<LastKnown> known;
  };
  [[nodiscard]] std::shared_ptr<const Farewell> forget(const Instrument& instrument);
  // See Ledger::give_candles; any thread, before the record.
  void give_candles(const Instrument& instrument, std::vector<Candle> candles);
  void add_channel(std::shared_ptr<Channel> channel);
  [[nodiscard]] Wakeup& wakeup() { return wakeup_; }

  // Nothing is received any more since `now`. Any thread; before stop or finish. Without it, that moment is the cut.
  void cut_at(Timestamp now) { cut_us_.store(now.us, std::memory_order_release); }

  // All that had arrived by then has been read, and is in the queues with what is to be said of it. Any thread.
  void read_until(Timestamp now) {
    read_us_.store(now.us, std::memory_order_release);
    wakeup_.ring();
  }

  void start();
  // Drains what is there, writes the open bars as `partial`, ends the thread. Everything that pushes must be quiet.
  void stop();

  // Without a thread, for who brings its own loop: begin, turn whenever something may be due, finish.
  void begin();
  // Drains and closes what is due; whether there was anything.
  bool turn();
  void finish();
  // When a bar is due next, by the wall clock.
  [[nodiscard]] Timestamp due() const { return next_due_ + options_.close_delay; }

  // For who looks on.
  [[nodiscard]] RowFeed& row_feed() { return row_feed_; }

  [[nodiscard]] const AggregatorStats& stats() const { return stats_; }
  // What stands beside the trades. Any thread; in effect before the first update that is pushed afterwards. The
  // instrument was added before.
  void add_context(const Instrument& instrument, const ContextWanted& wanted);
  void add_context_ring(std::shared_ptr<ContextRing> ring);

  // Any thread: since it last did its round; more than a few seconds means that it hangs.
  [[nodiscard]] std::chrono::milliseconds idle() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 last_turn_.load(std::memory_order_relaxed));
  }

 private:
  struct Newcomer {
    const Instrument* instrument = nullptr;
    bool held = false;
    std::shared_ptr<const LastKnown> known;
  };
  struct Leaver {
    const Instrument* instrument = nullptr;
    std::shared_ptr<Farewell> farewell;
  };
  struct Mail {
    std::vector<Newcomer> instruments;
    std::vector<Leaver> leavers;
    std::vector<std::pair<std::uint32_t, std::vector<Candle>>> candles;
    std::vector<std::shared_ptr<Channel>> channels;
    std::vector<std::pair<const Instrument*, ContextWanted>> context;
    std::vector<std::shared_ptr<ContextRing>> context_rings;
  };
  void run();
  std::size_t drain();
  void read_mail();
  void enter(const Newcomer& newcomer);
  void count_flow(const Instrument& instrument, const LastKnown* known);
  void say_farewell();
  void begin_context(const Instrument& instrument, const ContextWanted& wanted);
  void drain_context();
  [[nodiscard]] std::optional<ContextRow> forget_context(std::uint32_t instrument);
  void count_context();
  void note(std::span<const Record> batch);
  void apply(const Record& record);
  void apply_all(std::span<const Record> batch);
  [[nodiscard]] static Timestamp told_until(const Record& record);
  void note_latency(Channel& channel, std::span<const Record> batch);
  void finish_ledger(Timestamp whole_until, Timestamp now);
  void close_due();
  void close_in_pieces(Timestamp upto);
  [[nodiscard]] Timestamp heard_until() const;
  [[nodiscard]] Timestamp due_until() const;
  void deliver();
  void store_rows();
  [[nodiscard]] std::chrono::steady_clock::time_point next_wake() const;

  // So often a batch of each queue is more than fits into one.
  static constexpr std::size_t rounds_max = 64;
  AggregatorOptions options_;
  CsvStore& store_;
  FileSyncer& syncer_;
  const Remembered& restored_;
  Ledger ledger_;
  ContextLedger context_;
  std::vector<std::shared_ptr<ContextRing>> context_rings_;
  std::vector<ContextRow> context_rows_;
  std::map<std::uint32_t, ContextRow> context_known_;  // newest rows of files, until who they are of begins
  Wakeup wakeup_;
  RowFeed row_feed_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::vector<Leaver> leavers_;
  std::vector<Row> rows_;
  Timestamp next_due_;    // end of the next bar to close
  Timestamp next_retry_;  // of rows that could not be written
  int last_write_error_ = 0;

  std::mutex mail_mutex_;
  std::atomic<bool> mail_waiting_{false};
  Mail mail_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::chrono::steady_clock::time_point> last_turn_{std::chrono::steady_clock::now()};
  std::atomic<std::int64_t> cut_us_{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> read_us_{0};
  AggregatorStats stats_;
  std::thread thread_;
};

}  // namespace cvdd
