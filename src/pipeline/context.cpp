// The aggregator's third part: what stands beside the trades.
#include "cvdd/pipeline/aggregator.hpp"

namespace cvdd {

void Aggregator::add_context(const Instrument& instrument, const ContextWanted& wanted) {
  const std::lock_guard lock(mail_mutex_);
  mail_.context.emplace_back(&instrument, wanted);
  mail_waiting_.store(true, std::memory_order_release);
}

void Aggregator::add_context_ring(std::shared_ptr<ContextRing> ring) {
  const std::lock_guard lock(mail_mutex_);
  mail_.context_rings.push_back(std::move(ring));
  mail_waiting_.store(true, std::memory_order_release);
}

void Aggregator::begin_context(const Instrument& instrument, const ContextWanted& wanted) {
  const auto known = context_known_.find(instrument.id);
  context_.begin(instrument, wanted, known == context_known_.end() ? nullptr : &known->second);
  if (known != context_known_.end()) context_known_.erase(known);
}

// The rings hold more than a bar brings, and who finds one full says so.
void Aggregator::drain_context() {
  for (std::size_t i = 0; i < context_rings_.size(); ++i) {
    for (std::size_t rounds = 0; rounds < rounds_max; ++rounds) {
      const std::span<const ContextUpdate> some = context_rings_[i]->front(ContextRing::capacity);
      if (some.empty()) break;
      read_mail();
      for (const ContextUpdate& update : some) context_.apply(update);
      context_rings_[i]->release(some.size());
    }
  }
}

void Aggregator::count_context() {
  stats_.context_rows.fetch_add(context_rows_.size(), std::memory_order_relaxed);
  stats_.context_revisions.store(context_.counters().revisions, std::memory_order_relaxed);
  stats_.context_late.store(context_.counters().late, std::memory_order_relaxed);
  context_rows_.clear();
}

// The newest row, of this run or an earlier one: what to go on with. What is in the rings of it is taken first, so that
// nothing can reach who has its number next.
std::optional<ContextRow> Aggregator::forget_context(std::uint32_t instrument) {
  drain_context();
  std::optional<ContextRow> newest = context_.forget(instrument);
  const auto known = context_known_.find(instrument);
  if (known == context_known_.end()) return newest;
  if (!newest) newest = std::move(known->second);
  context_known_.erase(known);
  return newest;
}

}  // namespace cvdd
