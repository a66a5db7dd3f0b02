// Fields of our CSV files, written and read. Private to the rows' texts.
#pragma once

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/base/decimal.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/base/types.hpp"

namespace cvdd {

inline void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

inline std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

inline bool read(std::string_view text, Decimal& out) {
  const auto value = parse_sum(text);
  if (value) out = *value;
  return value.has_value();
}

inline bool read(std::string_view text, std::optional<Decimal>& out) {
  if (text.empty()) return true;
  out = parse_sum(text);
  return out.has_value();
}

// A line's fields; false if there are more or fewer.
template <std::size_t N>
[[nodiscard]] bool split_line(std::string_view line, std::array<std::string_view, N>& fields) {
  std::size_t n = 0, begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] != ',') continue;
    if (n == N) return false;
    fields[n++] = line.substr(begin, i - begin);
    begin = i + 1;
  }
  return n == N;
}

// Writes the fields of a line, each behind a comma; what is empty as nothing.
struct FieldWriter {
  std::string& out;
  void text(std::string_view field) const {
    out += ',';
    out += field;
  }
  void number(const std::optional<std::uint64_t>& n) const {
    out += ',';
    if (n) append_number(out, *n);
  }
  void decimal(const Decimal& d) const {
    out += ',';
    append_to(out, d);
  }
  void decimal(const std::optional<Decimal>& d) const {
    out += ',';
    if (d) append_to(out, *d);
  }
};

// What every row begins with, as its fields say it; false if they don't.
template <class R>
[[nodiscard]] bool read_head(const std::array<std::string_view, 4>& whose, std::string_view rev_text,
                             std::string_view status_text, R& row) {
  const auto time = parse_time(whose[0]);
  const auto market = market_from(whose[2]);
  const auto rev = read_number(rev_text);
  const auto status = bar_status_from(status_text);
  if (!time || whose[1].empty() || !market || whose[3].empty() || !rev || *rev > 0xFFFFFFFF || !status) return false;
  row.time = *time;
  row.exchange = whose[1];
  row.market = *market;
  row.symbol = whose[3];
  row.rev = static_cast<std::uint32_t>(*rev);
  row.status = *status;
  return true;
}

}  // namespace cvdd
