// What is shown on a terminal: its size, and a table at its end that is drawn anew while lines go by above it.
#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

#include "status_table.hpp"

namespace cvdd {

[[nodiscard]] bool is_terminal(std::FILE* file);
// No limits if it is no terminal, or does not tell.
[[nodiscard]] ScreenSize screen_size(std::FILE* file);

// Pure: the text that takes a table of so many lines away, so that what comes next takes its place.
[[nodiscard]] std::string erase_lines(std::size_t lines);

// Any thread.
class LiveTable {
 public:
  explicit LiveTable(std::FILE* file) : file_(file) {}
  // Whole lines, above the table.
  void print(std::string_view lines);
  // In the old one's place; its lines must not be wider than the terminal.
  void draw(std::string table);
  // What is printed from now on stands below it.
  void leave();

 private:
  std::FILE* const file_;
  std::mutex mutex_;
  std::string table_;
};

}  // namespace cvdd
