#include "cvdd/recovery/backfill.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace cvdd {

namespace {
constexpr std::chrono::seconds hole_after{1};
// A quiet instrument may just be quiet: its next trade tells for nothing.
constexpr std::chrono::seconds check_after{20};
// A hole of more ids than this would take hours of the budget.
constexpr std::uint64_t hole_max = 2'000'000;
// What was traded just before it spoke again may not be in the history yet.
constexpr std::chrono::seconds silence_asked_after{1};
// Trades of one instrument may have times in another order than their ids, by so much.
constexpr Duration out_of_order = seconds(1);
// A bar's holes that wait for its end are asked for so long after it; of longer bars every minute.
constexpr Duration after_its_end = seconds(2), wait_max = seconds(60);
}  // namespace

Backfill::Backfill(HistoryContext context)
    : context_(std::move(context)), client_(context_), timer_(context_.clock->timer()) {}

// Where ids can't be asked for: the newest trade that is known was made before all that came after its id.
Timestamp Backfill::made_before(const Instrument& instrument) const {
  const History* const history = context_.intake->exchange().history;
  if (history == nullptr || history->by_id != nullptr) return {};
  const Timestamp newest = context_.intake->newest(instrument);
  return newest.us == 0 ? context_.time->now() - seconds(600) : newest - out_of_order;
}

std::chrono::steady_clock::time_point Backfill::hole_due() const {
  const auto now = context_.clock->steady();
  const History* const history = context_.intake->exchange().history;
  if (history == nullptr || !history->feed_leaves_out) return now + hole_after;
  const Timestamp time = context_.time->now();
  const Duration wait = std::min(context_.interval, wait_max);
  return now + std::chrono::microseconds((bar_start(time, wait) + wait + after_its_end - time).us);
}

void Backfill::hole(const Instrument& instrument, std::uint64_t first, std::uint64_t count, Timestamp since,
                    bool by_trades) {
  Repair repair{&instrument, first, first + count - 1, hole_due(), 0};
  repair.by_trades = by_trades;
  const Timestamp newest = made_before(instrument);
  repair.since = newest.us == 0 || since.us == 0 ? newest : since - out_of_order;
  const bool too_much = count > hole_max && !worth_candles(repair);
  if (too_much || !context_.intake->exchange().has_history_of(context_.intake->source(instrument))) {
    // Nothing to be had; the verdict follows the hole's own mark, which is on its way.
    repair.attempts = static_cast<unsigned>(RepairQueue::pauses.size());
  }
  if (!queue_.add(repair)) ++counters_.given_up;
  if (sleeping_for_work_) timer_->cancel();
}

void Backfill::check(const Instrument& instrument) {
  if (context_.intake->exchange().history == nullptr) return;
  if (instrument.ids == Ids::opaque) {
    Repair repair{&instrument, 0, 0, context_.clock->steady(), 0};
    repair.recent = true;
    if (!queue_.add(repair)) ++counters_.given_up;
    if (sleeping_for_work_) timer_->cancel();
    return;
  }
  if (context_.intake->quiet_until(instrument) && context_.intake->exchange().history->newest != nullptr) {
    Repair repair{&instrument, 0, 0, context_.clock->steady() + check_after, 0};
    repair.recent = repair.newest = true;
    if (!queue_.add(repair)) ++counters_.given_up;
    if (sleeping_for_work_) timer_->cancel();
    return;
  }
  const auto id = context_.intake->last_id(instrument);
  if (!id || !context_.intake->exchange().has_history_of(context_.intake->source(instrument))) return;
  Repair repair{&instrument, *id + 1, 0, context_.clock->steady() + check_after, 0};
  repair.since = made_before(instrument);
  if (!queue_.add(repair)) ++counters_.given_up;
  if (sleeping_for_work_) timer_->cancel();
}

