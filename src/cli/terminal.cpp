#include "terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace cvdd {

bool is_terminal(std::FILE* file) { return ::isatty(::fileno(file)) == 1; }

ScreenSize screen_size(std::FILE* file) {
  winsize size{};
  if (!is_terminal(file) || ::ioctl(::fileno(file), TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

// Up so many lines, and all from there on away.
std::string erase_lines(std::size_t lines) { return lines == 0 ? "" : fmt::format("\033[{}A\r\033[J", lines); }

void LiveTable::print(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  const auto height = static_cast<std::size_t>(std::count(table_.begin(), table_.end(), '\n'));
  fmt::print(file_, "{}{}{}", erase_lines(height), lines, table_);
  std::fflush(file_);
}

void LiveTable::draw(std::string table) {
  const std::lock_guard lock(mutex_);
  const auto height = static_cast<std::size_t>(std::count(table_.begin(), table_.end(), '\n'));
  table_ = std::move(table);
  fmt::print(file_, "{}{}", erase_lines(height), table_);
  std::fflush(file_);
}

void LiveTable::leave() {
  const std::lock_guard lock(mutex_);
  table_.clear();
}

}  // namespace cvdd
