#include "market_instruments.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cvdd/base/time_text.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd {

namespace {
// A message brings more than one trade, as a rule.
constexpr std::uint64_t trades_a_message = 2;
// Whether anybody has to do with an instrument is a long search, and others wait for their turn.
constexpr std::size_t forgotten_at_once = 200;

std::string units_file(const MarketInstrumentsContext& context) {
  return context.market->cache_dir + "/units-" + std::string(context.exchange->name) + "-" +
         std::string(name_of(context.exchange->market)) + ".txt";
}
}  // namespace

MarketInstruments::MarketInstruments(MarketInstrumentsContext context)
    : context_(std::move(context)), units_(*context_.market->files, units_file(context_)) {}

void MarketInstruments::load(std::vector<Instrument> listed) {
  listed_before_ = std::move(listed);
  units_.load();
}

void MarketInstruments::listed(std::span<const Instrument> list) {
  for (const Instrument& found : list) {
    const auto known = known_.find(found.symbol);
    if (known != known_.end() && known->second.instrument->contract_size != found.contract_size)
      change_unit(*known->second.instrument, found);
  }
  units_.listed(context_.time->now());
}

const Instrument* MarketInstruments::find(const std::string& symbol) const {
  const auto known = known_.find(symbol);
  return known == known_.end() ? nullptr : known->second.instrument.get();
}

const LastKnown* MarketInstruments::restored(const Instrument& instrument) const {
  const auto& restored = *context_.market->restored;
  const auto row = restored.find({instrument.exchange, instrument.market, instrument.symbol});
  return row == restored.end() ? nullptr : &row->second;
}

// ---- How an instrument begins ----

const Instrument* MarketInstruments::adopt(const Instrument& found, Duration history, std::string& why) {
  const auto known = known_.find(found.symbol);
  if (known != known_.end()) {
    known->second.ended.reset();
    context_.intake->wanted_again(*known->second.instrument);
    return known->second.instrument.get();
  }
  if (std::ranges::any_of(leaving_, [&](const Leaving& l) { return l.instrument->symbol == found.symbol; })) {
    why = "what was known of it is being put away; it begins again in a moment";
    return nullptr;
  }
  if (begun_ == begun_at_once) {
    some_wait_ = true;
    why = "its turn comes in a moment";
    return nullptr;
  }
  const auto id = has_room() ? context_.market->ids->take() : std::nullopt;
  if (!id) {
    why = "no number is left for it: too many instruments";
    tell_full(found);
    return nullptr;
  }
  told_full_ = false;
  ++begun_;
  auto made = std::make_unique<Instrument>(found);
  Instrument& instrument = *made;
  instrument.id = *id;
  known_.emplace(instrument.symbol, Known{std::move(made), {}});
  context_.intake->add(instrument);
  const std::shared_ptr<const LastKnown> again = departed_.take(instrument.symbol);
  const LastKnown* const before = again ? again.get() : restored(instrument);
  const bool past = want_past(instrument, before, history);
  if (!past && before != nullptr) resume(instrument, *before);
  context_.market->aggregator->add_instrument(instrument, past, again);
  return &instrument;
}

// One line, and the next when there was room meanwhile.
void MarketInstruments::tell_full(const Instrument& found) {
  if (std::exchange(told_full_, true)) return;
  spdlog::error(
      "no number is left for more instruments, those that come now are left out until others have ended for a day: "
      "want fewer market=\"{}\" symbol={} instruments={} of_all={}",
      context_.name, found.symbol, known_.size() + leaving_.size(), context_.market->ids->out());
}

// ---- How it is forgotten ----

void MarketInstruments::ended(const Instrument& instrument) {
  const auto known = known_.find(instrument.symbol);
  if (known != known_.end()) known->second.ended = context_.market->clock->steady();
}

