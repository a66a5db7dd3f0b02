// What is known of instruments that were collected once and are forgotten since: where each goes on if it is wanted
// again. As text, which is a third of the memory. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "cvdd/storage/csv_store.hpp"

namespace cvdd {

class Departed {
 public:
  // Beyond so many the one whose newest row is the oldest is dropped: it would begin anew.
  explicit Departed(std::size_t most = most_default) : most_(most) {}

  void put(const std::string& symbol, const LastKnown& known);
  // From now on it is here no more. Null: nothing is known of it.
  [[nodiscard]] std::shared_ptr<const LastKnown> take(const std::string& symbol);
  [[nodiscard]] std::size_t size() const { return known_.size(); }

  static constexpr std::size_t most_default = 65'536;  // some 30 MiB

 private:
  struct Text {
    std::string row, last_id, flow;
    std::multimap<Timestamp, std::string>::iterator age;
  };
  std::size_t most_;
  std::map<std::string, Text> known_;             // by symbol
  std::multimap<Timestamp, std::string> by_age_;  // symbols by the bar of their newest row
};

}  // namespace cvdd
