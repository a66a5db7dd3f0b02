#include "cvdd/pipeline/aggregator.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cvdd/storage/capture.hpp"

namespace cvdd {

namespace {
constexpr std::size_t batch_max = 4096, expected_max = 64;
constexpr Duration retry_every = seconds(5);  // rows that could not be written
// After a long sleep bars are told of in pieces of so many; a record further ahead than `asleep` bars waits for that,
// so that memory holds no more bars than these.
constexpr std::int64_t piece = 200, asleep = 2'000;
// Bars wait no longer than this for the io thread to say that it has read what had arrived; they are gaps then.
constexpr Duration reading_max = seconds(10);
}  // namespace

Aggregator::Aggregator(AggregatorOptions options, CsvStore& store, FileSyncer& syncer, const Remembered& restored)
    : options_(std::move(options)),
      store_(store),
      syncer_(syncer),
      restored_(restored),
      ledger_({options_.interval, options_.event_time, options_.repairs, options_.watched}),
      context_(options_.interval) {}

Aggregator::~Aggregator() {
  if (thread_.joinable()) stop();
}

void Aggregator::give_candles(const Instrument& instrument, std::vector<Candle> candles) {
  const std::lock_guard lock(mail_mutex_);
  mail_.candles.emplace_back(instrument.id, std::move(candles));
  mail_waiting_.store(true, std::memory_order_release);
}

void Aggregator::add_channel(std::shared_ptr<Channel> channel) {
  {
    const std::lock_guard lock(mail_mutex_);
    mail_.channels.push_back(std::move(channel));
    mail_waiting_.store(true, std::memory_order_release);
  }
  wakeup_.ring();
}

void Aggregator::begin() {
  if (options_.capture != nullptr) {
    options_.capture->begin(
        {{}, 0, options_.interval, options_.close_delay, options_.event_time, options_.repairs, options_.watched});
  }
  next_due_ = bar_start(options_.now(), options_.interval) + options_.interval;
  read_us_.store(options_.now().us, std::memory_order_release);
}

bool Aggregator::turn() {
  last_turn_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
  const std::size_t drained = drain();
  if (!context_rings_.empty()) drain_context();
  close_due();
  if (store_.backlog_rows() > 0 && options_.now() >= next_retry_) deliver();
  if (!leavers_.empty()) say_farewell();
  if (row_feed_.open_bars_wanted()) {
    std::vector<OpenBar> open;
    ledger_.open_bars(options_.now(), open);
    row_feed_.put(std::move(open));
  }
  return drained > 0;
}

Timestamp Aggregator::heard_until() const {
  return std::min(Timestamp{cut_us_.load(std::memory_order_acquire)}, options_.now());
}

// Read first, then closed: a process that was stopped, or swapped out, has its trades in the sockets yet.
Timestamp Aggregator::due_until() const {
  const Timestamp heard = heard_until();
  if (!options_.watched) return heard;
  const Timestamp read{read_us_.load(std::memory_order_acquire)};
  const bool waits = heard - read < Duration{options_.interval.us + options_.close_delay.us + reading_max.us};
  return waits ? std::min(heard, read) : heard;
}

void Aggregator::finish() {
  while (drain() > 0) {
  }
  close_due();
  if (options_.event_time) {
    const Timestamp end = ledger_.newest_trade().value_or(options_.now());
    finish_ledger(end, end);
  } else {
    // A bar that ended less than close_delay before the cut may lack trades that were still on their way.
    finish_ledger(heard_until() - options_.close_delay, heard_until());
    drain_context();
    context_.finish(heard_until(), context_rows_);
  }
  deliver();
  syncer_.wait();
  // A sync that failed has given rows back: one more try, into a new file.
  deliver();
  syncer_.wait();
  const std::uint64_t lost = store_.backlog_rows() + store_.refused_rows();
  if (lost > 0) {
    options_.on_problem("the daemon ends with rows that could not be written rows=" + std::to_string(lost));
  }
}

void Aggregator::finish_ledger(Timestamp whole_until, Timestamp now) {
  if (options_.capture != nullptr) options_.capture->finished(whole_until, now);
  ledger_.finish(whole_until, now, rows_);
}

void Aggregator::start() {
  begin();
  thread_ = std::thread([this] { run(); });
}

void Aggregator::stop() {
  stopping_.store(true, std::memory_order_release);
  wakeup_.ring();
  if (thread_.joinable()) thread_.join();
}

void Aggregator::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    (void)turn();
    wakeup_.wait_until(next_wake(), [this] {
      return stopping_.load(std::memory_order_acquire) || mail_waiting_.load(std::memory_order_acquire) ||
             std::any_of(channels_.begin(), channels_.end(), [](const auto& c) { return !c->empty(); });
    });
  }
  finish();
}

