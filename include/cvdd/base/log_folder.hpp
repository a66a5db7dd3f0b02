// Folds log lines that say the same again and again. Pure: time comes in; no logger here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd {

class LogFolder {
 public:
  explicit LogFolder(Duration window = seconds(300)) : window_(window) {}

  // Whether this line is to be printed: the first of its kind is, those that follow within the window are counted.
  // Lines are of one kind if they differ only in plain numbers (`missing=7`).
  [[nodiscard]] bool print(std::string_view line, Timestamp now);
  // One line for each kind that was folded and whose window is over: "… 312 times in 5 minutes: LINE".
  [[nodiscard]] std::vector<std::string> summaries(Timestamp now);

  // More kinds than this are not told apart from new ones: they are printed.
  static constexpr std::size_t kinds_max = 1'000;

 private:
  struct Kind {
    Timestamp since;
    std::uint64_t folded = 0;
    std::string last;  // the newest of them
  };
  Duration window_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

// The line without the numbers in `key=123`.
[[nodiscard]] std::string kind_of(std::string_view line);

// The line with every one of `secrets` replaced by "***".
[[nodiscard]] std::string without(std::string_view line, const std::vector<std::string>& secrets);

}  // namespace cvdd
