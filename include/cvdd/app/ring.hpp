// A bounded lock-free queue of records: exactly one thread pushes, exactly one takes. Each end has a cache line of its
// own, with what it last saw of the other end: they meet there only when a queue seems full or empty. Who takes works
// on the records where they lie.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <new>
#include <span>
#include <vector>

#include "cvdd/core/types.hpp"

namespace cvdd {

// Each record in a cache line of its own. Not a matter of the type itself: coroutines keep records in frames that know
// of no such alignment.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t line{64};
  LineAllocator() = default;
  template <class U>
  LineAllocator(const LineAllocator<U>&) {}  // NOLINT: as allocators are
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
  void deallocate(T* p, std::size_t n) { ::operator delete(p, n * sizeof(T), line); }
  friend bool operator==(const LineAllocator&, const LineAllocator&) { return true; }
};

class RecordRing {
 public:
  explicit RecordRing(std::size_t capacity) : capacity_(capacity), records_(std::bit_ceil(capacity)) {}

  // Pushes what fits, in order, and returns how many that were.
  std::size_t push(std::span<const Record> records) {
    const std::size_t at = write_.load(std::memory_order_relaxed);
    if (at + records.size() - read_seen_ > capacity_) read_seen_ = read_.load(std::memory_order_acquire);
    const std::size_t n = std::min(records.size(), capacity_ - (at - read_seen_));
    const std::size_t begin = at & (records_.size() - 1), whole = std::min(n, records_.size() - begin);
    std::copy_n(records.begin(), whole, records_.begin() + static_cast<std::ptrdiff_t>(begin));
    std::copy_n(records.begin() + static_cast<std::ptrdiff_t>(whole), n - whole, records_.begin());
    write_.store(at + n, std::memory_order_release);
    return n;
  }
  // Who pushes: records that were not taken yet.
  [[nodiscard]] std::size_t waiting() {
    read_seen_ = read_.load(std::memory_order_acquire);
    return write_.load(std::memory_order_relaxed) - read_seen_;
  }

  // Who takes: the oldest records, up to `most` of them; good until they are released.
  [[nodiscard]] std::span<const Record> front(std::size_t most) {
    const std::size_t at = read_.load(std::memory_order_relaxed);
    if (at == write_seen_) write_seen_ = write_.load(std::memory_order_acquire);
    const std::size_t begin = at & (records_.size() - 1);
    return {records_.data() + begin, std::min({most, write_seen_ - at, records_.size() - begin})};
  }
  void release(std::size_t n) { read_.store(read_.load(std::memory_order_relaxed) + n, std::memory_order_release); }
  [[nodiscard]] bool empty() const {
    return read_.load(std::memory_order_relaxed) == write_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t line = 64;
  const std::size_t capacity_;
  std::vector<Record, LineAllocator<Record>> records_;
  alignas(line) std::atomic<std::size_t> write_{0};
  std::size_t read_seen_ = 0;
  alignas(line) std::atomic<std::size_t> read_{0};
  std::size_t write_seen_ = 0;
};

}  // namespace cvdd
