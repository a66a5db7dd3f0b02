// When a demo of so many bars has seen them, and what it waits for until then. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>

#include "cvdd/base/types.hpp"

namespace cvdd {

class DemoCount {
 public:
  // `bars`: how many are to be whole; `instruments`: how many there are.
  DemoCount(std::uint64_t bars, std::size_t instruments) : bars_(bars), instruments_(instruments) {}
  void add(const Row& row);
  // A bar counts that is whole (live or repaired) for at least one instrument, and every instrument is to have a row.
  // Nobody waits for what does not come: after `patience` bars more it is over in any case.
  [[nodiscard]] bool done() const;
  // What is counted, for whoever begins to wait; a line without its end.
  [[nodiscard]] std::string rule() const;
  // What is waited for, once for each bar in which nothing has come that counts; empty: nothing is to be said.
  [[nodiscard]] std::string waits();
  // Why it was over before; empty: all that was counted has come.
  [[nodiscard]] std::string shortfall() const;
  static constexpr std::uint64_t patience = 60;

 private:
  [[nodiscard]] std::string so_far() const;
  [[nodiscard]] bool complete() const { return whole_.size() >= bars_ && with_rows_.size() >= instruments_; }
  const std::uint64_t bars_;
  const std::size_t instruments_;
  std::set<std::int64_t> begun_, whole_;  // times of bars
  std::set<std::tuple<std::string, Market, std::string>> with_rows_;
  std::size_t told_of_ = 0, come_ = 0;  // at the last look: bars that had begun, and what there was that counts
};

}  // namespace cvdd
