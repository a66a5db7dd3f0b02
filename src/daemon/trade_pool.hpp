// The trades that a capture's frames and answers brought, until a note names them. Offline; one thread.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/storage/capture_notes.hpp"

namespace cvdd {

class TradePool {
 public:
  // `answered`: by history, whose trades may be named more than once. `now`: when it was received.
  void put(const Trade& trade, bool answered, Timestamp now);
  // nullptr: nobody brought it. Good until the next call of anything.
  [[nodiscard]] const Trade* find(const TradeReference& reference) const;
  // What a frame brought is named once, when it counts.
  void used(const TradeReference& reference);
  // Forgets what was not named in time: second copies, and what history had beside what was asked for.
  void forget(Timestamp now);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Key {
    std::uint64_t number = 0;  // the record's id, or the fingerprint where that is 0
    std::uint32_t instrument = 0;
    bool named = false;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& k) const {
      return (k.number + k.instrument * 0x9E3779B97F4A7C15U) * 0xD6E8FEB86659FD93U;
    }
  };
  struct Entry {
    Trade trade;
    std::uint64_t fingerprint = 0, nameless = 0;
    Timestamp until;
    bool answered = false;
  };
  struct Age {
    Timestamp until;
    Key key;
  };
  static Key key_of(const TradeReference& reference);
  static bool fits(const Entry& entry, const TradeReference& reference);
  void put(const Key& key, const Entry& entry);
  void forget(std::deque<Age>& ages, Timestamp now);

  static constexpr Duration frame_kept = seconds(120), answer_kept = seconds(3'600);
  boost::unordered_flat_map<Key, std::vector<Entry>, Hash> entries_;
  std::deque<Age> frames_, answers_;  // in order of time
};

}  // namespace cvdd