void Backfill::ask(const Instrument& instrument, bool lull) {
  const auto id = context_.intake->last_id(instrument);
  Repair repair{&instrument, id.value_or(0) + 1, 0, context_.clock->steady(), 0};
  repair.recent = instrument.ids == Ids::opaque;
  repair.since = made_before(instrument);
  repair.question = true;
  repair.lull = lull;
  // Where ids can't be asked for, or history numbers other trades than the feed, the question is what the newest is.
  const Exchange& exchange = context_.intake->exchange();
  if (exchange.history == nullptr) return;
  const bool others = !repair.recent && !exchange.has_history_of(context_.intake->source(instrument));
  repair.newest = instrument.ids == Ids::sequence && (exchange.history->between != nullptr || others);
  if (repair.newest && exchange.history->newest == nullptr) return;
  if (questions_ >= questions_max || (!id && !repair.recent) || !queue_.add(repair)) return;
  ++questions_;
  if (sleeping_for_work_) timer_->cancel();
}

void Backfill::ask_about_silence(const Instrument& instrument, Timestamp from, Timestamp to, bool improbable) {
  if (queue_.asks(instrument)) return;
  Repair repair{&instrument, 0, 0, context_.clock->steady() + silence_asked_after, 0};
  repair.recent = true;
  repair.silent_from = from;
  repair.silent_to = to;
  repair.improbable = improbable;
  if (queue_.add(repair) && sleeping_for_work_) timer_->cancel();
}

void Backfill::stop() {
  stopping_ = true;
  timer_->cancel();
  client_.stop();
}

asio::awaitable<void> Backfill::run() {
  while (!stopping_) {
    if (const auto repair = queue_.take(context_.clock->steady())) {
      asking_ = repair->instrument;
      co_await fetch(*repair);
      asking_ = nullptr;
      continue;
    }
    sleeping_for_work_ = true;
    const auto idle = context_.clock->steady() + std::chrono::hours(1);
    co_await timer_->wait_until(std::min(idle, queue_.next_due().value_or(idle)));
    sleeping_for_work_ = false;
  }
}

