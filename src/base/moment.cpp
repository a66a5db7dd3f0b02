#include "cvdd/base/moment.hpp"

#include <string>

#include "cvdd/base/time_text.hpp"

namespace cvdd {

std::optional<Timestamp> parse_moment(std::string_view text) {
  constexpr std::string_view day = "2026-11-20", second = "2026-11-20T20:59:00", utc = "+00:00";
  if (text.size() == day.size()) return parse_time(std::string(text) + "T00:00:00Z");
  if (text.size() == second.size() + utc.size() && text.ends_with(utc)) {
    return parse_time(std::string(text.substr(0, second.size())) + "Z");
  }
  return parse_time(text);
}

}  // namespace cvdd