void MarketInstruments::forget_ended(const std::function<bool(const Instrument&)>& refers) {
  put_away();
  const Time now = context_.market->clock->steady();
  std::size_t looked_at = 0;
  for (auto entry = known_.begin(); entry != known_.end() && looked_at < forgotten_at_once;) {
    Known& known = entry->second;
    const bool due = known.ended && now >= *known.ended + forgotten_after;
    looked_at += due ? 1U : 0U;
    if (!due || refers(*known.instrument) || !let_go(*known.instrument)) {
      ++entry;
      continue;
    }
    context_.intake->forget(*known.instrument);
    auto farewell = context_.market->aggregator->forget(*known.instrument);
    leaving_.push_back({std::move(known.instrument), std::move(farewell)});
    entry = known_.erase(entry);
  }
}

// Whatever has been asked for it, or is to be. False: not now.
bool MarketInstruments::let_go(const Instrument& instrument) const {
  return (context_.backfill == nullptr || context_.backfill->forget(instrument)) &&
         (context_.history_loader == nullptr || context_.history_loader->forget(instrument)) &&
         (context_.prover == nullptr || context_.prover->forget(instrument));
}

void MarketInstruments::put_away() {
  std::erase_if(leaving_, [&](const Leaving& leaving) {
    if (!leaving.farewell->done.load(std::memory_order_acquire)) return false;
    if (leaving.farewell->known) departed_.put(leaving.instrument->symbol, *leaving.farewell->known);
    context_.market->ids->give_back(leaving.instrument->id);
    return true;
  });
}

void MarketInstruments::resume(const Instrument& instrument, const LastKnown& known) {
  const auto id = known.resumes_after(instrument);
  const Timestamp end = known.row.time + context_.market->interval;
  if (instrument.ids == Ids::opaque) context_.intake->resume_blindly(instrument);
  if (id) {
    context_.intake->resume_after(instrument, context_.exchange->series_of(context_.stream), *id, end);
  } else if (instrument.ids == Ids::sequence) {
    context_.intake->quiet_until(instrument, end);
  }
  note_unit_of_before(instrument, known.row.time);
  const Timestamp unit = units_.changed_by(instrument.symbol);
  context_.intake->unit_from(instrument, unit);
  const std::vector<Row>& recent = known.recent;
  const bool same_unit = unit.us == 0 || recent.empty() || unit <= recent.front().time;
  if (same_unit && context_.backfill != nullptr && recent.size() > 1 && id) fetch_again(instrument, recent);
  if (context_.prover != nullptr) context_.prover->restored(instrument, recent, unit, id.has_value());
}

// A new instrument whose CVD is to begin in the past, or one that nobody listened to for longer than the ledger can
// hold the bars of.
bool MarketInstruments::want_past(const Instrument& instrument, const LastKnown* known, Duration history) {
  if (context_.history_loader == nullptr || instrument.ids != Ids::sequence) return false;
  const Duration interval = context_.market->interval;
  const Timestamp now = bar_start(context_.time->now(), interval);
  if (known == nullptr) {
    if (history.us == 0) return false;
    context_.history_loader->want({&instrument, bar_start(now - history, interval)});
    return true;
  }
  const Row& row = known->row;
  const bool long_ago = (now - row.time).us / interval.us > static_cast<std::int64_t>(Ledger::absence_max);
  const bool no_ids = !known->resumes_after(instrument).has_value();  // that could tell what is missing
  if (!long_ago && !no_ids) return false;
  const bool cut = row.status == BarStatus::partial || row.status == BarStatus::gap;
  context_.history_loader->want(
      {&instrument, cut ? row.time : row.time + interval, known->resumes_after(instrument).value_or(0)});
  return true;
}

// Bars that were lacking something when the process ended: their trades, to make them again.
void MarketInstruments::fetch_again(const Instrument& instrument, std::span<const Row> rows) {
  for (const RebuildPlan& plan : plan_rebuilds(rows, context_.market->interval)) {
    if (plan.last < plan.first) continue;
    context_.intake->expect(instrument, plan.first, plan.last);
    context_.backfill->hole(instrument, plan.first, plan.last - plan.first + 1, plan.from, true);
  }
}

