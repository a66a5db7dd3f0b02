#include "cvdd/feed/intake.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "cvdd/base/prefetch.hpp"
#include "cvdd/feed/silence.hpp"
#include "cvdd/ledger/evidence.hpp"

namespace cvdd {

namespace {
// Messages of one instrument may overtake each other by this much.
constexpr Duration passing_max = seconds(60);
constexpr std::size_t recent_max = 8;
// Memory for so many trades of a message is kept for the next; what a huge one took is given back.
constexpr std::size_t trades_kept = 4'096;
// A trade made so long before its subscription was confirmed did not just come late.
constexpr Duration old_by = seconds(2);
constexpr Duration check_every = seconds(5), sweep_every = seconds(1);
// So many trades in a row with new times and ids in order that do not continue the old ones are a new numbering.
constexpr unsigned anew_min = 3;
// Who was silent while he should have traded so often, and for so long, is asked about.
constexpr double silent_trades = 8;
constexpr Duration silent_min = seconds(3);
}  // namespace

std::uint64_t IntakeCounters::refused_total() const {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

void Intake::add(const Instrument& instrument) {
  symbols_[instrument.symbol] = &instrument;
  (void)entry(instrument);
}

Intake::Entry& Intake::entry(const Instrument& instrument) { return entries_.reach(instrument.id); }

void Intake::forget(const Instrument& instrument) {
  const auto known = symbols_.find(instrument.symbol);
  if (known != symbols_.end() && known->second == &instrument) symbols_.erase(known);
  entry(instrument) = Entry{};
}

void Intake::resume_after(const Instrument& instrument, Series series, std::uint64_t last_id, Timestamp newest) {
  Entry& e = entry(instrument);
  e.sequencer.resume_after(series, last_id);
  e.newest = newest;
}

std::optional<Timestamp> Intake::quiet_until(const Instrument& instrument) const {
  const Entry& e = entries_[instrument.id];
  return e.quiet_until.us == 0 || e.pace.last().us != 0 ? std::nullopt : std::optional(e.quiet_until);
}

void Intake::never_traded_after(const Instrument& instrument, Series series, std::uint64_t id, Timestamp time) {
  Entry& e = entry(instrument);
  e.quiet_until = {};
  if (!e.sequencer.last_id()) resume_after(instrument, series, id, time);
}

const Parsed& Intake::take(std::string_view message, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  const Parsed& parsed = read({&message, 1}).front();
  take(parsed, now, out, feed);
  return parsed;
}

std::span<const Parsed> Intake::read(std::span<const std::string_view> messages) {
  const std::size_t n = std::min(messages.size(), ahead);
  for (std::size_t i = 0; i < n; ++i) {
    if (parsed_[i].trades.capacity() > trades_kept) parsed_[i].trades = {};
    exchange_.parse(messages[i], symbols_, parsed_[i]);
    if (n > 1 && !parsed_[i].trades.empty()) prefetch(entry(*parsed_[i].trades.front().instrument));
  }
  return {parsed_.data(), n};
}

void Intake::take(const Parsed& parsed, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  ++counters_.messages;
  if (parsed.ignored) ++counters_.ignored;
  if (parsed.refusal == Refusal::unknown_symbol && exchange_.delivers_unrequested) {
    counters_.ignored += std::max(parsed.refused_rows, 1U);
  } else if (parsed.refusal != Refusal::none) {
    counters_.refused[static_cast<std::size_t>(parsed.refusal)] += std::max(parsed.refused_rows, 1U);
  }
  for (const Trade& trade : parsed.trades) take_trade(trade, now, out, feed);
  for (const Newest& newest : parsed.newest) take_newest(newest, now, out);
  if (!parsed.refused_of.empty() || parsed.refused_of_anybody) take_refused(parsed, now, out, feed);
}

// Each may have been a trade, so its bar is a gap until something shows that it was none, or brings it.
void Intake::take_refused(const Parsed& parsed, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  if (event_time_) {
    for (const RefusedRow& row : parsed.refused_of) {
      if (row.time.us != 0) {
        ++counters_.contradictions;
        out.push_back(Record::mark(RecordKind::contradicted, row.instrument->id, row.time));
      }
    }
    return;
  }
  for (const RefusedRow& row : parsed.refused_of) {
    missed(*row.instrument, row.time.us == 0 ? made_after(*row.instrument, now) : std::min(row.time, now), now, out);
  }
  // Once a second, and then for that second: a flood of nonsense must not become a flood of marks.
  if (!parsed.refused_of_anybody || (swept_.contains(feed) && now < swept_[feed] + sweep_every)) return;
  swept_[feed] = now;
  for (const auto& [symbol, instrument] : symbols_) {
    const Entry& e = entry(*instrument);
    if (std::find(e.feeds.begin(), e.feeds.end(), feed) != e.feeds.end())
      missed(*instrument, made_after(*instrument, now), now + sweep_every, out);
  }
}

// A trade whose time can't be read was made before it was received: behind the newest that is counted, or at the same
// time, but not longer ago than trades are on their way.
Timestamp Intake::made_after(const Instrument& instrument, Timestamp now) const {
  const Timestamp newest = entries_.has(instrument.id) ? entries_[instrument.id].newest : Timestamp{};
  return std::min(now, std::max(newest - Duration{1}, now - on_the_way));
}

void Intake::missed(const Instrument& instrument, Timestamp since, Timestamp now, std::vector<Record>& out,
                    bool doubt) {
  Entry& e = entry(instrument);
  if (e.ended || !e.confirmed) return;
  if (doubt && instrument.ids == Ids::opaque) {
    // Nothing but history or a candle can tell, and nothing is known to be missing.
    if (on_silence && !e.unsettled) on_silence(instrument, since, now, std::numeric_limits<double>::max());
    return;
  }
  if (!doubt) ++counters_.contradictions;
  if (instrument.ids == Ids::opaque) {
    // What was traded at that very moment may be what is missing.
    const Timestamp known = since - Duration{1};
    e.unsettled = std::min(e.unsettled.value_or(known), known);
    e.unsettled_to = std::max(e.unsettled_to, now);
  }
  const std::int64_t span = std::max<std::int64_t>((now - since).us, 0) + 1;
  out.push_back(
      Record::mark(RecordKind::lost, instrument.id, since, doubt ? doubt_alone : 0, static_cast<std::uint64_t>(span)));
  if (!on_confirmed || (e.checked.us != 0 && now < e.checked + check_every)) return;
  e.checked = now;
  on_confirmed(instrument);
}

void Intake::take_trade(const Trade& trade, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  const Instrument& instrument = *trade.instrument;
  if (!trade.snapshot && (witness_.received != now || trade.time > witness_.event)) witness_ = {trade.time, now};
  if (!event_time_ && trade.time > now + ahead_max) {
    ++counters_.ahead;
    // Whose clock is wrong nobody knows: the bars of now and of then are in doubt.
    missed(instrument, now, now, out);
    if (confirmed(instrument)) out.push_back(Record::mark(RecordKind::contradicted, instrument.id, trade.time));
    return;
  }
  const auto record = Record::from(trade);
  if (!record) {
    ++counters_.refused[static_cast<std::size_t>(Refusal::overflow)];
    missed(instrument, trade.time, now, out);
    return;
  }
  Entry& e = entry(instrument);
  if (e.ended) {
    ++counters_.ignored;
    return;
  }
  // What a run before may have counted is of no use where nobody can tell by its id.
  if (exchange_.begins_with_old && instrument.ids == Ids::opaque && trade.time + old_by < e.heard_from) {
    ++counters_.ignored;
    return;
  }
  // Where nothing was known the newest of a snapshot says where ids begin, in whatever order its trades come.
  const auto known = e.sequencer.last_id();
  if (trade.snapshot && (instrument.ids == Ids::opaque || !known || e.begun_at == now)) {
    ++counters_.ignored;
    if (instrument.ids == Ids::opaque) return;
    e.begun_at = now;
    if (!known || trade.id > *known) resume_after(instrument, trade.series, trade.id, trade.time);
    return;
  }
  Sequencer::Decision decision = decide(e, trade);
  if (decision.verdict == Sequencer::Verdict::duplicate && begins_anew(e, trade, *record)) {
    out.push_back(
        Record::mark(RecordKind::hole, instrument.id, trade.time, 0, 0));  // what the old ones lost is unknown
    if (on_renumbered) on_renumbered(instrument);
    decision = decide(e, trade);
  }
  note_twin(e, trade, now, feed, decision.verdict == Sequencer::Verdict::next);
  if (decision.verdict == Sequencer::Verdict::duplicate) take_copy(e, trade, *record, now, out);
  if (!counts(decision)) return note(instrument, decision, trade.time, out);
  if (!e.confirmed) confirm(instrument, now, out, feed);
  note(instrument, decision, trade.time, out);
  if (of_known_fills(e, trade, decision, out)) return;
  if (of_unknown_size(e, trade, out)) return;
  ++counters_.trades;
  if (!known && instrument.ids == Ids::sequence && trade.series != Series::block) e.first_ever = record->first_id();
  last_heard_ = now;
  if (!trade.snapshot) event_to_receipt_.add(now - trade.time);
  if (e.first_live == 0 && trade.series != Series::block) e.first_live = record->first_id();
  note_silence(e, instrument, now);
  e.pace.heard(now);
  e.owed_since = {};
  e.newest = std::max(e.newest, trade.time);
  remember(e, trade, *record);
  if (instrument.ids == Ids::opaque && !trade.name.empty()) out.push_back(Record::name(trade.name, instrument.id));
  out.push_back(*record);
}

// By candles such a silence is judged anyway; where there are none nobody would ever know.
void Intake::note_silence(const Entry& e, const Instrument& instrument, Timestamp now) const {
  if (instrument.ids != Ids::opaque || !on_silence || e.unsettled) return;
  const double expected = e.pace.expected(now);
  if (expected >= silent_trades && now - e.pace.last() > silent_min) {
    on_silence(instrument, e.pace.last(), now, expected);
  }
}

// What the same fills add under another id nobody can tell: the bar is made again.
bool Intake::of_known_fills(Entry& e, const Trade& trade, const Sequencer::Decision& decision,
                            std::vector<Record>& out) {
  if (decision.hole_count > 0) e.fills.missing_from(decision.hole_first);
  const bool late = decision.verdict == Sequencer::Verdict::late;
  if (late ? !e.fills.repeats_late(trade.id, trade.first_fill, trade.fills)
           : decision.verdict != Sequencer::Verdict::next ||
                 !e.fills.repeats(trade.first_fill, trade.fills, trade.time)) {
    if (const auto overlapped = e.fills.take_overlap()) {
      ++counters_.contradictions;
      out.push_back(Record::mark(RecordKind::contradicted, trade.instrument->id, *overlapped));
    }
    return false;
  }
  ++counters_.contradictions;
  // A hole waits for the id alone.
  if (late) {
    push_id_alone(trade, out);
  } else {
    out.push_back(Record::mark(RecordKind::contradicted, trade.instrument->id, trade.time));
  }
  return true;
}

void Intake::push_id_alone(const Trade& trade, std::vector<Record>& out) {
  Trade id_alone = trade;
  id_alone.placeholder = true;
  if (const auto record = Record::from(id_alone)) out.push_back(*record);
  out.push_back(Record::mark(RecordKind::contradicted, trade.instrument->id, trade.time));
}

// Its id is known, its size is not.
bool Intake::of_unknown_size(const Entry& e, const Trade& trade, std::vector<Record>& out) {
  if (trade.time >= e.unit_from) return false;
  push_id_alone(trade, out);
  return true;
}

void Intake::remember(Entry& e, const Trade& trade, const Record& record) {
  if (e.recent.size() < recent_max) {
    e.recent.reserve(recent_max);
    e.recent.push_back({trade.id, trade.id_high, record});
    return;
  }
  e.recent[e.recent_next] = {trade.id, trade.id_high, record};
  e.recent_next = (e.recent_next + 1) % recent_max;
}

// Ids that do not continue with times later than all that was counted are a new numbering: a copy is of what was
// counted. What its first trades were is fetched: the sequence goes on from before them.
bool Intake::begins_anew(Entry& e, const Trade& trade, const Record& record) {
  if (trade.instrument->ids == Ids::opaque || trade.series == Series::block || e.newest.us == 0 ||
      trade.time <= e.newest) {
    return false;
  }
  const bool goes_on = e.anew.count > 0 && record.first_id() > e.anew.newest && trade.time >= e.anew.time;
  if (!goes_on) e.anew = {record.first_id(), 0, {}, 0};
  e.anew.newest = record.id();
  e.anew.time = trade.time;
  if (++e.anew.count < anew_min) return false;
  ++counters_.renumbered;
  e.first_ever = 0;
  e.fills = {};
  e.sequencer.resume_after(trade.series, e.anew.first > 0 ? e.anew.first - 1 : 0);
  e.anew = {};
  return true;
}

// A trade that was seen before by its id: a copy, or something else under the same name.
void Intake::take_copy(Entry& e, const Trade& trade, const Record& record, Timestamp now, std::vector<Record>& out) {
  const auto found = std::find_if(e.recent.begin(), e.recent.end(),
                                  [&](const Counted& c) { return c.id == trade.id && c.id_high == trade.id_high; });
  if (found == e.recent.end()) {
    // Newer than all that was counted, and yet an id of before.
    const bool fresh = trade.instrument->ids == Ids::sequence && trade.series != Series::block &&
                       trade.time > e.newest && e.newest.us != 0;
    if (fresh && !event_time_) missed(*trade.instrument, trade.time, now, out);
    return;
  }
  const Record& known = found->record;
  const bool same = known.time() == record.time() && known.price() == record.price() && known.base() == record.base() &&
                    known.aggressor() == record.aggressor() && known.fills() == record.fills();
  if (same) return;
  ++counters_.contradictions;
  out.push_back(Record::mark(RecordKind::contradicted, record.instrument(), known.time()));
  if (known.time() != record.time()) {
    out.push_back(Record::mark(RecordKind::contradicted, record.instrument(), record.time()));
  }
}

// Which of two connections was first, and by how much.
void Intake::note_twin(Entry& e, const Trade& trade, Timestamp now, std::uint32_t feed, bool first) {
  if (first) {
    e.first_feed = feed;
    e.first_at = now;
    e.first_id = trade.id;
    e.first_id_high = trade.id_high;
  } else if (feed != e.first_feed && trade.id == e.first_id && trade.id_high == e.first_id_high) {
    ++counters_.twins;
    counters_.twin_lead_us += static_cast<std::uint64_t>(std::max<std::int64_t>((now - e.first_at).us, 0));
  }
}

Sequencer::Decision Intake::decide(Entry& e, const Trade& trade) {
  if (trade.instrument->ids == Ids::opaque) {
    return {e.sequencer.decide_opaque({trade.id_high, trade.id}, trade.time), 0, 0};
  }
  return e.sequencer.decide(trade.series, trade.first_id(), trade.id);
}

bool Intake::counts(const Sequencer::Decision& decision) {
  switch (decision.verdict) {
    case Sequencer::Verdict::duplicate:
      ++counters_.duplicates;
      return false;
    case Sequencer::Verdict::other_series:
      ++counters_.other_series;
      return false;
    case Sequencer::Verdict::straddles:
      ++counters_.straddling;
      return false;
    case Sequencer::Verdict::next:
    case Sequencer::Verdict::late:
      return true;
  }
  return false;
}

// What a decision says is missing before `time`.
void Intake::note(const Instrument& instrument, const Sequencer::Decision& decision, Timestamp time,
                  std::vector<Record>& out) {
  if (decision.hole_count > 0) {
    ++counters_.holes;
    counters_.missing += decision.hole_count;
    out.push_back(Record::mark(RecordKind::hole, instrument.id, time, decision.hole_first, decision.hole_count));
    if (on_hole) on_hole(instrument, decision.hole_first, decision.hole_count);
  }
}

void Intake::take_newest(const Newest& newest, Timestamp now, std::vector<Record>& out) {
  Entry& e = entry(*newest.instrument);
  if (e.ended || !e.confirmed) return;
  const Sequencer::Decision decision = e.sequencer.told(newest.series, newest.id);
  if (decision.hole_count > 0 && e.owed_since.us == 0) e.owed_since = now;
  note(*newest.instrument, decision, newest.time, out);
}

void Intake::take_history(std::span<const Trade> trades, std::vector<Record>& out, Timestamp known_until,
                          bool made_again) {
  for (const Trade& trade : trades) {
    const auto record = Record::from(trade);
    Entry& e = entry(*trade.instrument);
    if (!record || e.ended) continue;
    // Without an order nobody can tell what the files know already; we know what we heard since we began.
    if (trade.instrument->ids == Ids::opaque &&
        trade.time <= std::max(e.heard_from, std::min(known_until, e.sequencer.seen_since()))) {
      continue;
    }
    // As old as ids that are forgotten: it may have been counted. Its bar is to be made again.
    if (trade.instrument->ids == Ids::opaque && trade.time <= e.sequencer.seen_since()) {
      if (!made_again) out.push_back(Record::mark(RecordKind::contradicted, trade.instrument->id, trade.time));
      continue;
    }
    expect_before_first(e, trade, out);
    const Sequencer::Decision decision = decide(e, trade);
    if (decision.verdict != Sequencer::Verdict::next && decision.verdict != Sequencer::Verdict::late) continue;
    if (decision.hole_count > 0) {
      counters_.missing += decision.hole_count;
      out.push_back(
          Record::mark(RecordKind::hole, trade.instrument->id, trade.time, decision.hole_first, decision.hole_count));
    }
    if (of_known_fills(e, trade, decision, out) || of_unknown_size(e, trade, out)) continue;
    ++counters_.fetched;
    if (trade.instrument->ids == Ids::sequence) {
      e.newest = std::max(e.newest, trade.time);
      remember(e, trade, *record);
    }
    if (trade.instrument->ids == Ids::opaque && !trade.name.empty()) {
      out.push_back(Record::name(trade.name, trade.instrument->id));
    }
    out.push_back(*record);
  }
}

// The first id that anybody heard of need not be the first that was made since we listen: those between are missing.
void Intake::expect_before_first(Entry& e, const Trade& trade, std::vector<Record>& out) {
  if (trade.series == Series::block || e.heard_from.us == 0 || trade.time < e.heard_from) return;
  const std::uint64_t first = trade.first_id();
  if (e.first_ever == 0 || first >= e.first_ever) return;
  const std::uint64_t count = e.first_ever - first;
  e.sequencer.expect(first, e.first_ever - 1);
  counters_.missing += count;
  out.push_back(Record::mark(RecordKind::hole, trade.instrument->id, trade.time, first, count));
  e.first_ever = first;
}

void Intake::take_again(const Instrument& instrument, std::span<const Trade> trades, Timestamp from, Timestamp to,
                        std::vector<Record>& out) {
  take_history(trades, out, instrument.ids == Ids::sequence ? Timestamp{} : known_until(instrument), true);
  std::vector<Record> again;
  std::uint64_t count = 0;
  Entry& e = entry(instrument);
  for (const Trade& trade : trades) {
    if (trade.time < from || trade.time >= to || trade.placeholder) continue;
    const auto record = Record::from(trade);
    if (!record) return;  // it does not fit; what is there stays
    if (instrument.ids == Ids::opaque) {
      (void)decide(e, trade);
      if (!trade.name.empty()) again.push_back(Record::name(trade.name, instrument.id));
    }
    again.push_back(record->as_again());
    ++count;
  }
  out.push_back(
      Record::mark(RecordKind::remake, instrument.id, from, count, static_cast<std::uint64_t>((to - from).us)));
  out.insert(out.end(), again.begin(), again.end());
}

std::optional<Timestamp> Intake::known_by_ids(const Instrument& instrument) const {
  if (!entries_.has(instrument.id) || instrument.ids == Ids::opaque) return std::nullopt;
  const Entry& e = entries_[instrument.id];
  if (!e.confirmed || e.sequencer.waits() || e.pace.last().us == 0) return std::nullopt;
  return e.newest;
}

std::optional<std::uint64_t> Intake::last_id(const Instrument& instrument) const {
  return entries_.has(instrument.id) ? entries_[instrument.id].sequencer.last_id() : std::nullopt;
}

bool Intake::waits_for(const Instrument& instrument, std::uint64_t first, std::uint64_t last) const {
  return entries_.has(instrument.id) && entries_[instrument.id].sequencer.waits_for(first, last);
}

std::optional<Series> Intake::source(const Instrument& instrument) const {
  return entries_.has(instrument.id) ? entries_[instrument.id].sequencer.source() : std::nullopt;
}

void Intake::confirm(const Instrument& instrument, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  Entry& e = entry(instrument);
  if (e.ended) return;
  if (std::find(e.feeds.begin(), e.feeds.end(), feed) == e.feeds.end()) {
    const auto place = std::find(e.feeds.begin(), e.feeds.end(), 0U);
    if (place != e.feeds.end()) *place = feed;
  }
  if (e.confirmed) return;
  e.confirmed = true;
  now = now + clock_error_;  // from then on it certainly is
  out.push_back(Record::mark(RecordKind::subscribed, instrument.id, now));
  if (e.doubted_from.us != 0) {
    const std::int64_t span = std::max<std::int64_t>((now - e.doubted_from).us, 0);
    out.push_back(
        Record::mark(RecordKind::contradicted, instrument.id, e.doubted_from, 0, static_cast<std::uint64_t>(span)));
    e.doubted_from = {};
  }
  e.unsettled_to = std::max(e.unsettled_to, now);
  if (e.heard_from.us == 0) e.heard_from = now;
  const bool asking = instrument.ids == Ids::opaque ? e.unsettled.has_value()
                                                    : e.sequencer.last_id().has_value() || e.quiet_until.us != 0;
  if (!asking) return;
  if (on_confirmed) {
    on_confirmed(instrument);
  } else if (instrument.ids == Ids::opaque) {
    out.push_back(Record::mark(RecordKind::verdict, instrument.id, now, 0, 1));
    e.unsettled.reset();
  }
}

Timestamp Intake::known_until(const Instrument& instrument) const {
  const Entry& e = entries_[instrument.id];
  if (e.unsettled) return *e.unsettled;
  return e.newest.us == 0 ? Timestamp{} : e.newest - passing_max;
}

void Intake::settle(const Instrument& instrument) {
  Entry& e = entry(instrument);
  if (e.confirmed) e.unsettled.reset();
}

void Intake::leave(const Instrument& instrument, std::uint32_t feed) {
  Entry& e = entry(instrument);
  std::replace(e.feeds.begin(), e.feeds.end(), feed, 0U);
}

void Intake::watched(const Instrument& instrument, Timestamp until, Timestamp now, std::vector<Record>& out,
                     std::uint32_t feed) {
  const Entry& e = entry(instrument);
  if (!e.confirmed || std::find(e.feeds.begin(), e.feeds.end(), feed) == e.feeds.end()) return;
  if (e.pace.overdue(now) >= 1) until = std::min(until, e.pace.last());
  out.push_back(Record::mark(RecordKind::watched, instrument.id, until));
}

void Intake::watched_no_further(const Instrument& instrument, Timestamp until, std::vector<Record>& out,
                                std::uint32_t feed) {
  const Entry& e = entry(instrument);
  const bool carried =
      std::any_of(e.feeds.begin(), e.feeds.end(), [&](std::uint32_t f) { return f != 0 && f != feed; });
  if (e.confirmed && !carried) out.push_back(Record::mark(RecordKind::watched, instrument.id, until, 0, 1));
}

void Intake::clock_moved(const Instrument& instrument, Timestamp was, Timestamp is) {
  Entry& e = entry(instrument);
  e.pace.clock_moved(is - was);
  if (is >= was) return;
  swept_.clear();
  e.checked = std::min(e.checked, is);
  e.heard_from = std::min(e.heard_from, is);
}

void Intake::watched_anew(const Instrument& instrument, Timestamp is, std::vector<Record>& out) const {
  if (!confirmed(instrument)) return;
  out.push_back(Record::mark(RecordKind::watched, instrument.id, is, 0, 1));
  out.push_back(Record::mark(RecordKind::subscribed, instrument.id, is));
}

void Intake::forget_feed(std::uint32_t feed) { swept_.erase(feed); }

void Intake::lose(const Instrument& instrument, Timestamp since, std::vector<Record>& out, std::uint32_t feed) {
  Entry& e = entry(instrument);
  leave(instrument, feed);
  const bool carried = std::any_of(e.feeds.begin(), e.feeds.end(), [](std::uint32_t f) { return f != 0; });
  if (!e.confirmed || carried) return;
  e.begun_at = {};
  e.confirmed = false;
  if (instrument.ids == Ids::opaque) e.unsettled = std::min(e.unsettled.value_or(since), since);
  out.push_back(Record::mark(RecordKind::lost, instrument.id, since));
}

void Intake::end(const Instrument& instrument, Timestamp now, std::vector<Record>& out) {
  Entry& e = entry(instrument);
  e.feeds = {};
  if (std::exchange(e.ended, true) || e.heard_from.us == 0) return;  // it has not begun, or has ended already
  // What was made shortly before is on its way, and ignored when it comes.
  const Timestamp known = now - on_the_way;
  if (e.confirmed && instrument.ids == Ids::opaque) e.unsettled = std::min(e.unsettled.value_or(known), known);
  e.confirmed = false;
  out.push_back(Record::mark(RecordKind::unsubscribed, instrument.id, now));
}

bool Intake::confirmed(const Instrument& instrument) const {
  return entries_.has(instrument.id) && entries_[instrument.id].confirmed;
}

}  // namespace cvdd
