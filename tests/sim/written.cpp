#include "sim/written.hpp"

namespace cvdd::simtest {

int WatchedFiles::append(const std::string& path, std::string_view text) {
  const int error = MemoryFiles::append(path, text);
  const auto name = path.find("/cvd-");
  if (error != 0 || name == path.npos) return error;
  const std::string_view day = std::string_view(path).substr(name + 5, 10);
  const bool again = std::string_view(path).substr(name + 15) != ".csv";
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line == header_of_contract()) continue;
    std::string why;
    auto row = read_row(line, why);
    if (row && !line.starts_with(day)) why = "it is of another day";
    if (end == text.npos) why = "it has no end";
    if (row && why.empty()) {
      rows_.push_back({std::move(*row), clock_.true_time(), life_, again});
    } else {
      complaints_.push_back(path + ": not a row, " + why + ": " + std::string(line));
    }
  }
  return 0;
}

}  // namespace cvdd::simtest
