// A table by number of which only some stretches are in use: memory for those alone.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace cvdd {

template <class T>
class Paged {
 public:
  static constexpr std::size_t page_size = 64;

  // Whether there is memory for it: where it was reached for, and its neighbours.
  [[nodiscard]] bool has(std::size_t i) const { return i / page_size < pages_.size() && pages_[i / page_size]; }
  // There must be.
  [[nodiscard]] const T& operator[](std::size_t i) const { return (*pages_[i / page_size])[i % page_size]; }
  // As it was left, or a fresh one.
  [[nodiscard]] T& reach(std::size_t i) {
    const std::size_t page = i / page_size;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (!pages_[page]) pages_[page] = std::make_unique<Page>();
    return (*pages_[page])[i % page_size];
  }
  [[nodiscard]] std::size_t pages() const {
    std::size_t n = 0;
    for (const auto& page : pages_) n += page ? 1U : 0U;
    return n;
  }

 private:
  using Page = std::array<T, page_size>;
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace cvdd
