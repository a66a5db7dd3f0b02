#include "cvdd/recovery/prover.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ranges>

#include "cvdd/base/time_text.hpp"
#include "cvdd/ledger/bar.hpp"
#include "cvdd/ledger/rebuild_plan.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::seconds look_every{2};
// What a run before left in doubt is looked at sooner: an exchange may keep its trades for a moment only.
constexpr std::chrono::milliseconds first_looks_every{500};
constexpr unsigned first_looks = 20;
constexpr std::size_t jobs_max = 200;  // in one round
// So long after its end a bar is compared with its candle, together with those that came meanwhile.
constexpr Duration compare_after = seconds(45), compare_soon_after = seconds(20);
// Who has not traded since a gap is waited for so long.
constexpr Duration patience = seconds(300);
// … while the exchange is asked so often, of so many in one round.
constexpr Duration ask_again = seconds(30);
constexpr std::size_t questions_max = 2;
constexpr Duration forgotten_after = seconds(3'600);
constexpr unsigned fills_believed_after = 10;
}  // namespace

void ProofMail::open(const Place& place) {
  const std::lock_guard lock(mutex_);
  waiting_.try_emplace(place);
}

void ProofMail::put(std::span<const Row> rows) {
  const std::lock_guard lock(mutex_);
  for (const Row& row : rows) {
    const auto place = waiting_.find({row.exchange, row.market});
    if (place == waiting_.end()) continue;
    if (place->second.size() >= waiting_max) {
      ++refused_;
      continue;
    }
    place->second.emplace_back(row.symbol, claim_of(row));
  }
}

ProofMail::Letters ProofMail::take(const Place& place) {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_[place], {});
}

std::uint64_t ProofMail::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

Prover::Prover(HistoryContext context, ProofMail& mail, ProverSettings settings)
    : context_(std::move(context)),
      client_(context_),
      mail_(mail),
      settings_(settings),
      place_(context_.intake->exchange().name, context_.intake->exchange().market),
      share_(settings.requests_per_minute, seconds(60)),
      comparing_(settings.mode != AuditMode::off) {
  rules_.interval = context_.interval;
  rules_.by_time = by_time();
  if (comparing_) rules_.candle = candle_length(context_.intake->exchange(), context_.interval);
  mail_.open(place_);
}

ProofTrack* Prover::track_of(const Instrument& instrument) {
  const auto tracked = tracked_.find(instrument.id);
  return tracked == tracked_.end() ? nullptr : &tracked->second.track;
}

void Prover::restored(const Instrument& instrument, std::span<const Row> rows, Timestamp unit_since, bool ids_known) {
  Tracked& tracked = tracked_[instrument.id];
  tracked.instrument = &instrument;
  const Timestamp now = context_.time->now();
  for (const Row& row : rows) {
    Claim claim = claim_of(row);
    claim.restored = true;
    // Cut by a stop: the rest may be had. An instrument's first bar is what it is.
    claim.cut = row.status == BarStatus::partial && !is_first_ever(rows, row);
    tracked.beside = tracked.beside || !claim.other_base.is_zero();
    tracked.track.put(claim, now, rules_);
  }
  tracked.had_ids = ids_known && !begins_with_nothing(rows);  // else those of the rows are all
  const Timestamp numbered_since = newest_numbering(rows, 0, rules_.interval).since;
  if (numbered_since.us != 0) tracked.anew = {numbered_since.us - 1};
  tracked.track.first_ids_prove(ids_known || !has_history());
  tracked.track.restored(now, rules_, instrument.ids == Ids::sequence);
  tracked.track.without_ids(!ids_known && instrument.ids == Ids::sequence);
  tracked.track.unit_since(unit_since);
}

bool Prover::has_history() const {
  const Exchange& exchange = context_.intake->exchange();
  return by_time() || exchange.has_history_of(exchange.series_of(settings_.stream));
}

bool Prover::by_time() const {
  const History* const history = context_.intake->exchange().history;
  return history != nullptr && history->between != nullptr;
}

