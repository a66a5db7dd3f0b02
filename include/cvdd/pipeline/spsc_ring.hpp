// A bounded lock-free queue: exactly one thread pushes, exactly one takes. Each end has a cache line of its
// own, with what it last saw of the other end: they meet there only when a queue seems full or empty, or might begin
// again. Who takes works on the records where they lie. A queue that was emptied begins at its front again: everyday
// load uses the same few cache lines all day, and the memory behind them is not touched until a burst comes.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "cvdd/base/types.hpp"

namespace cvdd {

template <class T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity)
      : capacity_(capacity),
        size_(std::bit_ceil(capacity)),
        records_(static_cast<T*>(::operator new (size_ * sizeof(T), std::align_val_t{line}))) {}

  // Pushes what fits, in order, and returns how many that were.
  std::size_t push(std::span<const T> records) {
    std::size_t at = write_.load(std::memory_order_relaxed);
    if ((at & (size_ - 1)) >= front_size && !records.empty() && waiting() == 0) {
      at = read_seen_ = (at | (size_ - 1)) + 1;
      begin_.store(at, std::memory_order_relaxed);  // seen with what is pushed now
    }
    if (at + records.size() - read_seen_ > capacity_) look();
    const std::size_t n = std::min(records.size(), capacity_ - (at - read_seen_));
    const std::size_t begin = at & (size_ - 1), whole = std::min(n, size_ - begin);
    std::copy_n(records.begin(), whole, records_.get() + begin);
    std::copy_n(records.begin() + static_cast<std::ptrdiff_t>(whole), n - whole, records_.get());
    write_.store(at + n, std::memory_order_release);
    return n;
  }
  // Who pushes: records that were not taken yet.
  [[nodiscard]] std::size_t waiting() {
    look();
    return write_.load(std::memory_order_relaxed) - read_seen_;
  }

  // Who takes: the oldest records, up to `most` of them; good until they are released.
  [[nodiscard]] std::span<const T> front(std::size_t most) {
    std::size_t at = read_.load(std::memory_order_relaxed);
    if (at == write_seen_) {
      write_seen_ = write_.load(std::memory_order_acquire);
      // Of a push that is not seen yet, it is not meant.
      const std::size_t begin = begin_.load(std::memory_order_relaxed);
      if (begin > at && begin <= write_seen_) read_.store(at = begin, std::memory_order_release);
    }
    const std::size_t begin = at & (size_ - 1);
    return {records_.get() + begin, std::min({most, write_seen_ - at, size_ - begin})};
  }
  void release(std::size_t n) { read_.store(read_.load(std::memory_order_relaxed) + n, std::memory_order_release); }
  [[nodiscard]] bool empty() const {
    return read_.load(std::memory_order_relaxed) == write_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t line = 64;
  static constexpr std::size_t front_size = 64;  // a page
  // Each record in a cache line of its own. Not a matter of the type itself: coroutines keep records in frames that
  // know of no such alignment. Nothing is written before it is pushed.
  struct Free {
    void operator()(T* records) const { ::operator delete (records, std::align_val_t{line}); }
  };
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  void look() { read_seen_ = std::max(read_.load(std::memory_order_acquire), begin_.load(std::memory_order_relaxed)); }

  const std::size_t capacity_, size_;
  const std::unique_ptr<T, Free> records_;
  // Places are counted on and on; a record's is the rest modulo size_.
  alignas(line) std::atomic<std::size_t> write_{0};
  std::atomic<std::size_t> begin_{0};  // the newest place at which an emptied queue began again
  std::size_t read_seen_ = 0;
  alignas(line) std::atomic<std::size_t> read_{0};
  std::size_t write_seen_ = 0;
};

using RecordRing = SpscRing<Record>;

}  // namespace cvdd
