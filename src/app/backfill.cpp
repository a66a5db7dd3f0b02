#include "cvdd/app/backfill.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace cvdd {

namespace {
constexpr std::chrono::seconds hole_after{1};
// A quiet instrument may just be quiet: its next trade tells for nothing.
constexpr std::chrono::seconds check_after{20};
constexpr std::chrono::seconds request_timeout{20};
constexpr std::size_t body_max = std::size_t{4} << 20;
// A hole of more ids than this would take hours of the budget.
constexpr std::uint64_t hole_max = 2'000'000;
}  // namespace

Backfill::Backfill(BackfillContext context) : context_(std::move(context)), timer_(context_.clock->timer()) {}

void Backfill::hole(const Instrument& instrument, std::uint64_t first, std::uint64_t count) {
  Repair repair{&instrument, first, first + count - 1, context_.clock->steady() + hole_after, 0};
  if (count > hole_max || context_.intake->source(instrument) != context_.intake->exchange().history_series) {
    // Nothing to be had; the verdict follows the hole's own mark, which is on its way.
    repair.attempts = static_cast<unsigned>(RepairQueue::pauses.size());
  }
  if (!queue_.add(repair)) ++counters_.given_up;
  if (sleeping_for_work_) timer_->cancel();
}

void Backfill::check(const Instrument& instrument) {
  const auto id = context_.intake->last_id(instrument);
  if (!id || context_.intake->source(instrument) != context_.intake->exchange().history_series) return;
  if (!queue_.add({&instrument, *id + 1, 0, context_.clock->steady() + check_after, 0})) ++counters_.given_up;
  if (sleeping_for_work_) timer_->cancel();
}

void Backfill::stop() {
  stopping_ = true;
  timer_->cancel();
}

asio::awaitable<void> Backfill::sleep(std::chrono::steady_clock::duration time) {
  const auto until = context_.clock->steady() + time;
  while (!stopping_ && context_.clock->steady() < until) co_await timer_->wait_until(until);
}

asio::awaitable<void> Backfill::run() {
  while (!stopping_) {
    if (const auto repair = queue_.take(context_.clock->steady())) {
      co_await fetch(*repair);
      continue;
    }
    sleeping_for_work_ = true;
    const auto idle = context_.clock->steady() + std::chrono::hours(1);
    co_await timer_->wait_until(std::min(idle, queue_.next_due().value_or(idle)));
    sleeping_for_work_ = false;
  }
}

asio::awaitable<void> Backfill::fetch(Repair repair) {
  const bool check = repair.last == 0;
  // Heard of in the meantime: live trades have answered the question.
  if (check && context_.intake->last_id(*repair.instrument) != repair.first - 1) co_return;
  // … or another hole's page had it in it.
  if (!check && !context_.intake->waits_for(*repair.instrument, repair.first, repair.last)) co_return;
  if (repair.attempts >= RepairQueue::pauses.size()) co_return co_await give_up(repair);
  if (const Duration wait = context_.gate->blocked(context_.time->now()); wait.us > 0) {
    repair.due = context_.clock->steady() + std::chrono::microseconds(wait.us);
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  const Duration wait = context_.budget->take(context_.time->now());
  co_await sleep(std::chrono::microseconds(wait.us));
  if (stopping_) co_return;
  std::vector<Trade> trades;
  std::string error;
  if (!co_await page(repair, trades, error)) {
    ++counters_.failures;
    if (error != last_error_) {
      spdlog::warn("can't fetch missed trades, trying again market=\"{}\" reason=\"{}\"", context_.name, error);
      last_error_ = error;
    }
    const Repair kept = repair;
    if (!stopping_ && !queue_.again(repair, context_.clock->steady())) co_await give_up(kept);
    co_return;
  }
  last_error_.clear();
  const RepairProgress progress = judge_page(repair, trades, context_.intake->exchange().history_page);
  std::vector<Record> records;
  context_.intake->take_history(trades, records);
  if (check && progress.next == RepairProgress::Next::done) {
    const auto id = context_.intake->last_id(*repair.instrument);
    records.push_back(Record::mark(RecordKind::verdict, repair.instrument->id, context_.time->now(), *id, 0));
  }
  co_await deliver(*repair.instrument, records);
  if (stopping_) co_return;
  switch (progress.next) {
    case RepairProgress::Next::more:
      repair.first = progress.first;
      repair.attempts = 0;
      repair.due = context_.clock->steady();
      if (!queue_.add(repair)) ++counters_.given_up;
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
        co_await deliver(*repair.instrument, last);
      }
      break;
  }
}

asio::awaitable<bool> Backfill::page(const Repair& repair, std::vector<Trade>& trades, std::string& error) {
  const Exchange& exchange = context_.intake->exchange();
  const Url& host = context_.hosts[host_ % context_.hosts.size()];
  const auto http = context_.make_http_get();
  ++counters_.requests;
  // A page weighs the same whatever it holds, so it is asked for whole.
  const std::uint64_t begin = repair.last == 0 ? repair.first : queue_.best_begin(repair, exchange.history_page);
  const std::string target = exchange.history_target(*repair.instrument, begin, exchange.history_page);
  const auto deadline = context_.clock->steady() + request_timeout;
  const auto response = co_await http->get(host, target, deadline, body_max);
  if (!response.has_value()) {
    error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
  } else if (response->status != 200) {
    error = host.host + ": HTTP " + std::to_string(response->status) + ": " + response->body.substr(0, 200);
    context_.heed(*response, error);
  } else if (exchange.parse_history(response->body, *repair.instrument, trades, error)) {
    // Oldest first and without a break, or it is no history.
    const bool ordered =
        std::is_sorted(trades.begin(), trades.end(), [](const Trade& a, const Trade& b) { return a.id < b.id; });
    if (ordered) co_return true;
    error = host.host + ": the history is not in order";
  }
  ++host_;  // maybe the next one can
  co_return false;
}

asio::awaitable<void> Backfill::deliver(const Instrument& instrument, const std::vector<Record>& records) {
  std::span<const Record> rest(records);
  while (!stopping_) {
    rest = rest.subspan(context_.inject(instrument, rest));
    if (rest.empty()) co_return;
    co_await sleep(std::chrono::milliseconds(2));
  }
}

asio::awaitable<void> Backfill::give_up(const Repair& repair) {
  ++counters_.given_up;
  if (repair.last == 0) co_return;
  const std::vector<Record> verdict{
      Record::mark(RecordKind::verdict, repair.instrument->id, context_.time->now(), repair.last, 1)};
  co_await deliver(*repair.instrument, verdict);
}

}  // namespace cvdd