// Mail is read between popping and applying: whatever a record needs was posted before it was pushed.
std::size_t Aggregator::drain() {
  read_mail();
  // A long batch is of the same instruments again and again.
  for (const auto& channel : channels_) {
    const std::span<const Record> batch = channel->front(batch_max);
    if (batch.size() <= expected_max) ledger_.expect(batch);
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Channel& channel = *channels_[i];
    const std::span<const Record> batch = channel.front(batch_max);
    if (batch.empty()) continue;
    read_mail();
    if (batch.size() <= expected_max) ledger_.expect_now(batch);
    apply_all(batch);
    note_latency(channel, batch);
    total += batch.size();
    channel.release(batch.size());
  }
  if (total > 0) {
    stats_.records.fetch_add(total, std::memory_order_relaxed);
    const LedgerCounters& c = ledger_.counters();
    stats_.late.store(c.late, std::memory_order_relaxed);
    stats_.before_first.store(c.before_first, std::memory_order_relaxed);
    if (ledger_.newest_trade()) stats_.newest_trade_us.store(ledger_.newest_trade()->us, std::memory_order_relaxed);
  }
  return total;
}

// In the order in which they come to the ledger.
void Aggregator::note(std::span<const Record> batch) {
  if (options_.capture != nullptr) options_.capture->records(batch);
}

// Of a batch that is in the ledger.
void Aggregator::note_latency(Channel& channel, std::span<const Record> batch) {
  const std::size_t n = batch.size();
  if (n > stats_.queue_max.load(std::memory_order_relaxed)) stats_.queue_max.store(n, std::memory_order_relaxed);
  if (!options_.local) return;
  const auto pushed = channel.take_stamp();
  if (pushed != Channel::Time{}) {
    const auto waited = std::chrono::steady_clock::now() - pushed;
    channel.note_waited({std::chrono::duration_cast<std::chrono::microseconds>(waited).count()});
  }
  const Timestamp now = options_.local();
  for (const Record& record : batch) {
    if (record.kind() == RecordKind::trade) stats_.event_to_ledger.add(now - record.time());
  }
}

// Until when a record tells of bars; a name has no time.
Timestamp Aggregator::told_until(const Record& record) {
  if (record.kind() == RecordKind::name) return {};
  const bool spans = record.kind() == RecordKind::contradicted || record.kind() == RecordKind::lost;
  return spans ? record.time() + Duration{static_cast<std::int64_t>(record.count())} : record.time();
}

void Aggregator::apply_all(std::span<const Record> batch) {
  const auto far = [&](const Record& record) {
    return !options_.event_time && told_until(record) > next_due_ + Duration{asleep * options_.interval.us};
  };
  std::size_t noted = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (far(batch[i])) {
      if (i > noted) note(batch.subspan(noted, i - noted));
      noted = i;
      close_in_pieces(std::min(told_until(batch[i]), heard_until() - options_.close_delay));
    }
    apply(batch[i]);
    if (options_.event_time) close_due();
  }
  note(batch.subspan(noted));
}

// A month of candles is written before the next instrument's are made rows: one at a time is in memory.
void Aggregator::apply(const Record& record) {
  ledger_.apply(record);
  if (record.kind() != RecordKind::candles) return;
  std::vector<Row> ready = ledger_.take_ready();
  if (ready.empty()) return;
  rows_.swap(ready);
  deliver();
  rows_.swap(ready);
}

void Aggregator::read_mail() {
  if (!mail_waiting_.load(std::memory_order_acquire)) return;
  Mail mail;
  {
    const std::lock_guard lock(mail_mutex_);
    mail = std::exchange(mail_, {});
    mail_waiting_.store(false, std::memory_order_release);
  }
  leavers_.insert(leavers_.end(), mail.leavers.begin(), mail.leavers.end());
  for (const Newcomer& newcomer : mail.instruments) enter(newcomer);
  for (auto& [instrument, candles] : mail.candles) {
    if (options_.capture != nullptr) options_.capture->candles({instrument, candles});
    ledger_.give_candles(instrument, std::move(candles));
  }
  for (auto& channel : mail.channels) channels_.push_back(std::move(channel));
  for (auto& ring : mail.context_rings) context_rings_.push_back(std::move(ring));
  for (const auto& [instrument, wanted] : mail.context) begin_context(*instrument, wanted);
}

