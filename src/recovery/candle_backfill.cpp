// A hole so large that its trades would cost many pages: the bars wholly inside it come from the exchange's candles,
// and trades are fetched for the bars at its two ends alone.
#include <algorithm>

#include "cvdd/recovery/backfill.hpp"

namespace cvdd {

namespace {
// Candles don't tell how many bought and sold, so trades are worth something.
constexpr std::uint64_t pages_worth_it = 8;
// One bar alone may have many trades; more than this, and something is wrong.
constexpr std::size_t pages_max = 400;
}  // namespace

bool Backfill::worth_candles(const Repair& repair) const {
  const Exchange& exchange = context_.intake->exchange();
  if (repair.last == 0 || repair.recent || repair.by_trades || !exchange.has_taker_candles(context_.interval))
    return false;
  return (repair.last - repair.first) / exchange.history->page >= pages_worth_it;
}

asio::awaitable<void> Backfill::bridge(Repair repair) {
  const Instrument& instrument = *repair.instrument;
  Ends ends;
  std::string error;
  if (!co_await fetch_ends(repair, ends, error)) {
    if (!stopping_) try_again(repair, error);
    co_return;
  }
  const Timestamp from = ends.first_bar + context_.interval, to = ends.last_bar;
  std::vector<Candle> candles;
  const bool inner = !ends.end.empty() && from < to && ends.begin.back().id + 1 < ends.end.front().id;
  if (inner && !co_await client_.candles(instrument, from, to, candles, error)) {
    if (!stopping_) try_again(repair, error);
    co_return;
  }
  if (stopping_) co_return;
  if (!inner || candles.size() != static_cast<std::size_t>((to - from).us / context_.interval.us)) {
    repair.by_trades = true;
    repair.due = context_.clock->steady();
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  std::vector<Record> records;
  context_.intake->take_history(ends.begin, records);
  context_.intake->take_history(ends.end, records);
  const std::uint64_t first = ends.begin.back().id + 1, last = ends.end.front().id - 1;
  if (!context_.intake->cover(instrument, first, last)) {  // a part of it came otherwise: then all of it may
    co_await client_.deliver(instrument, std::move(records));
    repair.by_trades = true;
    repair.due = context_.clock->steady();
    if (!queue_.add(repair)) ++counters_.given_up;
    co_return;
  }
  last_error_.clear();
  context_.give_candles(instrument, std::move(candles));
  records.push_back(Record::mark(RecordKind::candles, instrument.id, context_.time->now(), first, last - first + 1));
  co_await client_.deliver(instrument, std::move(records));
}

asio::awaitable<bool> Backfill::trades_from(const Instrument& instrument, std::uint64_t id, std::vector<Trade>& out,
                                            std::string& error) {
  const Exchange& exchange = context_.intake->exchange();
  const std::string target = exchange.history->by_id(instrument, id, exchange.history->page);
  std::string body;
  ++counters_.requests;
  if (!co_await client_.ask(target, body, error)) co_return false;
  auto page = client_.read(body, instrument);
  if (!page) {
    error = page.error();
    co_return false;
  }
  out = std::move(page->trades);
  const auto after = [](const Trade& a, const Trade& b) { return b.id != a.id + 1; };
  if (!out.empty() && out.front().id == id && std::adjacent_find(out.begin(), out.end(), after) == out.end()) {
    co_return true;
  }
  error = "the history does not have what is missing, from trade " + std::to_string(id) + " on";
  co_return false;
}

asio::awaitable<bool> Backfill::fetch_ends(const Repair& repair, Ends& ends, std::string& error) {
  const Instrument& instrument = *repair.instrument;
  const std::uint64_t rows = context_.intake->exchange().history->page;
  std::vector<Trade> page;
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    const std::uint64_t id = ends.begin.empty() ? repair.first : ends.begin.back().id + 1;
    if (!co_await trades_from(instrument, id, page, error)) co_return false;
    if (ends.begin.empty()) ends.first_bar = bar_start(page.front().time, context_.interval);
    const auto beyond = std::find_if(page.begin(), page.end(), [&](const Trade& t) {
      return t.id > repair.last || t.time >= ends.first_bar + context_.interval;
    });
    ends.begin.insert(ends.begin.end(), page.begin(), beyond);
    if (beyond != page.end()) break;
  }
  if (ends.begin.empty() || ends.begin.back().id >= repair.last) {
    error = "the first bar of the hole has no end";
    co_return !ends.begin.empty();
  }
  std::uint64_t upto = repair.last;
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    const std::uint64_t id = std::max(ends.begin.back().id + 1, upto + 1 > rows ? upto + 1 - rows : 1);
    if (!co_await trades_from(instrument, id, page, error)) co_return false;
    std::erase_if(page, [&](const Trade& t) { return t.id > upto; });
    if (page.empty() || page.back().id != upto) {
      error = "the history does not reach the end of what is missing";
      co_return false;
    }
    if (ends.end.empty()) ends.last_bar = bar_start(page.back().time, context_.interval);
    const auto within = std::find_if(page.begin(), page.end(), [&](const Trade& t) { return t.time >= ends.last_bar; });
    ends.end.insert(ends.end.begin(), within, page.end());
    if (within != page.begin() || page.front().id == ends.begin.back().id + 1) co_return true;
    upto = page.front().id - 1;
  }
  error = "the last bar of the hole has no beginning";
  co_return false;
}

}  // namespace cvdd
