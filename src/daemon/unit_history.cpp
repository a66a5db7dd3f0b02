#include "unit_history.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace cvdd {

namespace {
constexpr std::size_t body_max = std::size_t{1} << 20;
constexpr std::string_view doubt_word = "doubt ";  // no symbol has a space
}  // namespace

// "symbol,microseconds since 1970" a line: when its size had changed; "doubt symbol,…": since when bars are in doubt;
// without a symbol: when the list was last read.
void UnitHistory::load() {
  std::string text;
  if (files_.read(file_, 0, body_max, text) != 0) return;
  std::string_view rest = text;
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const auto comma = line.rfind(',');
    std::int64_t us = 0;
    if (comma == line.npos) continue;
    const char* const stop = line.data() + line.size();
    if (std::from_chars(line.data() + comma + 1, stop, us).ptr != stop) continue;
    if (comma == 0) {
      listed_before_at_ = {us};
    } else if (line.starts_with(doubt_word)) {
      doubts_[std::string(line.substr(doubt_word.size(), comma - doubt_word.size()))] = {us};
    } else {
      changed_[std::string(line.substr(0, comma))] = {us};
    }
  }
}

Timestamp UnitHistory::changed_by(const std::string& symbol) const {
  const auto found = changed_.find(symbol);
  return found == changed_.end() ? Timestamp{} : found->second;
}

void UnitHistory::doubt(const std::string& symbol, Timestamp from) {
  const auto [at, first] = doubts_.try_emplace(symbol, from);
  if (!first) at->second = std::min(at->second, from);
}

Timestamp UnitHistory::doubted_from(const std::string& symbol) const {
  const auto found = doubts_.find(symbol);
  return found == doubts_.end() ? Timestamp{} : found->second;
}

void UnitHistory::save() const {
  std::string text = "," + std::to_string(listed_at_.us) + "\n";
  for (const auto& [symbol, since] : changed_) text += symbol + "," + std::to_string(since.us) + "\n";
  for (const auto& [symbol, from] : doubts_) {
    text += std::string(doubt_word) + symbol + "," + std::to_string(from.us) + "\n";
  }
  if (const int failed = files_.replace(file_, text); failed != 0) {
    spdlog::warn("can't keep when contract sizes changed file={} reason=\"{}\"", file_, std::strerror(failed));
  }
}

}  // namespace cvdd