void Prover::quiet_until(const Instrument& instrument, Timestamp until) {
  const auto tracked = tracked_.find(instrument.id);
  if (tracked == tracked_.end()) return;
  tracked->second.track.quiet_until(until, rules_);
  tracked->second.quiet_until = std::max(tracked->second.quiet_until, until);
}

std::optional<Timestamp> Prover::proven_until(const Instrument& instrument) const {
  const auto tracked = tracked_.find(instrument.id);
  return tracked == tracked_.end() ? std::nullopt : tracked->second.track.proven_until(rules_);
}

void Prover::doubt_unit(const Instrument& instrument, Timestamp from, Timestamp to) {
  Tracked& tracked = tracked_[instrument.id];
  tracked.instrument = &instrument;
  const BarSpan span{bar_start(from, rules_.interval), bar_start(to, rules_.interval) + rules_.interval};
  tracked.unit =
      tracked.unit ? BarSpan{std::min(tracked.unit->from, span.from), std::max(tracked.unit->to, span.to)} : span;
  // Of all bars before, history's sizes would be taken for today's.
  tracked.track.unit_since(to);
}

void Prover::doubt_time(const Instrument& instrument, Timestamp from, Timestamp to) {
  const BarSpan span{bar_start(from, rules_.interval), bar_start(to, rules_.interval) + rules_.interval};
  Tracked& tracked = tracked_[instrument.id];
  if (tracked.instrument == nullptr) tracked.track.first_ids_prove(!has_history());
  tracked.instrument = &instrument;
  mark(instrument, RecordKind::contradicted, span);
  tracked.track.refuted(span, context_.time->now());
}

void Prover::renumbered(const Instrument& instrument) {
  Tracked& tracked = tracked_[instrument.id];
  tracked.instrument = &instrument;
  tracked.anew = context_.time->now();
}

// Once the instrument is collected, and the last of the bars is written.
void Prover::tell_units() {
  const Timestamp now = context_.time->now();
  for (auto& [id, tracked] : tracked_) {
    if (!tracked.unit || !context_.intake->confirmed(*tracked.instrument) || now < tracked.unit->to + rules_.settles)
      continue;
    mark(*tracked.instrument, RecordKind::contradicted, *tracked.unit);
    tracked.track.doubt_unit(*tracked.unit, now);
    tracked.unit.reset();
    if (on_unit_told) on_unit_told(*tracked.instrument);
  }
}

void Prover::read_mail() {
  const Timestamp now = context_.time->now();
  for (const auto& [symbol, claim] : mail_.take(place_)) {
    const Instrument* instrument = find(symbol);
    if (instrument == nullptr) continue;
    Tracked& tracked = tracked_[instrument->id];
    if (tracked.instrument == nullptr) tracked.track.first_ids_prove(!has_history());
    tracked.instrument = instrument;
    tracked.beside = tracked.beside || !claim.other_base.is_zero();
    tracked.track.put(claim, now, rules_);
  }
  for (auto& [id, tracked] : tracked_) {
    const Instrument& instrument = *tracked.instrument;
    if (instrument.ids == Ids::sequence) {
      if (const auto time = context_.intake->known_by_ids(instrument)) tracked.track.ids_until(*time, rules_);
    }
    tracked.track.prune(now, {settings_.within.us + seconds(300).us});
  }
  // Who is not collected any more is forgotten with its last bars.
  std::erase_if(tracked_, [&](const auto& entry) {
    const auto& [id, tracked] = entry;
    if (find(tracked.instrument->symbol) == tracked.instrument) return false;
    return tracked.track.empty() || tracked.track.bars().rbegin()->first + forgotten_after < now;
  });
}

// Not while a repair is on its way that needs less, or none was found yet because nothing was traded since.
Prover::Readiness Prover::readiness(Tracked& tracked, BarSpan span, Timestamp now) const {
  const Instrument& instrument = *tracked.instrument;
  // What a repair brought is in the rows of the next bar's end.
  const bool busy = !context_.intake->confirmed(instrument) || repairing(instrument);
  if (busy) tracked.leave_until = now + rules_.interval + rules_.heal_after;
  if (busy || now < tracked.leave_until) return Readiness::busy;
  const auto known = context_.intake->known_by_ids(instrument);
  const bool by_ids =
      instrument.ids == Ids::opaque || by_time() || (known && *known >= span.to) || tracked.quiet_until >= span.to;
  return by_ids || span.to + patience < now ? Readiness::ready : Readiness::maybe_quiet;
}

