// What answers of the exchange about its newest trades tell: what a cut cost where ids have no order, whether a silence
// was one, whether an instrument is quiet or we are deaf.
#include <algorithm>

#include "cvdd/feed/silence.hpp"
#include "cvdd/recovery/backfill.hpp"

namespace cvdd {

namespace {
// Where an answer decides whether a connection is mute: a trade older than this should have come.
constexpr Duration on_the_way_in_a_lull = seconds(2);
// A trade is in the history no later than this after it was made.
constexpr Duration history_late = seconds(30);
constexpr std::chrono::seconds ask_recent_again{5};
}  // namespace

// Where ids have no order: a page that begins before the cut holds all that came after it.
asio::awaitable<void> Backfill::take_recent(const Repair& repair, const HistoryPage& page) {
  const Instrument& instrument = *repair.instrument;
  const std::vector<Trade>& trades = page.trades;
  const Timestamp known = context_.intake->known_until(instrument);
  // A row that can't be read may be one of those that we missed, unless it is older: what is in doubt may begin with
  // it.
  const bool readable = std::ranges::all_of(
      page.refused, [&](const HistoryPage::Refused& row) { return row.time.us != 0 && row.time < known; });
  const bool covered = known.us > 0 && readable && !trades.empty() && trades.front().time <= known;
  if (repair.newest) co_return co_await take_newest(repair, page);
  if (repair.silent_from.us != 0) co_return co_await take_silence(repair, page);
  std::vector<Record> records;
  context_.intake->take_history(trades, records, known);
  if (repair.question && records.empty() && !readable) co_return;  // what it can't read may be what is asked for
  if (repair.question) co_return co_await take_answer(repair, std::move(records), covered);
  // What was traded at the end of the cut may be on its way into the history.
  const Timestamp end = context_.intake->unsettled_to(instrument);
  if (covered && trades.back().time < end && context_.time->now() < end + history_late) {
    co_await client_.deliver(instrument, std::move(records));
    Repair again = repair;
    again.due = context_.clock->steady() + ask_recent_again;
    if (!queue_.add(again)) ++counters_.given_up;
    co_return;
  }
  records.push_back(Record::mark(RecordKind::verdict, instrument.id, context_.time->now(), 0, covered ? 0 : 1));
  context_.intake->settle(instrument);
  if (!covered) ++counters_.given_up;
  co_await client_.deliver(instrument, records);
}

// It has no trade in its rows: if the newest that there is was made before they end, nothing was traded since.
asio::awaitable<void> Backfill::take_newest(const Repair& repair, const HistoryPage& page) {
  const Instrument& instrument = *repair.instrument;
  const auto quiet = context_.intake->quiet_until(instrument);
  if (!quiet || !page.refused.empty() || page.trades.empty() || page.trades.back().time >= *quiet) co_return;
  const Trade& newest = page.trades.back();
  context_.intake->never_traded_after(instrument, newest.series, newest.id);
  std::vector<Record> records{Record::mark(RecordKind::verdict, instrument.id, context_.time->now(), newest.id, 0)};
  co_await client_.deliver(instrument, std::move(records));
}

// What was traded while it was silent, or that nothing was.
asio::awaitable<void> Backfill::take_silence(const Repair& repair, const HistoryPage& page) {
  const Instrument& instrument = *repair.instrument;
  // A loss is open, and its own page will tell.
  if (context_.intake->unsettled(instrument)) co_return;
  const Silence silence{repair.silent_from, repair.silent_to, repair.improbable};
  const bool readable = std::ranges::all_of(page.refused, [&](const HistoryPage::Refused& row) {
    return row.time.us != 0 && (row.time < silence.from || row.time > silence.to);
  });
  const bool covered = readable && !page.trades.empty() && page.trades.front().time <= silence.from;
  std::vector<Record> records;
  context_.intake->take_history(page.trades, records, silence.from - on_the_way);
  std::vector<Timestamp> missed;
  for (const Record& r : records) {
    if (r.kind() == RecordKind::trade || r.kind() == RecordKind::other) missed.push_back(r.time());
  }
  const Timestamp front = page.trades.empty() ? silence.from : page.trades.front().time;
  if (const auto found = find_in_silence(silence, missed, front, covered)) {
    const auto span = static_cast<std::uint64_t>((silence.to - found->from).us);
    records.insert(records.begin(), Record::mark(RecordKind::lost, instrument.id, found->from, 0, span));
    const Timestamp now = context_.time->now();
    records.push_back(Record::mark(RecordKind::verdict, instrument.id, now, 0, found->whole ? 0 : 1));
  }
  if (!records.empty()) co_await client_.deliver(instrument, std::move(records));
}

// Trades that nobody told us of were missed from the moment on when we last heard something.
asio::awaitable<void> Backfill::take_answer(const Repair& repair, std::vector<Record> records, bool whole) {
  const Instrument& instrument = *repair.instrument;
  const Timestamp now = context_.time->now();
  const auto trade = std::find_if(records.begin(), records.end(), [](const Record& r) {
    return r.kind() == RecordKind::trade || r.kind() == RecordKind::other;
  });
  const bool nothing = records.empty();
  const Duration delay = repair.lull ? on_the_way_in_a_lull : on_the_way;
  const bool deaf = trade != records.end() && trade->time() + delay < now;
  if (!records.empty()) {
    const Timestamp since = std::min(context_.intake->pace(instrument).last(), trade->time());
    const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>((now - since).us, 0) + 1);
    if (deaf) records.insert(records.begin(), Record::mark(RecordKind::lost, instrument.id, since, 0, span));
    if (deaf && repair.recent)
      records.push_back(Record::mark(RecordKind::verdict, instrument.id, now, 0, whole ? 0 : 1));
    co_await client_.deliver(instrument, records);
  }
  // Nothing is newer than what we have: up to then it is whole, whatever was in doubt.
  const auto id = context_.intake->last_id(instrument);
  if (nothing && whole && id && instrument.ids == Ids::sequence) {
    std::vector<Record> quiet{Record::mark(RecordKind::verdict, instrument.id, now, *id, 0)};
    co_await client_.deliver(instrument, std::move(quiet));
  }
  const Answered answer = deaf ? Answered::deaf : trade != records.end() ? Answered::late : Answered::quiet;
  if (!stopping_) context_.on_answer(instrument, answer);
}

}  // namespace cvdd
