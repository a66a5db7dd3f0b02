#include "cvdd/storage/packed_days.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cvdd/storage/day_file.hpp"

namespace cvdd {

std::string packed_newest_day(const std::vector<std::string>& names) {
  std::string packed, packed_day, plain_day;
  for (const std::string& name : names) {
    if (const auto file = day_file_from(name, RowTable::cvd)) {
      plain_day = std::max(plain_day, file->day);
      continue;
    }
    const bool packs = name.ends_with(".zst") || name.ends_with(".gz");
    const auto file = day_file_from(name.substr(0, name.rfind('.')), RowTable::cvd);
    if (!packs || !file || file->day <= packed_day) continue;
    packed_day = file->day;
    packed = name;
  }
  return packed_day > plain_day ? packed : std::string();
}

std::string packed_advice(const std::string& directory, const std::string& name) {
  return fmt::format(
      "{0}/{1}: the newest day is packed, and CVDs would begin at 0 again: unpack it (unzstd {0}/{1}), and leave the "
      "newest day as it is from then on",
      directory, name);
}

}  // namespace cvdd