asio::awaitable<void> Backfill::fetch(Repair repair) {
  const bool check = repair.last == 0 && !repair.recent;
  if (repair.question) --questions_;
  // Heard of in the meantime: live trades have answered the question.
  if (check && context_.intake->last_id(*repair.instrument) != repair.first - 1) co_return;
  // … or another hole's page had it in it.
  if (repair.last != 0 && !context_.intake->waits_for(*repair.instrument, repair.first, repair.last)) co_return;
  if (!context_.intake->begun(*repair.instrument)) {
    repair.due = context_.clock->steady() + hole_after;
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  if (repair.attempts >= RepairQueue::pauses.size()) co_return co_await give_up(repair);
  if (worth_candles(repair)) co_return co_await bridge(repair);
  if (const Duration wait = context_.gate->blocked(undated(*context_.clock)); wait.us > 0) {
    if (repair.question) co_return;
    repair.due = context_.clock->steady() + std::chrono::microseconds(wait.us);
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  const Duration wait = context_.budget->take(undated(*context_.clock));
  co_await client_.sleep(std::chrono::microseconds(wait.us));
  if (stopping_) co_return;
  // Asked to stay away while we waited for our turn.
  if (const Duration told = context_.gate->blocked(undated(*context_.clock)); told.us > 0) {
    if (repair.question) co_return;
    repair.due = context_.clock->steady() + std::chrono::microseconds(told.us);
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  HistoryPage found;
  std::string error;
  if (co_await page(repair, found, error)) {
    last_error_.clear();
    co_return co_await take_page(repair, std::move(found));
  }
  if (stopping_ || repair.question) co_return;
  try_again(repair, error);
}

void Backfill::try_again(Repair repair, const std::string& error) {
  ++counters_.failures;
  if (error != last_error_) {
    spdlog::warn("can't fetch missed trades, trying again market=\"{}\" reason=\"{}\"", context_.name, error);
    last_error_ = error;
  }
  if (queue_.again(repair, context_.clock->steady())) return;
  repair.attempts = static_cast<unsigned>(RepairQueue::pauses.size());  // the next look at it gives it up
  repair.due = context_.clock->steady();
  if (!queue_.add(repair)) ++counters_.given_up;
}

// Due at once; what it waits for is the budget alone.
void Backfill::ask_again(Repair repair) {
  repair.attempts = 0;
  repair.due = context_.clock->steady();
  if (!queue_.add(repair)) {
    ++counters_.given_up;
  } else if (repair.question) {
    ++questions_;
  }
}

asio::awaitable<void> Backfill::take_page(Repair repair, HistoryPage page) {
  if (repair.recent) co_return co_await take_recent(repair, page);
  const RepairProgress progress =
      judge_page(repair, page, rows_of(repair), context_.intake->exchange().history->short_page_is_end);
  repair.rows = progress.rows;
  // What is in it comes again, in order.
  if (progress.next == RepairProgress::Next::cut) co_return ask_again(repair);
  if (progress.next == RepairProgress::Next::more && context_.intake->exchange().history->by_id == nullptr) {
    const Timestamp reached = page.trades.empty() ? repair.since : page.trades.back().time;
    if (reached <= repair.since && repair.question) co_return;
    if (reached <= repair.since) co_return try_again(repair, "more trades of one moment than a page holds");
    repair.since = reached;
  }
  std::vector<Record> records;
  context_.intake->take_history(page.trades, records);
  if (repair.question && records.empty() && !page.refused.empty()) co_return;  // it may be what can't be read
  if (repair.question) co_return co_await take_answer(repair, std::move(records), true);
  const bool check = repair.last == 0;
  if (check && progress.next == RepairProgress::Next::done) {
    const auto id = context_.intake->last_id(*repair.instrument);
    records.push_back(Record::mark(RecordKind::verdict, repair.instrument->id, context_.time->now(), *id, 0));
  }
  co_await client_.deliver(*repair.instrument, records);
  if (stopping_) co_return;
  switch (progress.next) {
    case RepairProgress::Next::more:
      repair.first = progress.first;
      ask_again(repair);
      break;
    case RepairProgress::Next::cut:
      break;
    case RepairProgress::Next::later: {
      repair.first = progress.first;
      const Repair kept = repair;
      if (!queue_.again(repair, context_.clock->steady())) co_await give_up(kept);
      break;
    }
    case RepairProgress::Next::done:
      if (!check) {
        // Ids that the exchange left out of its own history stay missing; a closed hole needs no verdict.
        const Record verdict =
            Record::mark(RecordKind::verdict, repair.instrument->id, context_.time->now(), repair.last, 1);
        const std::vector<Record> last{verdict};
        co_await client_.deliver(*repair.instrument, last);
      }
      break;
  }
}

std::size_t Backfill::rows_of(const Repair& repair) const {
  return repair.rows != 0 ? repair.rows : context_.intake->exchange().history->page;
}

asio::awaitable<bool> Backfill::page(const Repair& repair, HistoryPage& page, std::string& error) {
  const History& history = *context_.intake->exchange().history;
  ++counters_.requests;
  // A page weighs the same whatever it holds, so it is asked for whole.
  const std::size_t rows = rows_of(repair);
  const Repair begin = repair.last == 0 ? repair : queue_.best_begin(repair, rows);
  const Series series = context_.intake->source(*repair.instrument).value_or(history.series);
  const Stream stream = series == Series::single ? Stream::single : Stream::aggregate;
  const std::string target = repair.newest   ? history.newest(*repair.instrument, stream)
                             : repair.recent ? history.recent(*repair.instrument)
                                             : history.from(*repair.instrument, begin.first, begin.since, rows);
  std::string body;
  if (!co_await client_.get(target, body, error)) co_return false;
  auto read = client_.read(body, *repair.instrument);
  if (!read) {
    error = read.error();
    co_return false;
  }
  page = std::move(*read);
  if (page.refused.empty() || !page.trades.empty()) co_return true;
  error = "none of " + std::to_string(page.refused.size()) +
          " rows can be read: " + std::string(name_of(page.refused.front().why));
  co_return false;
}

asio::awaitable<void> Backfill::give_up(const Repair& repair) {
  ++counters_.given_up;
  if (repair.recent) context_.intake->settle(*repair.instrument);
  if (repair.last == 0 && !repair.recent) co_return;
  const std::vector<Record> verdict{
      Record::mark(RecordKind::verdict, repair.instrument->id, context_.time->now(), repair.last, 1)};
  co_await client_.deliver(*repair.instrument, verdict);
}

}  // namespace cvdd
