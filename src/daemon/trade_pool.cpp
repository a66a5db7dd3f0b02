#include "trade_pool.hpp"

#include <algorithm>

namespace cvdd {

TradePool::Key TradePool::key_of(const TradeReference& reference) {
  const bool named = reference.id == 0;
  return {named ? reference.fingerprint : reference.id, reference.instrument, named};
}

bool TradePool::fits(const Entry& entry, const TradeReference& reference) {
  if (reference.id == 0) return true;  // the key is the fingerprint
  return (entry.fingerprint & 0xFFFFU) == reference.fingerprint || (entry.nameless & 0xFFFFU) == reference.fingerprint;
}

void TradePool::put(const Trade& trade, bool answered, Timestamp now) {
  const auto record = Record::from(trade);
  if (!record) return;
  Entry entry;
  entry.trade = trade;
  const bool named = trade.instrument->ids == Ids::opaque && !trade.name.empty();
  entry.nameless = fingerprint_of(*record, {});
  entry.fingerprint = named ? fingerprint_of(*record, trade.name) : entry.nameless;
  entry.answered = answered;
  entry.until = now + (answered ? answer_kept : frame_kept);
  const std::uint32_t instrument = trade.instrument->id;
  if (record->id() != 0) return put(Key{record->id(), instrument, false}, entry);
  put(Key{entry.fingerprint, instrument, true}, entry);
  // Where only its id is told, it is told without its name.
  if (named) put(Key{entry.nameless, instrument, true}, entry);
}

void TradePool::put(const Key& key, const Entry& entry) {
  (entry.answered ? answers_ : frames_).push_back({entry.until, key});
  std::vector<Entry>& there = entries_[key];
  const auto same = std::ranges::find(there, entry.fingerprint, &Entry::fingerprint);
  if (same == there.end()) {
    there.push_back(entry);
    return;
  }
  same->until = std::max(same->until, entry.until);
  same->answered = same->answered || entry.answered;
}

const Trade* TradePool::find(const TradeReference& reference) const {
  const auto there = entries_.find(key_of(reference));
  if (there == entries_.end()) return nullptr;
  // The newest first: what an exchange says last of an id is what was taken.
  for (auto entry = there->second.rbegin(); entry != there->second.rend(); ++entry) {
    if (fits(*entry, reference)) return &entry->trade;
  }
  return nullptr;
}

void TradePool::used(const TradeReference& reference) {
  const auto there = entries_.find(key_of(reference));
  if (there == entries_.end()) return;
  std::erase_if(there->second, [&](const Entry& e) { return !e.answered && fits(e, reference); });
  if (there->second.empty()) entries_.erase(there);
}

void TradePool::forget(Timestamp now) {
  forget(frames_, now);
  forget(answers_, now);
}

void TradePool::forget(std::deque<Age>& ages, Timestamp now) {
  for (; !ages.empty() && ages.front().until < now; ages.pop_front()) {
    const auto there = entries_.find(ages.front().key);
    if (there == entries_.end()) continue;
    std::erase_if(there->second, [&](const Entry& e) { return e.until < now; });
    if (there->second.empty()) entries_.erase(there);
  }
}

}  // namespace cvdd
