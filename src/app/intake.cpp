#include "cvdd/app/intake.hpp"

#include <algorithm>
#include <numeric>

#include "cvdd/core/prefetch.hpp"

namespace cvdd {

namespace {
// Messages of one instrument may overtake each other by this much.
constexpr Duration passing_max = seconds(60);
}  // namespace

std::uint64_t IntakeCounters::refused_total() const {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

void Intake::add(const Instrument& instrument) {
  symbols_[instrument.symbol] = &instrument;
  (void)entry(instrument);
}

Intake::Entry& Intake::entry(const Instrument& instrument) {
  if (instrument.id >= entries_.size()) entries_.resize(instrument.id + 1);
  return entries_[instrument.id];
}

void Intake::resume_after(const Instrument& instrument, Series series, std::uint64_t last_id) {
  entry(instrument).sequencer.resume_after(series, last_id);
}

const Parsed& Intake::take(std::string_view message, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  const Parsed& parsed = read({&message, 1}).front();
  take(parsed, now, out, feed);
  return parsed;
}

std::span<const Parsed> Intake::read(std::span<const std::string_view> messages) {
  const std::size_t n = std::min(messages.size(), ahead);
  for (std::size_t i = 0; i < n; ++i) {
    exchange_.parse(messages[i], symbols_, parsed_[i]);
    if (n > 1 && !parsed_[i].trades.empty()) prefetch(entry(*parsed_[i].trades.front().instrument));
  }
  return {parsed_.data(), n};
}

void Intake::take(const Parsed& parsed, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  ++counters_.messages;
  if (parsed.ignored) ++counters_.ignored;
  if (parsed.refusal == Refusal::unknown_symbol && exchange_.hears_others) {
    counters_.ignored += std::max(parsed.refused_rows, 1U);
  } else if (parsed.refusal != Refusal::none) {
    counters_.refused[static_cast<std::size_t>(parsed.refusal)] += std::max(parsed.refused_rows, 1U);
  }
  for (const Trade& trade : parsed.trades) take_trade(trade, now, out, feed);
  for (const Newest& newest : parsed.newest) take_newest(newest, out);
}

void Intake::take_trade(const Trade& trade, Timestamp now, std::vector<Record>& out, std::uint32_t feed) {
  if (!event_time_ && trade.time > now + ahead_max) {
    ++counters_.ahead;
    return;
  }
  const auto record = Record::from(trade);
  if (!record) {
    ++counters_.refused[static_cast<std::size_t>(Refusal::overflow)];
    return;
  }
  const Instrument& instrument = *trade.instrument;
  Entry& e = entry(instrument);
  if (e.ended) {
    ++counters_.ignored;
    return;
  }
  if (trade.snapshot && (instrument.ids == Ids::opaque || !e.sequencer.last_id())) {
    ++counters_.ignored;
    if (instrument.ids != Ids::opaque) e.sequencer.resume_after(trade.series, trade.id);
    return;
  }
  const Sequencer::Decision decision = decide(e, trade);
  note_twin(e, trade, now, feed, decision.verdict == Sequencer::Verdict::next);
  if (!counts(decision)) return note(instrument, decision, trade.time, out);
  if (!e.confirmed) confirm(instrument, now, out, feed);
  note(instrument, decision, trade.time, out);
  ++counters_.trades;
  last_heard_ = now;
  if (!trade.snapshot) event_to_receipt_.add(now - trade.time);
  if (e.first_live == 0 && trade.series != Series::block) e.first_live = record->first_id();
  e.pace.heard(now);
  e.newest = std::max(e.newest, trade.time);
  if (instrument.ids == Ids::opaque && !trade.name.empty()) out.push_back(Record::name(trade.name, instrument.id));
  out.push_back(*record);
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
  return e.sequencer.decide(trade.series, trade.merged ? trade.id - trade.fills + 1 : trade.id, trade.id);
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
    case Sequencer::Verdict::restarted:
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
  } else if (decision.verdict == Sequencer::Verdict::restarted) {
    ++counters_.holes;  // of unknown size: count 0
    out.push_back(Record::mark(RecordKind::hole, instrument.id, time, 0, 0));
  }
}

void Intake::take_newest(const Newest& newest, std::vector<Record>& out) {
  Entry& e = entry(*newest.instrument);
  if (e.ended || !e.confirmed) return;
  note(*newest.instrument, e.sequencer.told(newest.series, newest.id), newest.time, out);
}

void Intake::take_history(std::span<const Trade> trades, std::vector<Record>& out, Timestamp known_until) {
  for (const Trade& trade : trades) {
    const auto record = Record::from(trade);
    Entry& e = entry(*trade.instrument);
    if (!record || e.ended) continue;
    // Without an order nobody can tell what the files know already; we know what we heard since we began.
    if (trade.instrument->ids == Ids::opaque && trade.time <= std::max(known_until, e.heard_from)) continue;
    const Sequencer::Decision decision = decide(e, trade);
    if (decision.verdict != Sequencer::Verdict::next && decision.verdict != Sequencer::Verdict::late) continue;
    if (decision.hole_count > 0) {
      counters_.missing += decision.hole_count;
      out.push_back(
          Record::mark(RecordKind::hole, trade.instrument->id, trade.time, decision.hole_first, decision.hole_count));
    }
    ++counters_.fetched;
    if (trade.instrument->ids == Ids::opaque && !trade.name.empty()) {
      out.push_back(Record::name(trade.name, trade.instrument->id));
    }
    out.push_back(*record);
  }
}

std::optional<std::uint64_t> Intake::last_id(const Instrument& instrument) const {
  return instrument.id < entries_.size() ? entries_[instrument.id].sequencer.last_id() : std::nullopt;
}

bool Intake::waits_for(const Instrument& instrument, std::uint64_t first, std::uint64_t last) const {
  return instrument.id < entries_.size() && entries_[instrument.id].sequencer.waits_for(first, last);
}

std::optional<Series> Intake::source(const Instrument& instrument) const {
  return instrument.id < entries_.size() ? entries_[instrument.id].sequencer.source() : std::nullopt;
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
  out.push_back(Record::mark(RecordKind::subscribed, instrument.id, now));
  if (e.heard_from.us == 0) e.heard_from = now;
  const bool asking = instrument.ids == Ids::opaque ? e.unsettled.has_value() : e.sequencer.last_id().has_value();
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

void Intake::doubt(const Instrument& instrument, Timestamp since, std::vector<Record>& out, std::uint32_t feed) {
  const Entry& e = entry(instrument);
  const bool carried =
      std::any_of(e.feeds.begin(), e.feeds.end(), [&](std::uint32_t f) { return f != 0 && f != feed; });
  if (e.confirmed && !carried) out.push_back(Record::mark(RecordKind::doubt, instrument.id, since));
}

void Intake::sure(const Instrument& instrument, Timestamp now, std::vector<Record>& out) {
  if (entry(instrument).confirmed) out.push_back(Record::mark(RecordKind::sure, instrument.id, now));
}

void Intake::lose(const Instrument& instrument, Timestamp since, std::vector<Record>& out, std::uint32_t feed) {
  Entry& e = entry(instrument);
  leave(instrument, feed);
  const bool carried = std::any_of(e.feeds.begin(), e.feeds.end(), [](std::uint32_t f) { return f != 0; });
  if (!e.confirmed || carried) return;
  e.confirmed = false;
  if (instrument.ids == Ids::opaque) e.unsettled = std::min(e.unsettled.value_or(since), since);
  out.push_back(Record::mark(RecordKind::lost, instrument.id, since));
}

void Intake::end(const Instrument& instrument, Timestamp now, std::vector<Record>& out) {
  Entry& e = entry(instrument);
  e.ended = true;
  e.feeds = {};
  if (!e.confirmed) return;
  e.confirmed = false;
  if (instrument.ids == Ids::opaque) e.unsettled = std::min(e.unsettled.value_or(now), now);
  out.push_back(Record::mark(RecordKind::unsubscribed, instrument.id, now));
}

bool Intake::confirmed(const Instrument& instrument) const {
  return instrument.id < entries_.size() && entries_[instrument.id].confirmed;
}

}  // namespace cvdd