std::uint32_t MarketInstruments::usual_messages(std::span<const Instrument* const> instruments) const {
  constexpr std::size_t bars = 12;
  constexpr Duration window = seconds(5), fresh = seconds(600);
  std::map<Timestamp, std::uint64_t> trades;
  std::set<Timestamp> lacking;
  for (const Instrument* instrument : instruments) {
    const LastKnown* const known = restored(*instrument);
    if (known == nullptr) continue;
    for (const Row& row : known->recent) {
      if (row.time + fresh <= context_.time->now()) continue;
      trades[row.time] += row.buys + row.sells;
      if (row.status == BarStatus::gap || row.status == BarStatus::partial) lacking.insert(row.time);
    }
  }
  for (const Timestamp time : lacking) trades.erase(time);
  while (trades.size() > bars) trades.erase(trades.begin());
  if (trades.size() < 3) return 0;
  std::vector<std::uint64_t> counts;
  for (const auto& [time, n] : trades) counts.push_back(n);
  std::ranges::sort(counts);
  const auto few = counts[counts.size() / 4] * static_cast<std::uint64_t>(window.us);
  const auto interval = static_cast<std::uint64_t>(context_.market->interval.us);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(few / interval / trades_a_message, 1'000'000));
}

// What is still to come is watched anew.
void MarketInstruments::clock_moved(Timestamp was, Timestamp is, Timestamp since) {
  for (const auto& [symbol, known] : known_) {
    context_.intake->clock_moved(*known.instrument, was, is);
    if (context_.prover == nullptr || !context_.intake->confirmed(*known.instrument)) continue;
    context_.prover->doubt_time(*known.instrument, std::min(since, is), is);
  }
}

// ---- Contract sizes ----

// Sizes mean something else from some moment on that nobody tells: what was counted since the list before is in doubt,
// and only the exchange's own figures can settle it.
void MarketInstruments::change_unit(Instrument& known, const Instrument& found) {
  spdlog::error(
      "the contract size has changed; bars since the list was read last are in doubt market=\"{}\" symbol={} was={} "
      "is={} since={}",
      context_.name, known.symbol, to_string(known.contract_size), to_string(found.contract_size),
      format_time(units_.listed_at()));
  known.contract_size = found.contract_size;
  if (context_.market->capture != nullptr) context_.market->capture->instrument(known);  // before what is read with it
  doubt_unit(known, units_.listed_at(), context_.time->now());
}

void MarketInstruments::note_unit_of_before(const Instrument& instrument, Timestamp last_row) {
  // What the run before had no time to say in its rows.
  if (const Timestamp from = units_.doubted_from(instrument.symbol); from.us != 0) {
    context_.intake->doubt_from(instrument, from);
    doubt_unit(instrument, from, units_.changed_by(instrument.symbol));
  }
  const auto before = std::ranges::find(listed_before_, instrument.symbol, &Instrument::symbol);
  if (before == listed_before_.end() || before->contract_size == instrument.contract_size) return;
  spdlog::error(
      "the contract size has changed since the last run's last list; bars since are in doubt market=\"{}\" symbol={} "
      "was={} is={}",
      context_.name, instrument.symbol, to_string(before->contract_size), to_string(instrument.contract_size));
  const Timestamp earliest = last_row - Duration{std::chrono::microseconds(relist_every).count()};
  // What a list says may be older than its answer.
  const Timestamp listed = std::max(earliest, std::min(last_row, units_.listed_before_at() - seconds(1)));
  context_.intake->doubt_from(instrument, listed);
  doubt_unit(instrument, listed, context_.time->now());
}

void MarketInstruments::doubt_unit(const Instrument& instrument, Timestamp from, Timestamp by) {
  context_.intake->unit_from(instrument, by);
  if (context_.prover != nullptr) context_.prover->doubt_unit(instrument, from, by);
  units_.changed(instrument.symbol, by);
  units_.doubt(instrument.symbol, from);
  units_.save();
}

}  // namespace cvdd
