#include "cvdd/ledger/account.hpp"

#include <algorithm>
#include <utility>

#include "due_rows.hpp"

namespace cvdd {

namespace {
Ids ids_of(const Instrument* instrument) { return instrument == nullptr ? Ids::sequence : instrument->ids; }

Timestamp end_of(const Record& span) { return span.time() + Duration{static_cast<std::int64_t>(span.count())}; }
}  // namespace

Account::Account(const LedgerOptions& options, const Instrument* instrument, std::size_t clock)
    : instrument_(instrument),
      clock_(clock),
      options_(options),
      bars_(options.interval),
      gaps_(ids_of(instrument), options),
      rebuilder_(ids_of(instrument) == Ids::sequence && options.repairs) {}

// What the rows say becomes the bars in memory; the rest of the newest, and everything since, is a loss that the next
// trade's id measures.
void Account::restore(std::span<const Row> rows, std::optional<std::uint64_t> last_id) {
  const Row& newest = rows.back();
  const bool killed = newest.status != BarStatus::partial;  // it is whole, or known to lack something
  const Timestamp end = newest.time + options_.interval;
  bars_.restore(rows, instrument_->ids);
  const auto traded = std::find_if(rows.rbegin(), rows.rend(), [](const Row& row) { return !row.last_id.empty(); });
  gaps_.restore(killed ? end : newest.time, end, last_id, traded == rows.rend() ? rows.front().time : traded->time);
  std::vector<RebuildPlan> plans;
  if (rows.size() > 1 && ordered()) plans = plan_rebuilds(rows, options_.interval);
  for (const RebuildPlan& plan : plans) {
    if (plan.open) gaps_.reaches_back(plan.open_from);
  }
  rebuilder_.restore(bars_, plans, end, killed);
  if (options_.event_time) state_ = State::active;
}

void Account::count_flow(std::shared_ptr<const SizeBuckets> buckets, std::span<const FlowRow> known) {
  bars_.count_flow(FlowAccount(std::move(buckets), ordered()), known);
}

// ------------------------------------------------------------------ marks

void Account::subscribed(Timestamp time) {
  if (options_.event_time) {  // the first trade begins the rows
    gaps_.found(bars_.start_of(gaps_.last_trade()));
    if (state_ == State::ended) state_ = State::active;
    return;
  }
  const Timestamp bar = bars_.start_of(time);
  // What a loss before it cost is known as a loss.
  if (!active() || gaps_.cut_off()) gaps_.watched(time);
  if (state_ == State::idle && bars_.empty()) return begin(bar);
  if (!active()) {
    // What lies between passed while nobody listened.
    const Timestamp newest = bars_.newest();
    if (bar > newest && !bars_.resume(bar, options_.bars_kept_max())) gaps_.forget_before(bar);
    gaps_.hide_before(std::max(bar, newest));
    state_ = State::active;
  }
  gaps_.found(bar);
}

void Account::begin(Timestamp bar) {
  state_ = State::active;
  bars_.begin(bar);
  bars_.back().partial_begin = true;
}

void Account::contradicted(const Record& record) {
  if (bars_.empty()) return;
  const Timestamp last = std::max(bars_.start_of(end_of(record)), bars_.first());
  if (active() && !bars_.extend(last)) return;
  const Timestamp first = std::max(bars_.start_of(record.time()), bars_.first());
  bars_.each(first, last + options_.interval, [](Timestamp, Bar& bar) {
    bar.contradicted = true;
    bar.proven = false;
  });
}

// The exchange's own figures are the last word, whatever was in doubt.
void Account::proven(const Record& record) {
  bars_.each(record.time(), end_of(record), [](Timestamp, Bar& bar) { bar.proven = bar.proven || !bar.absent; });
}

void Account::unsubscribed(Timestamp time) {
  if (!active()) return;
  past_.release();
  const Timestamp last = std::max(bars_.start_of(options_.event_time ? gaps_.last_trade() : time), bars_.newest());
  if (!bars_.extend(last)) return;
  gaps_.ended(bars_, last);
  bars_.back().partial_end = bars_.back().changed = true;
  state_ = State::ended;
}

void Account::verdict(const Record& record) {
  if (ordered() && record.count() > 0) rebuilder_.give_up(record.id());
  gaps_.verdict(bars_, rebuilder_, record);
}

// ------------------------------------------------------------------ trades

bool Account::trade(const Record& record, LedgerOutput& out) {
  const IdText name = take_name();
  if (!rebuilder_.empty()) {
    const auto in_doubt = [this](Timestamp bar) { return gaps_.in_doubt(bar); };
    if (rebuilder_.take(bars_, record, in_doubt)) return false;
  }
  const Timestamp time = bars_.start_of(record.time());
  if (state_ == State::idle && options_.event_time) begin(time);
  if (!active() || time < bars_.first()) {
    ++out.counters.before_first;
    return false;
  }
  const bool numbered = ordered() && record.id() != 0;
  if (numbered) gaps_.next_id(bars_, rebuilder_, record.id(), time);
  const bool near = bars_.extend(time);
  Bar* bar = near ? bars_.at(time) : nullptr;
  if (bar == nullptr) {
    ++(near ? out.counters.too_late : out.counters.too_far_ahead);
    bars_.back().missing += 1;
    return false;
  }
  if (bar->written()) ++out.counters.late;
  bar->proven = false;
  if (!ordered()) bar->settled = false;
  // Whether the row counted it nobody knows, so the bar is a gap until it is made again.
  if (bar->restored && may_have_counted(*bar, record, ordered())) {
    bar->contradicted = true;
    if (numbered) gaps_.known(bars_, rebuilder_, record);
    return false;
  }
  // What a stop cut goes on. Its row names two ids, and they need not be the highest: it is made again by time.
  const bool goes_on =
      bar->restored && !bar->partial_begin && bar->written_status == BarStatus::partial && bar->has_ids();
  if (goes_on && numbered && options_.repairs) bar->contradicted = true;
  // A bar of the time when nobody ran is told of when all of it is known; what comes to it by itself is alone.
  if (bar->absent && !gaps_.waits_for(record)) {
    rebuilder_.uncover(bars_, *bar, time);
    gaps_.found_alone(time);
  }
  if (!add_record(*bar, record, name, bars_.flow_rules())) {
    stop(time, out);
    return false;
  }
  if (record.kind() == RecordKind::trade) ++out.counters.trades;
  if (record.kind() == RecordKind::other) ++out.counters.other;
  if (!rebuilder_.empty()) rebuilder_.also(bars_, time, record, name);
  if (!remaker_.empty()) remaker_.also(bars_, time, record, name);
  gaps_.counted(bars_, rebuilder_, record, numbered);
  traded_ = std::max(traded_, record.time());
  return true;
}

IdText Account::take_name() { return next_name_.empty() ? IdText{} : std::exchange(next_name_, {}); }

void Account::remake(const Record& record) { remaker_.announce(bars_, record.time(), end_of(record), record.id()); }

void Account::again(const Record& record, LedgerOutput& out) {
  const IdText name = take_name();
  if (!remaker_.take(bars_, record, name)) stop(bars_.start_of(record.time()), out);
}

void Account::stop(Timestamp time, LedgerOutput& out) {
  if (Bar* bar = bars_.at(time)) bar->lost = bar->changed = true;
  state_ = State::stopped;
  out.complain(*instrument_,
               "a sum does not fit 128 bits; the instrument is stopped, its last bar says gap; remove it from the "
               "symbol list and report this");
}

// ------------------------------------------------------------------ candles

void Account::candles(const Record& record, LedgerOutput& out) {
  if (!past_.take_effect(*instrument_, bars_, gaps_, active(), out)) stop(bars_.oldest(), out);
  if (past_.held()) release(record.time());
  if (record.count() > 0) gaps_.fill(bars_, rebuilder_, record.id(), record.id() + record.count() - 1);
}

// `whole`: the bar that the subscription began in, if its trades from before are there.
void Account::release(Timestamp whole) {
  past_.release();
  Bar* first = whole.us == 0 ? nullptr : bars_.at(whole);
  if (first == nullptr) return;
  first->partial_begin = first->lost = false;
  first->recovered = first->changed = true;
  gaps_.settle_absence();
}

// ------------------------------------------------------------------ rows

void Account::close(Timestamp upto, LedgerOutput& out, std::vector<Row>& rows) {
  if (bars_.empty() || state_ == State::idle) return;
  const Timestamp last_due = bars_.start_of(upto) - options_.interval;
  if (active() && last_due > bars_.newest()) (void)bars_.extend(last_due);
  if (past_.held()) {
    if (bars_.size() <= options_.bars_kept_max()) return;
    past_.release();
    out.complain(*instrument_, "its history did not come in time, its rows begin without it");
  }
  const std::size_t before = rows.size();
  const auto overflow = append_due_rows(*instrument_, bars_, gaps_, active(), last_due, rows, out.flow);
  out.count_rows(std::span(rows).subspan(before));
  if (overflow) return stop(*overflow, out);
  forget_settled(bars_, gaps_, rebuilder_, options_);
}

void Account::finish(Timestamp whole_until, Timestamp now, LedgerOutput& out, std::vector<Row>& rows) {
  if (past_.held()) return;  // the next run begins where this one did
  Timestamp end = bars_.start_of(now);
  if (active() && !bars_.empty()) {
    end = std::max(end, bars_.newest());
    if (bars_.extend(end)) {
      bars_.each(bars_.start_of(whole_until), end + options_.interval, [](Timestamp, Bar& bar) {
        if (!bar.partial_end) bar.partial_end = bar.changed = true;
      });
    }
  }
  close(end + options_.interval, out, rows);
  if (active()) state_ = State::ended;
}

std::optional<OpenBar> Account::open_bar(Timestamp now) const {
  if (!active() || bars_.empty() || past_.held()) return std::nullopt;
  OpenBar open = open_bar_of(bars_, now);
  open.instrument = instrument_;
  open.last_trade = traded_;
  return open;
}

bool Account::gap() const {
  if (!active()) return false;
  const auto& bars = bars_.all();
  const auto written = std::find_if(bars.rbegin(), bars.rend(), [](const Bar& b) { return b.written(); });
  return written != bars.rend() && written->written_status == BarStatus::gap;
}

}  // namespace cvdd
