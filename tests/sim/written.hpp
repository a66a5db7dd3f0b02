// The files of a simulated run, which remember of each row when it was written, and by which life of the process.
#pragma once

#include <string>
#include <vector>

#include "sim/row_reader.hpp"
#include "sim/virtual_clock.hpp"
#include "support/memory_files.hpp"

namespace cvdd::simtest {

struct Written {
  ReadRow row;
  Timestamp at;            // the exchanges' time
  std::uint32_t life = 0;  // of the process, counted from 1
  bool again = false;      // to a day's second file, after a failure: it may have been in the first
};

class WatchedFiles final : public MemoryFiles {
 public:
  explicit WatchedFiles(const VirtualClock& clock) : clock_(clock) {}
  int append(const std::string& path, std::string_view text) override;
  void begin_life() { ++life_; }
  [[nodiscard]] std::uint32_t life() const { return life_; }
  // In the order they were written.
  [[nodiscard]] const std::vector<Written>& rows() const { return rows_; }
  // Lines that are none.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  const VirtualClock& clock_;
  std::uint32_t life_ = 0;
  std::vector<Written> rows_;
  std::vector<std::string> complaints_;
};

}  // namespace cvdd::simtest
