#include "cvdd/recovery/history_loader.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace cvdd {

namespace {
// The exchange's candle of the last bar is final, and the first live trade is mostly there.
constexpr Duration settles = seconds(3);
constexpr std::size_t beginning_pages_max = 200;
constexpr std::chrono::seconds pause_min{5}, pause_max{120};
}  // namespace

HistoryLoader::HistoryLoader(HistoryContext context) : context_(std::move(context)), client_(context_) {}

void HistoryLoader::want(const PastWanted& past) { wanted_.push_back(past); }

void HistoryLoader::stop() { client_.stop(); }

asio::awaitable<void> HistoryLoader::run() {
  while (!client_.stopping()) {
    const Timestamp now = context_.time->now();
    const auto ready = std::find_if(wanted_.begin(), wanted_.end(), [&](const PastWanted& p) {
      const Timestamp since = context_.intake->heard_from(*p.instrument);
      return since.us != 0 && since + settles <= now;
    });
    if (ready == wanted_.end()) {
      co_await client_.sleep(std::chrono::seconds(1));
      continue;
    }
    const PastWanted past = *ready;
    wanted_.erase(ready);
    asking_ = past.instrument;
    co_await bring(past);
    asking_ = nullptr;
  }
}

asio::awaitable<void> HistoryLoader::bring(PastWanted past) {
  const Instrument& instrument = *past.instrument;
  const Timestamp bar = bar_start(context_.intake->heard_from(instrument), context_.interval);
  Past found;
  std::string error;
  const bool there = co_await client_.candles(instrument, past.from, bar, found.candles, error);
  const bool done = there && co_await fetch_beginning(instrument, bar, found, error);
  if (client_.stopping()) co_return;
  std::vector<Record> records;
  if (!done && ++past.attempts < attempts_max) {
    spdlog::warn("can't fetch the past, trying again market=\"{}\" symbol={} reason=\"{}\"", context_.name,
                 instrument.symbol, error);
    co_await client_.sleep(std::min<std::chrono::seconds>(pause_min * (1U << past.attempts), pause_max));
    wanted_.push_back(past);
    co_return;
  }
  if (!done) {
    spdlog::error("the past can't be had, rows begin without it market=\"{}\" symbol={} reason=\"{}\"", context_.name,
                  instrument.symbol, error);
    records = give_up(past, bar);
    found.candles.clear();
  } else {
    spdlog::info("the past is there market=\"{}\" symbol={} bars={}", context_.name, instrument.symbol,
                 found.candles.size());
    const std::uint64_t live = context_.intake->first_live(instrument);
    std::erase_if(found.trades, [&](const Trade& t) { return live != 0 && t.id >= live; });
    if (!found.trades.empty() && live != 0) {
      context_.intake->expect(instrument, found.trades.front().id, found.trades.back().id);
    }
    context_.intake->take_history(found.trades, records);
  }
  context_.give_candles(instrument, std::move(found.candles));
  records.push_back(Record::mark(RecordKind::candles, instrument.id, done && found.whole ? bar : Timestamp{}));
  co_await client_.deliver(instrument, std::move(records));
}

// What lies between the files' last id and the first live one is lost: the first bar says how much that is.
std::vector<Record> HistoryLoader::give_up(const PastWanted& past, Timestamp bar) const {
  const std::uint64_t live = context_.intake->first_live(*past.instrument);
  if (past.after_id == 0 || live <= past.after_id + 1) return {};
  const std::uint64_t first = past.after_id + 1;
  return {Record::mark(RecordKind::hole, past.instrument->id, bar, first, live - first),
          Record::mark(RecordKind::verdict, past.instrument->id, bar, first, 1)};
}

// The trades of the bar in which the subscription began, up to the first live one.
asio::awaitable<bool> HistoryLoader::fetch_beginning(const Instrument& instrument, Timestamp bar, Past& out,
                                                     std::string& error) {
  const Exchange& exchange = context_.intake->exchange();
  const auto source = context_.intake->source(instrument);
  const History* const history = exchange.history;
  if (history == nullptr || history->since == nullptr || history->by_id == nullptr) co_return true;
  if (source && *source != history->series) co_return true;
  std::string target = history->since(instrument, bar, history->page);
  for (std::size_t pages = 0; pages < beginning_pages_max; ++pages) {
    std::string body;
    if (!co_await client_.ask(target, body, error)) co_return false;
    const auto page = client_.read(body, instrument);
    if (!page) {
      error = page.error();
      co_return false;
    }
    for (const Trade& trade : page->trades) {
      if (!out.trades.empty() && trade.id != out.trades.back().id + 1) {
        error = "the history is not in order";
        co_return false;
      }
      out.trades.push_back(trade);
    }
    const std::uint64_t live = context_.intake->first_live(instrument);
    const bool reached = live != 0 && !out.trades.empty() && out.trades.back().id + 1 >= live;
    if (reached || page->rows() < history->page || page->trades.empty()) {
      // Nothing live yet: then these are all that there are. Else they must lead up to it.
      out.whole = live == 0 || reached;
      error = "the history ends before the first live trade";
      co_return out.whole;
    }
    target = history->by_id(instrument, page->trades.back().id + 1, history->page);
  }
  error = "the history has no end";
  co_return false;
}

}  // namespace cvdd
