// The prover's way to the trades of some bars where they are addressed by time and not by id: page by page forward from
// a moment, or backward from the newest.
#include <algorithm>

#include "cvdd/recovery/prover.hpp"

namespace cvdd {

namespace {
constexpr std::size_t pages_max = 60;
// Trades that are neighbours may have times in another order than their ids, by so much.
constexpr Duration time_beside = seconds(7);
// A trade is in the history no later than this after it was made.
constexpr Duration history_late = seconds(12);
}  // namespace

// Pages from before the bars' beginning to behind their end. That an answer has nothing older than its first trade
// shows that nothing was made between the moment it was asked for and that.
asio::awaitable<bool> Prover::fetch_since(Job job, std::vector<Trade>& out, std::string& error) {
  const Instrument& instrument = *job.instrument;
  const History& history = *context_.intake->exchange().history;
  Timestamp from = job.span.from - time_beside;
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    std::string body;
    if (!co_await client_.ask(history.since(instrument, from, history.page), body, error)) co_return false;
    auto page = client_.read(body, instrument);
    if (!page || !page->refused.empty()) {
      error = page ? "a row can't be read: " + std::string(name_of(page->refused.front().why)) : page.error();
      co_return false;
    }
    const bool full = page->rows() >= history.page;
    if (!put_behind(page->trades, out)) {
      error = "the history has a hole behind " + std::to_string(out.back().id);
      co_return false;
    }
    co_await take_news(instrument, page->trades);
    if (client_.stopping()) co_return false;
    const Timestamp reached = out.empty() ? from : out.back().time;
    if (reached >= job.span.to + time_beside) co_return true;
    if (!full) {
      if (reached < job.span.to && context_.time->now() < job.span.to + history_late) {
        error = "the history may not have all of it yet";
      }
      co_return error.empty();
    }
    if (reached <= from) {
      error = "more trades of one moment than a page holds";
      co_return false;
    }
    from = reached;
  }
  error = "the bars have more trades than can be fetched";
  co_return false;
}

// Of ids without an order: the newest page, and those before it as long as they begin within the bars or shortly
// before, since times and ids change places. `readable`: no row that can't be read is of the bars.
asio::awaitable<bool> Prover::fetch_backward(Job job, std::vector<Trade>& out, bool& readable, std::string& error) {
  const History& history = *context_.intake->exchange().history;
  std::string target = history.recent(*job.instrument);
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    std::string body;
    if (!co_await client_.ask(target, body, error)) co_return false;
    auto page = client_.read(body, *job.instrument);
    if (!page) {
      error = page.error();
      co_return false;
    }
    readable = readable && std::ranges::all_of(page->refused, [&](const auto& row) {
                 return row.time.us != 0 && row.time < job.span.from;
               });
    if (pages == 0) {
      out = std::move(page->trades);
    } else {
      const auto older = put_before(page->trades, out);
      if (!older) error = "two pages of the history do not touch";
      if (!older || *older == 0) co_return older.has_value();  // that is all there is
    }
    if (history.before == nullptr || out.empty() || out.front().time + time_beside < job.span.from) co_return true;
    target = history.before(*job.instrument, out.front().time);
  }
  error = "the bars have more trades than can be fetched";
  co_return false;
}

}  // namespace cvdd