// What is to be made again first, then what waits longest for its comparison.
std::vector<Prover::Job> Prover::jobs() {
  std::vector<Job> out, later;
  std::vector<Tracked*> maybe_quiet;
  const Timestamp now = context_.time->now();
  const Duration patience_of_proofs{settings_.within.us / 3};
  for (auto& [id, tracked] : tracked_) {
    const Instrument& instrument = *tracked.instrument;
    if (find(instrument.symbol) != &instrument) continue;
    Duration ask_after{};  // 0: there is nothing to ask
    if (const auto span = tracked.track.to_remake(now, rules_)) {
      const Readiness ready = readiness(tracked, *span, now);
      if (ready == Readiness::ready) out.push_back({&instrument, *span, true});
      if (ready == Readiness::maybe_quiet) ask_after = ask_again;
    }
    const Duration age = instrument.ids == Ids::sequence ? compare_after : compare_soon_after;
    const auto span = comparing_ ? tracked.track.to_compare(now, age, rules_) : std::nullopt;
    if (span) {
      later.push_back({&instrument, *span, false});
    } else if (ask_after.us == 0) {
      // Nothing to be compared: is it quiet, as it seems?
      const auto proven = tracked.track.proven_until(rules_);
      const bool waits = proven && *proven + patience_of_proofs < now && context_.intake->confirmed(instrument);
      if (waits) ask_after = patience_of_proofs;
    }
    if (ask_after.us != 0 && tracked.asked + ask_after < now) maybe_quiet.push_back(&tracked);
  }
  // Who was not asked for longest, so that many can't keep one from its turn.
  std::ranges::stable_sort(maybe_quiet, {}, &Tracked::asked);
  for (Tracked* tracked : maybe_quiet | std::views::take(questions_max)) {
    tracked->asked = now;
    ask_newest(*tracked->instrument);
  }
  std::ranges::sort(later, {}, [](const Job& job) { return job.span.from; });
  out.insert(out.end(), later.begin(), later.end());
  if (out.size() > jobs_max) out.resize(jobs_max);
  return out;
}

asio::awaitable<void> Prover::run() {
  for (unsigned looks = 0; !client_.stopping(); looks = std::min(looks + 1, first_looks)) {
    const std::chrono::milliseconds pause = looks < first_looks ? first_looks_every : look_every;
    co_await client_.sleep(pause);
    if (client_.stopping()) co_return;
    read_mail();
    tell_units();
    co_await deliver_marks();
    const auto until = context_.clock->steady() + 5 * look_every;
    round_ = jobs();
    for (const Job& job : round_) {
      if (client_.stopping()) co_return;
      if (job.remake) {
        co_await remake(job);
      } else {
        co_await compare(job);
      }
      co_await deliver_marks();
      if (context_.clock->steady() > until) break;  // there is news by now
    }
    round_.clear();
  }
}

asio::awaitable<void> Prover::deliver_marks() {
  delivering_ = true;
  for (auto& [instrument, records] : std::exchange(marks_, {})) {
    co_await client_.deliver(*instrument, std::move(records));
  }
  delivering_ = false;
}

bool Prover::forget(const Instrument& instrument) {
  const bool marked = std::ranges::any_of(marks_, [&](const auto& mark) { return mark.first == &instrument; });
  const bool asked = std::ranges::any_of(round_, [&](const Job& job) { return job.instrument == &instrument; });
  if (delivering_ || marked || asked) return false;
  tracked_.erase(instrument.id);
  return true;
}

asio::awaitable<bool> Prover::candles_of(const Instrument& instrument, BarSpan span, std::vector<Candle>& out) {
  std::string error;
  const bool there = co_await client_.candles(instrument, span.from, span.to, out, error, rules_.candle);
  if (!there) ++counters_.failures;
  co_return there;
}

