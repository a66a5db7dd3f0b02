#include "cvdd/app/intake.hpp"

#include <algorithm>
#include <numeric>

namespace cvdd {

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

const Parsed& Intake::take(std::string_view message, Timestamp now, std::vector<Record>& out) {
  ++counters_.messages;
  exchange_.parse(message, symbols_, parsed_);
  if (parsed_.ignored) ++counters_.ignored;
  if (parsed_.refusal != Refusal::none) {
    counters_.refused[static_cast<std::size_t>(parsed_.refusal)] += std::max(parsed_.refused_rows, 1U);
  }
  for (const Trade& trade : parsed_.trades) take_trade(trade, now, out);
  return parsed_;
}

void Intake::take_trade(const Trade& trade, Timestamp now, std::vector<Record>& out) {
  if (!event_time_ && trade.time > now + ahead_max) {
    ++counters_.ahead;
    return;
  }
  const auto record = Record::from(trade);
  if (!record) {
    ++counters_.refused[static_cast<std::size_t>(Refusal::overflow)];
    return;
  }
  Entry& e = entry(*trade.instrument);
  if (e.ended) {
    ++counters_.ignored;
    return;
  }
  const Sequencer::Decision decision = e.sequencer.decide(trade.series, trade.id);
  switch (decision.verdict) {
    case Sequencer::Verdict::duplicate:
      ++counters_.duplicates;
      return;
    case Sequencer::Verdict::other_series:
      ++counters_.other_series;
      return;
    case Sequencer::Verdict::next:
    case Sequencer::Verdict::late:
    case Sequencer::Verdict::restarted:
      break;
  }
  if (!e.confirmed) confirm(*trade.instrument, now, out);
  if (decision.hole_count > 0) {
    ++counters_.holes;
    counters_.missing += decision.hole_count;
    out.push_back(
        Record::mark(RecordKind::hole, trade.instrument->id, trade.time, decision.hole_first, decision.hole_count));
  } else if (decision.verdict == Sequencer::Verdict::restarted) {
    ++counters_.holes;  // of unknown size: count 0
    out.push_back(Record::mark(RecordKind::hole, trade.instrument->id, trade.time, trade.id, 0));
  }
  ++counters_.trades;
  out.push_back(*record);
  if (decision.hole_count > 0 && on_hole) on_hole(*trade.instrument, decision.hole_first, decision.hole_count);
}

void Intake::take_history(std::span<const Trade> trades, std::vector<Record>& out) {
  for (const Trade& trade : trades) {
    const auto record = Record::from(trade);
    Entry& e = entry(*trade.instrument);
    if (!record || e.ended) continue;
    const Sequencer::Decision decision = e.sequencer.decide(trade.series, trade.id);
    if (decision.verdict != Sequencer::Verdict::next && decision.verdict != Sequencer::Verdict::late) continue;
    if (decision.hole_count > 0) {
      counters_.missing += decision.hole_count;
      out.push_back(
          Record::mark(RecordKind::hole, trade.instrument->id, trade.time, decision.hole_first, decision.hole_count));
    }
    ++counters_.fetched;
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

void Intake::confirm(const Instrument& instrument, Timestamp now, std::vector<Record>& out) {
  Entry& e = entry(instrument);
  if (e.confirmed || e.ended) return;
  e.confirmed = true;
  out.push_back(Record::mark(RecordKind::subscribed, instrument.id, now));
  if (on_confirmed && e.sequencer.last_id()) on_confirmed(instrument);
}

void Intake::lose(const Instrument& instrument, Timestamp since, std::vector<Record>& out) {
  Entry& e = entry(instrument);
  if (!e.confirmed) return;
  e.confirmed = false;
  out.push_back(Record::mark(RecordKind::lost, instrument.id, since));
}

void Intake::end(const Instrument& instrument, Timestamp now, std::vector<Record>& out) {
  Entry& e = entry(instrument);
  e.ended = true;
  if (!e.confirmed) return;
  e.confirmed = false;
  out.push_back(Record::mark(RecordKind::unsubscribed, instrument.id, now));
}

bool Intake::confirmed(const Instrument& instrument) const {
  return instrument.id < entries_.size() && entries_[instrument.id].confirmed;
}

}  // namespace cvdd
