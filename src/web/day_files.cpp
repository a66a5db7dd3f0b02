#include "day_files.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "cvdd/base/time_text.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t line_max = std::size_t{1} << 16;
}  // namespace

std::size_t part_of(const std::string& name) { return name.size() == 18 ? 0 : std::stoul("0" + name.substr(15, 9)); }

int files_between(FileSink& files, const std::string& directory, Timestamp from, Timestamp to,
                  std::vector<std::string>& out) {
  std::vector<std::string> names;
  if (const int error = files.list(directory, names); error != 0) return error;
  const std::string first = format_day(from), last = format_day(to - Duration{1});
  for (const std::string& name : names) {
    if (!name.starts_with("cvd-") || !name.ends_with(".csv") || name.size() < 18) continue;
    const std::string day = name.substr(4, 10);
    const bool whole = name.size() == 18 || name.find_first_not_of("0123456789", 15) == name.size() - 4;
    if (day >= first && day <= last && whole) out.push_back(name);
  }
  std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    return std::tuple(a.substr(0, 14), part_of(a)) < std::tuple(b.substr(0, 14), part_of(b));
  });
  return 0;
}

bool each_piece(FileSink& files, const std::string& path, std::uint64_t at, const std::function<bool()>& stop,
                int& error, const TakePiece& take) {
  std::string rest, text;
  while (true) {
    if (stop()) return false;
    error = files.read(path, at, piece, text);
    if (error == ENOENT) error = 0;
    if (error != 0) return false;
    if (text.empty()) return true;
    at += text.size();
    const bool end = text.size() < piece;
    rest += text;
    const auto newline = rest.rfind('\n');
    if (newline != rest.npos) {
      if (!take(std::string_view(rest).substr(0, newline + 1), at - rest.size())) return false;
      rest.erase(0, newline + 1);
    } else if (rest.size() > line_max) {
      rest.clear();  // no row of ours
    }
    if (end) return true;
  }
}

std::string_view field(std::string_view line, std::size_t n) {
  for (; n > 0; --n) {
    const auto comma = line.find(',');
    if (comma == line.npos) return {};
    line.remove_prefix(comma + 1);
  }
  return line.substr(0, line.find(','));
}

}  // namespace cvdd::web