void Prover::mark(const Instrument& instrument, RecordKind kind, BarSpan span) {
  const auto length = static_cast<std::uint64_t>((span.to - span.from).us);
  // A contradiction holds for the moments it names, the last one included.
  const std::uint64_t count = kind == RecordKind::contradicted ? length - 1 : length;
  marks_.emplace_back(&instrument, std::vector{Record::mark(kind, instrument.id, span.from, 0, count)});
}

asio::awaitable<void> Prover::compare(Job job) {
  const Duration wait = share_.take(undated(*context_.clock));
  co_await client_.sleep(std::chrono::microseconds(wait.us));
  if (client_.stopping()) co_return;
  std::vector<Candle> candles;
  if (!co_await candles_of(*job.instrument, job.span, candles)) co_return;
  read_mail();  // what became known while we asked
  ProofTrack* track = track_of(*job.instrument);
  if (track == nullptr) co_return;
  // Nothing at all where we have trades may be an answer that went wrong: believed when it is said twice.
  bool& empty_before = tracked_[job.instrument->id].empty_before;
  if (candles.empty() && track->traded(job.span) && !std::exchange(empty_before, true)) co_return;
  empty_before = false;
  for (Timestamp t = job.span.from; t < job.span.to; t = t + rules_.candle) {
    const auto candle = std::ranges::find(candles, t, &Candle::time);
    judge(*job.instrument, *track, {t, t + rules_.candle}, candle == candles.end() ? nullptr : &*candle);
    if (!beyond_belief(counters_)) continue;
    spdlog::error(
        "more than half of the candles are not the sums of the exchange's own trades: they mean something else than we "
        "think; nothing is compared with them until the next start market=\"{}\" compared={} different={}",
        context_.name, counters_.bars, counters_.contradictory);
    comparing_ = false;
    co_return;
  }
}

// How many fills there were may mean something else than we think, where nothing else is told of them: that is believed
// once so many candles, one after the other, had it right. What is different of it; empty: nothing.
std::string Prover::audit_fills(const Claim& sum, const Candle& candle) {
  const Candles* const candles = context_.intake->exchange().candles;
  if (candles == nullptr || !candles->fills || !sum.other_base.is_zero()) return {};
  const std::uint64_t ours = sum.buys + sum.sells;
  const bool believed = fills_right_ >= fills_believed_after;
  if (!believed && candle.fills > 0) fills_right_ = ours == candle.fills ? fills_right_ + 1 : 0;
  if (!believed || ours == candle.fills) return {};
  return "fills " + std::to_string(ours) + ", exchange " + std::to_string(candle.fills);
}

void Prover::judge(const Instrument& instrument, ProofTrack& track, BarSpan span, const Candle* candle) {
  const CandleFacts facts = context_.intake->exchange().candle_facts();
  const auto sum = track.sum(span, rules_);
  const Candle none;
  if (!sum || (candle == nullptr && !facts.quiet_left_out)) return track.not_judged(span, instrument.ids == Ids::sequence);
  std::string what = audit(*sum, candle == nullptr ? none : *candle, facts);
  if (what.empty() && candle != nullptr) what = audit_fills(*sum, *candle);
  counters_.bars += static_cast<std::uint64_t>((span.to - span.from).us / rules_.interval.us);
  // Whether a gap lacks volume beside the CVD only its trades can say.
  if (what.empty() && track.any_gap(span) && tracked_[instrument.id].beside) return track.not_judged(span, instrument.ids == Ids::sequence);
  if (what.empty()) {
    const bool news = track.any_gap(span) || instrument.ids == Ids::opaque || !track.by_ids(span);
    track.agreed(span);
    if (news) mark(instrument, RecordKind::proven, span);
    return;
  }
  const bool gap = track.any_gap(span);
  if (!gap) {
    ++counters_.mismatches;
    spdlog::error(
        "a bar is not what the exchange says market=\"{}\" symbol={} bar={} ours=\"{}\" action=\"its trades are "
        "fetched "
        "again\"",
        context_.name, instrument.symbol, format_time(span.from), what);
  }
  // Ids that go on are the stronger word, until history has said what it has.
  if (!track.by_ids(span) && !gap) mark(instrument, RecordKind::contradicted, span);
  track.refuted(span, context_.time->now());
}

}  // namespace cvdd
