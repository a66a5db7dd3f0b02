// The prover's other half: bars made again from the exchange's history.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/base/time_text.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/fill_order.hpp"
#include "cvdd/recovery/prover.hpp"

namespace cvdd {

namespace {
constexpr std::size_t pages_max = 60, steps_back_max = 20;
// Neighbouring trades may have times in another order than their ids, by so many ids and so much time.
constexpr std::uint64_t ids_beside = 100;
constexpr Duration time_beside = seconds(7);
// A trade is in the history no later than this after it was made.
constexpr Duration history_late = seconds(30);
// … as ids show, for the most part. What is long is left to the repairs, and their candles, for longer.
constexpr Duration history_late_by_id = seconds(12), short_span = seconds(60);

// What a bar of these trades would claim.
std::optional<Claim> claim_of(std::span<const Trade> trades, BarSpan span) {
  Bar bar;
  for (const Trade& trade : trades) {
    if (trade.time < span.from || trade.time >= span.to || trade.placeholder) continue;
    const auto record = Record::from(trade);
    if (!record) return std::nullopt;
    const bool fits = record->kind() == RecordKind::trade ? add_trade(bar, *record) : add_other(bar, *record);
    if (!fits) return std::nullopt;
  }
  Claim claim;
  claim.time = span.from;
  claim.buys = bar.buys;
  claim.sells = bar.sells;
  claim.buy_base = bar.buy_base;
  claim.sell_base = bar.sell_base;
  claim.buy_quote = bar.buy_quote;
  claim.sell_quote = bar.sell_quote;
  claim.other_base = bar.other_base;
  claim.other_quote = bar.other_quote;
  return claim;
}

// Of trades with holes between their ids what is behind the last hole; but what is beyond the newest known id is of
// another numbering, where a hole lies between. True if there was one.
bool keep_behind_hole(std::vector<Trade>& trades, std::optional<std::uint64_t> newest) {
  const auto apart = [](const Trade& behind, const Trade& before) { return behind.first_id() != before.id + 1; };
  bool any = false;
  while (true) {
    const auto hole = std::adjacent_find(trades.rbegin(), trades.rend(), apart);
    if (hole == trades.rend()) return any;
    any = true;
    const auto behind = std::prev(hole.base());
    if (newest && behind->first_id() > *newest) {
      trades.erase(behind, trades.end());
    } else {
      trades.erase(trades.begin(), behind);
    }
  }
}

// The same fills under another id: the id is known then, and the volume is not counted again.
void set_aside_repeats(std::vector<Trade>& trades) {
  FillOrder fills;
  for (Trade& trade : trades) {
    if (fills.repeats(trade.first_fill, trade.fills)) trade.placeholder = true;
  }
}
}  // namespace

Figures Prover::held_against(BarSpan span, std::span<const Trade> trades, std::span<const Candle> candles) const {
  const CandleFacts facts = context_.intake->exchange().candle_facts();
  Figures figures = Figures::agree;
  for (Timestamp t = span.from; t < span.to; t = t + rules_.candle) {
    const auto candle = std::ranges::find(candles, t, &Candle::time);
    const auto ours = claim_of(trades, {t, t + rules_.candle});
    if (!ours) return Figures::differ;
    if (candle == candles.end() && !facts.quiet_left_out) {
      figures = Figures::silent;
      continue;
    }
    if (!audit(*ours, candle == candles.end() ? Candle{} : *candle, facts).empty()) return Figures::differ;
  }
  return figures;
}

// A page tells of more bars than it was fetched for: an earlier run's row that lacks what the exchange has is a gap at
// once, and made again next.
std::vector<Record> Prover::rows_that_lack(const Instrument& instrument, std::span<const Trade> trades, BarSpan but) {
  std::vector<Record> marks;
  ProofTrack* track = track_of(instrument);
  if (track == nullptr || trades.empty()) return marks;
  const auto by_time = [](const Trade& a, const Trade& b) { return a.time < b.time; };
  const auto [oldest, newest] = std::ranges::minmax_element(trades, by_time);
  std::vector<Timestamp> bars;
  for (auto b = track->bars().lower_bound(bar_start(oldest->time, rules_.interval));
       b != track->bars().end() && b->first <= newest->time; ++b) {
    if (b->second.claim.restored && (b->first < but.from || b->first >= but.to)) bars.push_back(b->first);
  }
  for (const Timestamp bar : bars) {
    const BarSpan span{bar, bar + rules_.interval};
    const auto theirs = claim_of(trades, span);
    if (!theirs || !track->lacks(*theirs, context_.time->now(), rules_)) continue;
    const auto length = static_cast<std::uint64_t>(rules_.interval.us - 1);
    marks.push_back(Record::mark(RecordKind::contradicted, instrument.id, bar, 0, length));
  }
  return marks;
}

asio::awaitable<void> Prover::remake(Job job) {
  const Instrument& instrument = *job.instrument;
  std::vector<Candle> candles;
  bool whole_candles = comparing_ && rules_.candle.us != 0 &&
                       bar_start(job.span.from, rules_.candle) == job.span.from &&
                       bar_start(job.span.to, rules_.candle) == job.span.to;
  bool there = !whole_candles || co_await candles_of(instrument, job.span, candles);
  std::vector<Trade> trades;
  std::string error;
  const Timestamp wanted_from = job.span.from;
  there = there && co_await fetch(job, trades, error);
  whole_candles = whole_candles && bar_start(job.span.from, rules_.candle) == job.span.from;
  if (client_.stopping()) co_return;
  read_mail();
  ProofTrack* track = track_of(instrument);
  if (track == nullptr) co_return;
  if (job.span.from != wanted_from) track->failed({wanted_from, job.span.from}, context_.time->now());
  if (there && instrument.ids == Ids::sequence && !holds_all(trades, track->ids_of(job.span))) {
    there = false;
    error = "the history lacks trades that were counted";
  }
  if (!there) {
    ++counters_.failures;
    spdlog::debug("bars can't be made again market=\"{}\" symbol={} bar={} reason=\"{}\"", context_.name,
                  instrument.symbol, format_time(job.span.from), error);
    track->failed(job.span, context_.time->now());
    // What it does have counts all the same.
    set_aside_repeats(trades);
    std::vector<Record> news = rows_that_lack(instrument, trades, {});
    if (instrument.ids == Ids::opaque && !context_.intake->unsettled(instrument)) {
      context_.intake->take_history(trades, news, context_.intake->known_until(instrument));
    }
    if (!news.empty()) co_await client_.deliver(instrument, std::move(news));
    co_return;
  }
  set_aside_repeats(trades);
  Remade remade;
  if (whole_candles) remade.figures = held_against(job.span, trades, candles);
  const auto ours = track->sum(job.span, rules_), theirs = claim_of(trades, job.span);
  remade.same = ours && theirs && ours->buys == theirs->buys && ours->sells == theirs->sells &&
                ours->buy_base == theirs->buy_base && ours->sell_base == theirs->sell_base &&
                ours->buy_quote == theirs->buy_quote && ours->other_base == theirs->other_base;
  remade.refuted = track->is_refuted(job.span);
  remade.unit_in_doubt = track->unit_in_doubt(job.span);
  const History* const history = context_.intake->exchange().history;
  remade.numbered = history != nullptr && history->numbered;
  if (remade.figures == Figures::differ && remade.same && (instrument.ids == Ids::sequence || remade.numbered)) {
    ++counters_.contradictory;
    on_contradictory();
  }
  if (!believed(remade, instrument)) co_return track->failed(job.span, context_.time->now());
  std::vector<Record> records = rows_that_lack(instrument, trades, job.span);
  context_.intake->take_again(instrument, trades, job.span.from, job.span.to, records);
  const auto length = static_cast<std::uint64_t>((job.span.to - job.span.from).us);
  if (remade.figures == Figures::agree) {
    records.push_back(Record::mark(RecordKind::proven, instrument.id, job.span.from, 0, length));
  }
  counters_.remade += length / static_cast<std::uint64_t>(rules_.interval.us);
  track->remade(job.span);
  spdlog::debug("bars made again market=\"{}\" symbol={} bar={} to={} trades={} changed={}", context_.name,
                instrument.symbol, format_time(job.span.from), format_time(job.span.to), trades.size(), !remade.same);
  co_await client_.deliver(instrument, std::move(records));
}

asio::awaitable<bool> Prover::fetch(Job& job, std::vector<Trade>& out, std::string& error) {
  const Exchange& exchange = context_.intake->exchange();
  if (by_time()) co_return co_await fetch_by_time(job, out, error);
  if (job.instrument->ids == Ids::sequence) {
    if (!exchange.has_history_of(context_.intake->source(*job.instrument))) {
      error = "there is no history of this stream";
      co_return false;
    }
    const Timestamp anew = tracked_[job.instrument->id].anew;
    if (job.span.from <= anew) job.span.from = bar_start(anew, rules_.interval) + rules_.interval;
    if (job.span.from >= job.span.to) {
      job.span.from = job.span.to - rules_.interval;
      error = "the exchange has begun to number trades anew since";
      co_return false;
    }
    if (exchange.history->by_id == nullptr) co_return co_await fetch_since(job, out, error);
    co_return co_await fetch_by_id(job, out, error);
  }
  if (exchange.history == nullptr || exchange.history->recent == nullptr) {
    error = "there is no history";
    co_return false;
  }
  bool readable = true;
  if (!co_await fetch_backward(job, out, readable, error)) co_return false;
  // The page may hold the end of the bars alone: that much of them is made again. It begins with the trade that came
  // first of its trades, and one that came before may have a time of later.
  const Timestamp begin = out.empty() ? Timestamp{} : std::ranges::min(out, {}, &Trade::time).time + time_beside;
  if (readable && !out.empty() && begin > job.span.from) {
    const Timestamp from = bar_start(begin, rules_.interval) + rules_.interval;
    if (from < job.span.to) job.span.from = from;
  }
  if (!readable || out.empty() || begin > job.span.from) {
    error = readable ? "the history does not reach back so far" : "a row can't be read";
    co_return false;
  }
  if (out.back().time < job.span.to && context_.time->now() < job.span.to + history_late) {
    error = "the history may not have all of it yet";
    co_return false;
  }
  co_return true;
}

// One page of ids from `id` on, without those of before it and block trades. Of a page with a hole in it what is behind
// the hole, and `cut`.
asio::awaitable<bool> Prover::page_from(const Instrument& instrument, std::uint64_t id, std::vector<Trade>& out,
                                        bool& cut, std::string& error) {
  const Exchange& exchange = context_.intake->exchange();
  std::string body;
  const std::string target = exchange.history->by_id(instrument, id, exchange.history->page);
  if (!co_await client_.ask(target, body, error)) co_return false;
  auto read = client_.read(body, instrument);
  if (!read || !read->refused.empty()) {
    error = read ? "a row can't be read: " + std::string(name_of(read->refused.front().why)) : read.error();
    co_return false;
  }
  HistoryPage& page = *read;
  std::erase_if(page.trades, [&](const Trade& t) { return t.series == Series::block || t.first_id() < id; });
  cut = keep_behind_hole(page.trades, context_.intake->last_id(instrument)) || cut;
  out = std::move(page.trades);
  co_await take_news(instrument, out);
  co_return !client_.stopping();
}

// The newest trades, if we had not heard of them, are news, and count at once; holes are the repairs' business.
asio::awaitable<void> Prover::take_news(const Instrument& instrument, std::span<const Trade> trades) {
  const auto known = context_.intake->last_id(instrument);
  if (!known || !context_.intake->confirmed(instrument)) co_return;
  const auto newer = std::ranges::find_if(trades, [&](const Trade& t) { return t.first_id() > *known; });
  std::vector<Record> news;
  context_.intake->take_history({newer, trades.end()}, news);
  if (!news.empty()) co_await client_.deliver(instrument, std::move(news));
}

// Pages from before the first of the bars' ids to behind the last, without a hole between them. Where history has a
// hole, or begins, the bars from some seconds behind that on are made again, and no others.
asio::awaitable<bool> Prover::fetch_by_id(Job& job, std::vector<Trade>& out, std::string& error) {
  const Instrument& instrument = *job.instrument;
  const ProofTrack* track = track_of(instrument);
  const auto newest = context_.intake->last_id(instrument);
  if (track == nullptr || !newest) co_return false;
  const auto from = track->ask_from(job.span.from, *newest);
  if (!from) {
    error = "its ids have begun anew since";
    co_return false;
  }
  bool cut = false;
  std::uint64_t begin = *from > ids_beside ? *from - ids_beside : 1;
  for (std::size_t pages = 0; pages < pages_max; ++pages) {
    const std::uint64_t id = out.empty() ? begin : out.back().id + 1;
    std::vector<Trade> page;
    bool hole = false;
    if (!co_await page_from(instrument, id, page, hole, error)) co_return false;
    // The first trades that there ever were may be among them: then there is no page of so far before.
    if (page.empty() && out.empty() && begin < *from) {
      begin = *from;
      continue;
    }
    hole = hole || (!page.empty() && !out.empty() && page.front().first_id() != id);
    if (hole) out.clear();
    cut = cut || hole;
    out.insert(out.end(), page.begin(), page.end());
    const bool beyond = !out.empty() && out.back().time >= job.span.to + time_beside;
    const bool end = page.empty() || out.back().id >= *newest;
    if (!beyond && !end) continue;
    if (out.empty()) {
      error = "the history does not have trade " + std::to_string(id);
      co_return false;
    }
    const Duration late = job.span.to - job.span.from <= short_span ? history_late_by_id : history_late;
    if (!beyond && !out.empty() && out.back().time < job.span.to && context_.time->now() < job.span.to + late) {
      error = "the history may not have all of it yet";
      co_return false;
    }
    if (!cut && !co_await fetch_before(job, out, cut, error)) co_return false;
    co_return !cut || leave_out_before(job, out.front(), error);
  }
  error = "the bars have more trades than can be fetched";
  co_return false;
}

// Nobody knows what was before the first trade: times and ids change places, by some seconds at most.
bool Prover::leave_out_before(Job& job, const Trade& first, std::string& error) const {
  if (first.time + time_beside < job.span.from) return true;
  const Timestamp from = bar_start(first.time + time_beside, rules_.interval) + rules_.interval;
  if (from >= job.span.to) {
    error = "the history does not have trade " + std::to_string(first.first_id() - 1);
    return false;
  }
  job.span.from = from;
  return true;
}

// Pages before those, until one reaches back beyond the bars' beginning; or until there is nothing before, where nobody
// has ever seen an id of before: where somebody has, ids may have begun anew (`cut`).
asio::awaitable<bool> Prover::fetch_before(Job job, std::vector<Trade>& out, bool& cut, std::string& error) {
  const Instrument& instrument = *job.instrument;
  const std::uint64_t rows = context_.intake->exchange().history->page;
  for (std::size_t steps = 0; !cut && out.front().time + time_beside >= job.span.from; ++steps) {
    const std::uint64_t front = out.front().first_id();
    const Tracked& tracked = tracked_[instrument.id];
    const bool first_ever = !tracked.had_ids && tracked.anew.us == 0 && !tracked.track.knows_below(front);
    if (front <= 1) {
      cut = !first_ever;
      co_return true;
    }
    if (steps == steps_back_max) {
      error = "the bars have more trades than can be fetched";
      co_return false;
    }
    const std::uint64_t id = front > rows ? front - rows : 1;
    std::vector<Trade> page;
    if (!co_await page_from(instrument, id, page, cut, error)) co_return false;
    std::erase_if(page, [&](const Trade& t) { return t.id >= front; });
    if (page.empty() && first_ever) co_return true;
    if (page.empty() || page.back().id + 1 != front) {
      cut = true;
      co_return true;
    }
    out.insert(out.begin(), page.begin(), page.end());
  }
  co_return true;
}

}  // namespace cvdd
