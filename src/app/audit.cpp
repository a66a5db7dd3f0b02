#include "cvdd/app/audit.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cvdd/core/csv.hpp"

namespace cvdd {

namespace {
// The candle is final, and late trades have made their revisions.
constexpr Duration settles = seconds(20);
constexpr std::chrono::seconds look_every{5};
// The ledger still has these bars.
constexpr std::int64_t bars_in_memory = 4;
constexpr std::size_t remembered_max = 10'000;
}  // namespace

void AuditMail::open(const Side& side) {
  const std::lock_guard lock(mutex_);
  waiting_.try_emplace(side);
}

void AuditMail::put(std::span<const Row> rows) {
  if (mode_ == AuditMode::off) return;
  const std::lock_guard lock(mutex_);
  std::map<Side, std::vector<const Row*>> candidates;
  for (const Row& row : rows) {
    const auto side = waiting_.find({row.exchange, row.market});
    if (side == waiting_.end()) continue;
    const bool whole = row.status == BarStatus::live || row.status == BarStatus::repaired;
    const auto known = side->second.find({row.symbol, row.time});
    if (known != side->second.end()) {
      if (whole)
        known->second = row;
      else
        side->second.erase(known);
    } else if (whole && row.rev == 0) {
      candidates[side->first].push_back(&row);
    }
  }
  for (auto& [side, of] : candidates) {
    Waiting& waiting = waiting_[side];
    std::size_t room = waiting_max - std::min(waiting_max, waiting.size());
    if (mode_ == AuditMode::sample) {
      room = std::min(sampled, sample_waiting_max - std::min(sample_waiting_max, waiting.size()));
      for (std::size_t i = 0; i < std::min(room, of.size()); ++i) {
        std::swap(of[i], of[i + random_() % (of.size() - i)]);
      }
    }
    for (const Row* row : std::span(of).first(std::min(room, of.size()))) {
      waiting.emplace(std::pair(row->symbol, row->time), *row);
    }
  }
}

void AuditMail::close(const Side& side) {
  const std::lock_guard lock(mutex_);
  waiting_.erase(side);
}

std::map<std::string, std::vector<Row>> AuditMail::take(const Side& side, Timestamp upto, Duration interval,
                                                        std::size_t instruments_max) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::vector<Row>> out;
  Waiting& waiting = waiting_[side];
  for (auto row = waiting.begin(); row != waiting.end();) {
    if (row->second.time + interval > upto) {
      ++row;
      continue;
    }
    if (out.size() == instruments_max && !out.contains(row->second.symbol)) break;
    out[row->second.symbol].push_back(std::move(row->second));
    row = waiting.erase(row);
  }
  return out;
}

Auditor::Auditor(HistoryContext context, AuditMail& mail, std::uint32_t requests_per_minute)
    : context_(std::move(context)), client_(context_), mail_(mail), share_(requests_per_minute, seconds(60)) {
  const Exchange& exchange = context_.intake->exchange();
  mail_.open({std::string(exchange.name), exchange.market});
}

asio::awaitable<void> Auditor::run() {
  const Exchange& exchange = context_.intake->exchange();
  const AuditMail::Side side{std::string(exchange.name), exchange.market};
  while (!client_.stopping()) {
    co_await client_.sleep(look_every);
    if (client_.stopping()) co_return;
    const Timestamp upto = context_.time->now() - settles;
    auto found = mail_.take(side, upto, context_.interval, 1);
    while (!found.empty() && !client_.stopping()) {
      const Instrument* instrument = find(found.begin()->first);
      if (instrument != nullptr) {
        const Duration wait = share_.take(undated(*context_.clock));
        co_await client_.sleep(std::chrono::microseconds(wait.us));
        if (client_.stopping()) co_return;
        std::vector<Row> rows = std::move(found.begin()->second);
        co_await look(*instrument, std::move(rows));
        if (beyond_belief(counters_)) {
          spdlog::error(
              "more than half of the audited bars are not what the exchange's candles say: the candles mean something "
              "else than we think; no more audits until the next start market=\"{}\" audited={} mismatches={}",
              context_.name, counters_.bars, counters_.mismatches);
          mail_.close(side);
          co_return;
        }
      }
      found = mail_.take(side, upto, context_.interval, 1);
    }
  }
}

asio::awaitable<void> Auditor::look(const Instrument& instrument, std::vector<Row> rows) {
  std::vector<Candle> candles;
  std::string error;
  const Timestamp from = rows.front().time, to = rows.back().time + context_.interval;
  if (!co_await client_.candles(instrument, from, to, candles, error)) {
    ++counters_.failures;
    co_return;
  }
  const CandleFacts& facts = context_.intake->exchange().candle_facts;
  for (const Row& row : rows) {
    const auto candle = std::lower_bound(candles.begin(), candles.end(), row.time,
                                         [](const Candle& c, Timestamp t) { return c.time < t; });
    Candle none;
    const bool there = candle != candles.end() && candle->time == row.time;
    if (!there && !facts.quiet_left_out) continue;  // not judged
    const std::string what = audit(row, there ? *candle : none, facts);
    ++counters_.bars;
    if (what.empty()) continue;
    mismatch(instrument, row, what);
    if (beyond_belief(counters_)) co_return;
  }
}

void Auditor::mismatch(const Instrument& instrument, const Row& row, const std::string& what) {
  ++counters_.mismatches;
  const auto first = sequence_id(row.first_id), last = sequence_id(row.last_id);
  const bool again = instrument.ids == Ids::sequence && first && last &&
                     context_.time->now() - row.time <= Duration{context_.interval.us * bars_in_memory} &&
                     context_.intake->source(instrument) == context_.intake->exchange().history_series &&
                     remade_.try_emplace({instrument.id, row.time}, true).second;
  if (remade_.size() > remembered_max) remade_.erase(remade_.begin());
  spdlog::error("a bar is not what the exchange says market=\"{}\" symbol={} bar={} ours=\"{}\"{}", context_.name,
                instrument.symbol, format_time(row.time), what,
                again ? " action=\"its trades are fetched again\"" : "");
  if (again) remake(instrument, row.time, *first, *last);
}

}  // namespace cvdd
