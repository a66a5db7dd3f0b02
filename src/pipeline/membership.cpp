// The aggregator's other half: instruments that come, and those that leave for good.
#include "cvdd/pipeline/aggregator.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd {

void Aggregator::add_instrument(const Instrument& instrument, bool held, std::shared_ptr<const LastKnown> known) {
  if (options_.capture != nullptr) options_.capture->instrument(instrument);  // before what is said of it
  const std::lock_guard lock(mail_mutex_);
  mail_.instruments.push_back({&instrument, held, std::move(known)});
  mail_waiting_.store(true, std::memory_order_release);
}

std::shared_ptr<const Aggregator::Farewell> Aggregator::forget(const Instrument& instrument) {
  auto farewell = std::make_shared<Farewell>();
  const std::lock_guard lock(mail_mutex_);
  mail_.leavers.push_back({&instrument, farewell});
  mail_waiting_.store(true, std::memory_order_release);
  return farewell;
}

// Into the ledger, with what is known of it.
void Aggregator::enter(const Newcomer& newcomer) {
  const Instrument& instrument = *newcomer.instrument;
  std::span<const Row> rows;
  std::optional<std::uint64_t> last_id;
  const auto found = restored_.find({instrument.exchange, instrument.market, instrument.symbol});
  const LastKnown* const known = newcomer.known             ? newcomer.known.get()
                                 : found == restored_.end() ? nullptr
                                                            : &found->second;
  if (known != nullptr) {
    const bool again = options_.repairs && known->recent.size() > 1 && !newcomer.held;
    rows = again ? std::span(known->recent) : std::span(&known->row, 1);
    last_id = known->resumes_after(instrument);
  }
  if (options_.capture != nullptr) {
    options_.capture->added({instrument.id, newcomer.held, last_id, std::vector<Row>(rows.begin(), rows.end())});
  }
  ledger_.add_instrument(instrument);
  if (!rows.empty()) ledger_.restore(instrument.id, rows, last_id);
  if (newcomer.held) ledger_.hold(instrument.id);
  if (options_.size_buckets) count_flow(instrument, known);
  if (known != nullptr && known->context) context_known_[instrument.id] = *known->context;
}

void Aggregator::count_flow(const Instrument& instrument, const LastKnown* known) {
  auto buckets = options_.size_buckets(instrument);
  if (buckets == nullptr) return;
  std::span<const FlowRow> flow;
  if (known != nullptr) flow = known->flow;
  if (options_.capture != nullptr) {
    options_.capture->buckets({instrument.id, buckets->bounds(), std::vector<FlowRow>(flow.begin(), flow.end())});
  }
  ledger_.count_flow(instrument.id, std::move(buckets), flow);
}

// Of those whose rows are told. What was pushed of them before they were said to leave is in the queues at most: it is
// taken first, so that nothing of it can reach who has their numbers next.
void Aggregator::say_farewell() {
  std::vector<Leaver> leavers = std::exchange(leavers_, {});
  for (std::size_t rounds = 0; rounds < rounds_max && drain() > 0; ++rounds) {
  }
  for (Leaver& leaver : leavers) {
    const std::uint32_t id = leaver.instrument->id;
    if (!ledger_.all_told(id)) {
      leavers_.push_back(std::move(leaver));
      continue;
    }
    if (auto last = ledger_.forget(id)) {
      LastKnown known;
      known.last_id_bar = last->row.time;
      known.row = std::move(last->row);
      known.last_id = std::move(last->last_id);
      known.flow = std::move(last->flow);
      known.context = forget_context(id);
      leaver.farewell->known = std::move(known);
    }
    row_feed_.forget(*leaver.instrument);
    leaver.farewell->done.store(true, std::memory_order_release);
  }
}

}  // namespace cvdd
