#include "cvdd/base/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace cvdd {

namespace {
constexpr std::int64_t day_us = 86'400'000'000;

void append_padded(std::string& out, unsigned value, unsigned width) {
  std::array<char, 12> text{};
  for (unsigned i = width; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(text.data(), width);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
}  // namespace

std::string format_day(Timestamp t) {
  using namespace std::chrono;
  const std::int64_t days_since = (t.us - (t.us % day_us + day_us) % day_us) / day_us;
  const year_month_day date{sys_days{days{days_since}}};
  std::string out;
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  return out;
}

std::string format_time(Timestamp t) {
  std::string out = format_day(t);
  const auto second = static_cast<unsigned>((t.us % day_us + day_us) % day_us / 1'000'000);
  out += 'T';
  append_padded(out, second / 3600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  out += ':';
  append_padded(out, second % 60, 2);
  out += 'Z';
  return out;
}

std::optional<Timestamp> parse_time(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text[19] != 'Z') {
    return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t size) { return number(text.substr(at, size)); };
  const auto y = part(0, 4), mo = part(5, 2), d = part(8, 2), h = part(11, 2), mi = part(14, 2), s = part(17, 2);
  if (!y || !mo || !d || !h || !mi || !s || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;
  const year_month_day date{year{static_cast<int>(*y)}, month{static_cast<unsigned>(*mo)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t day_number = sys_days{date}.time_since_epoch().count();
  return Timestamp{((day_number * 24 + static_cast<std::int64_t>(*h)) * 60 + static_cast<std::int64_t>(*mi)) *
                       60'000'000 +
                   static_cast<std::int64_t>(*s) * 1'000'000};
}

}  // namespace cvdd