// So that no more bars are in memory than the ledger keeps anyway, however long nobody looked.
void Aggregator::close_in_pieces(Timestamp upto) {
  const Duration step{piece * options_.interval.us};
  while (next_due_ + step < upto) {
    const Timestamp end = next_due_ + step;
    if (options_.capture != nullptr) options_.capture->closed_bars(end);
    ledger_.close(end, rows_);
    context_.close(end, context_rows_);
    next_due_ = end + options_.interval;
    deliver();
  }
}

void Aggregator::close_due() {
  if (options_.event_time) {
    if (!ledger_.event_due(options_.close_delay)) return;
    ledger_.close_by_event(options_.close_delay, rows_);
  } else {
    const Timestamp upto = due_until() - options_.close_delay;
    // The clock turned out to be ahead: the next bar ends earlier than thought.
    if (next_due_ > upto + options_.interval) next_due_ = bar_start(upto, options_.interval) + options_.interval;
    if (upto < next_due_) return;
    // What was received before this moment belongs to the bar: it is in the queues already.
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      for (std::size_t rounds = 0; rounds < rounds_max; ++rounds) {
        const std::span<const Record> batch = channels_[i]->front(batch_max);
        if (batch.empty()) break;
        read_mail();
        apply_all(batch);
        stats_.records.fetch_add(batch.size(), std::memory_order_relaxed);
        channels_[i]->release(batch.size());
      }
    }
    drain_context();
    close_in_pieces(upto);
    next_due_ = bar_start(upto, options_.interval) + options_.interval;
    if (options_.capture != nullptr) options_.capture->closed_bars(upto);
    ledger_.close(upto, rows_);
    context_.close(upto, context_rows_);
  }
  stats_.bars_closed.fetch_add(1, std::memory_order_relaxed);
  deliver();
}

void Aggregator::deliver() {
  for (const std::string& error : ledger_.take_errors()) options_.on_problem(error);
  for (const CsvStore::SyncRequest& result : syncer_.results()) store_.synced(result);
  if (!rows_.empty() || !context_rows_.empty() || store_.backlog_rows() > 0) store_rows();
  syncer_.request(store_.take_sync_requests());
  for (const std::string& note : store_.take_notes()) options_.on_note(note);
}

// What can't be written stays with the store; readers are told of rows once they are in the ledger's order, written or
// not, because their numbers are final either way.
void Aggregator::store_rows() {
  if (!rows_.empty()) stats_.gaps.store(ledger_.gaps(), std::memory_order_relaxed);
  const std::uint64_t refused = store_.refused_rows();
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<FlowRow> flow = ledger_.take_flow_rows();
  store_.keep(ledger_.take_ended(), flow);
  const int error = store_.write(rows_, flow, context_rows_);
  const auto took = std::chrono::steady_clock::now() - begin;
  stats_.bar_write.add({std::chrono::duration_cast<std::chrono::microseconds>(took).count()});
  next_retry_ = options_.now() + retry_every;
  if (error != last_write_error_) {
    if (error != 0) {
      options_.on_problem(std::string("rows can't be written, they are kept in memory and tried again reason=\"") +
                          std::strerror(error) + "\" rows=" + std::to_string(store_.backlog_rows()));
    } else {
      options_.on_note("rows are written again, none is lost");
    }
    last_write_error_ = error;
  }
  if (store_.refused_rows() > refused && refused == 0) {
    options_.on_problem("the memory kept for rows that can't be written is full: rows are lost from now on");
  }
  stats_.backlog_rows.store(store_.backlog_rows(), std::memory_order_relaxed);
  stats_.refused_rows.store(store_.refused_rows(), std::memory_order_relaxed);
  stats_.rows.fetch_add(rows_.size(), std::memory_order_relaxed);
  stats_.revisions.store(ledger_.counters().revisions, std::memory_order_relaxed);
  if (options_.on_rows && !rows_.empty()) options_.on_rows(rows_);
  row_feed_.put(std::span<const Row>(rows_));
  rows_.clear();
  count_context();
}

std::chrono::steady_clock::time_point Aggregator::next_wake() const {
  using namespace std::chrono;
  const auto now = steady_clock::now();
  if (options_.event_time) return now + std::chrono::seconds(1);
  // Who reads rings when a bar may be closed.
  const Timestamp bar = options_.watched && due() <= options_.now() ? options_.now() + seconds(1) : due();
  const Duration wait = std::min(bar, store_.backlog_rows() > 0 ? next_retry_ : bar) - options_.now();
  return now + microseconds(std::clamp<std::int64_t>(wait.us, 0, 1'000'000));
}

}  // namespace cvdd
