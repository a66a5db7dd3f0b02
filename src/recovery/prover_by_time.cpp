// All trades of some bars out of a history that is addressed by time.
#include <algorithm>

#include "cvdd/recovery/prover.hpp"

namespace cvdd {

namespace {
constexpr std::size_t pages_max = 60;
// Neighbouring trades may have times in another order than their ids, by so much.
constexpr Duration time_beside = seconds(7);
// Times are asked for by no coarser unit than this.
constexpr Duration time_unit_max = seconds(1);
// A trade is in the history no later than this after it was made.
constexpr Duration history_late = seconds(30);

// Exchanges cut pages at round numbers, and not always at the one that was asked for.
constexpr std::size_t cut_at = 100;

// Nothing of it was cut off: it is not full, or reaches back beyond what was asked for.
bool page_is_whole(const HistoryPage& page, std::size_t most, Timestamp from) {
  const std::size_t rows = page.rows();
  const bool may_be_cut = rows >= most || (rows > 0 && rows % cut_at == 0);
  return !may_be_cut || (!page.trades.empty() && page.trades.front().time < from);
}

// Whether no id is missing between them, once they are in order.
bool goes_on(std::vector<Trade>& trades, std::string& error) {
  std::ranges::stable_sort(trades, {}, &Trade::id);
  for (std::size_t i = 1; i < trades.size(); ++i) {
    if (trades[i].first_id() == trades[i - 1].id + 1) continue;
    error = "the history has a hole behind " + std::to_string(trades[i - 1].id);
    return false;
  }
  return true;
}
}  // namespace

// Where history is addressed by time a page that is not full has all there is. Others are halved.
asio::awaitable<bool> Prover::fetch_by_time(const Job& job, std::vector<Trade>& out, std::string& error) {
  const Instrument& instrument = *job.instrument;
  const History& history = *context_.intake->exchange().history;
  std::vector<BarSpan> left{{job.span.from - time_beside, job.span.to + time_beside}};  // the earliest stands last
  for (std::size_t pages = 0; !left.empty(); ++pages) {
    if (pages == pages_max) {
      error = "the bars have more trades than can be fetched";
      co_return false;
    }
    const BarSpan part = left.back();
    left.pop_back();
    std::string body;
    if (!co_await client_.ask(history.between(instrument, part.from, part.to), body, error)) co_return false;
    auto page = client_.read(body, instrument);
    if (!page) {
      error = page.error();
      co_return false;
    }
    if (!page_is_whole(*page, history.page, part.from)) {
      const Timestamp middle = part.from + Duration{(part.to - part.from).us / 2};
      if ((part.to - part.from).us < 2 * time_unit_max.us) {
        error = "a moment has more trades than a page";
        co_return false;
      }
      left.push_back({middle, part.to});
      left.push_back({part.from, middle});
      continue;
    }
    if (std::ranges::any_of(page->refused,
                            [&](const auto& row) { return row.time.us == 0 || row.time >= part.from; })) {
      error = "a row can't be read";
      co_return false;
    }
    std::erase_if(page->trades, [&](const Trade& t) { return t.time < part.from || t.time >= part.to; });
    out.insert(out.end(), page->trades.begin(), page->trades.end());
  }
  const bool before = !out.empty() && out.front().time < job.span.from;
  if (!before && !co_await reaches_back(job, error)) co_return false;
  const bool beyond = !out.empty() && out.back().time >= job.span.to;
  if (!beyond && context_.time->now() < job.span.to + history_late) {
    error = "the history may not have all of it yet";
    co_return false;
  }
  if (instrument.ids == Ids::sequence) co_return goes_on(out, error);
  co_return true;
}

// A history that has forgotten a time says that nothing was traded then. What it has of before shows that it has not.
asio::awaitable<bool> Prover::reaches_back(const Job& job, std::string& error) {
  const History& history = *context_.intake->exchange().history;
  for (const Duration back : {seconds(3'600), seconds(6 * 86'400)}) {
    std::string body;
    const std::string target = history.between(*job.instrument, job.span.from - back, job.span.from);
    if (!co_await client_.ask(target, body, error)) co_return false;
    const auto page = client_.read(body, *job.instrument);
    if (page && !page->trades.empty() && page->trades.front().time < job.span.from) co_return true;
  }
  error = "the history does not reach back so far";
  co_return false;
}

}  // namespace cvdd
