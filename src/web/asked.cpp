#include "asked.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "cvdd/base/letters.hpp"
#include "cvdd/base/printable.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t word_max = 100, near_max = 3, told_max = 10;

// "a, b, …": at most told_max.
std::string some_of(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names.first(std::min(names.size(), told_max))) {
    out += (out.empty() ? "" : ", ") + printable(name, word_max);
  }
  return names.size() > told_max ? out + ", …" : out;
}

InstrumentName lowered(const InstrumentName& name) { return {lower(name.exchange), name.market, lower(name.symbol)}; }
}  // namespace

std::size_t place_of(std::string_view name, std::span<const std::string> names) {
  const auto place = [&](auto found) {
    return found == names.end() ? nobody : static_cast<std::size_t>(found - names.begin());
  };
  const std::size_t exactly = place(std::ranges::find(names, name));
  return exactly != nobody ? exactly : place(std::ranges::find(names, lower(name), lower));
}

std::string no_such_group(std::string_view name, std::span<const std::string> names) {
  std::string out = "group: the symbol list has none of this name";
  std::vector<std::string> in_lower, near;
  for (const std::string& one : names) in_lower.push_back(lower(one));
  for (const std::string& one : near_matches(lower(name), in_lower, near_max)) {
    near.push_back(names[place_of(one, names)]);
  }
  if (!near.empty()) return out + "; did you mean: " + some_of(near);
  return names.empty() ? out + ", and no group at all" : out + "; there are: " + some_of(names);
}

std::vector<std::string> spell_as_collected(std::vector<InstrumentName>& names,
                                            std::span<const InstrumentState> states) {
  // Names that differ in case alone are told apart by whoever writes them as they are.
  std::set<InstrumentName, InstrumentName::Before> there;
  const std::set<InstrumentName, InstrumentName::Before> wanted(names.begin(), names.end());
  for (const InstrumentState& s : states) {
    const auto found = wanted.find(InstrumentName::Before::Parts(s.exchange, s.market, s.symbol));
    if (found != wanted.end()) there.insert(*found);
  }
  std::map<InstrumentName, std::optional<InstrumentName>> others;  // in lower case, and as it is collected
  for (const InstrumentName& name : wanted) {
    if (!there.contains(name)) others.try_emplace(lowered(name));
  }
  if (others.empty()) return {};
  for (const InstrumentState& s : states) {
    const auto other = others.find(lowered({s.exchange, s.market, s.symbol}));
    if (other != others.end() && !other->second) other->second = {s.exchange, s.market, s.symbol};
  }
  std::vector<std::string> missing;
  for (InstrumentName& name : names) {
    if (there.contains(name)) continue;
    if (const auto& found = others.at(lowered(name))) {
      name = *found;
    } else {
      missing.push_back(fmt::format("{}:{}:{}", name.exchange, name_of(name.market), name.symbol));
    }
  }
  return missing;
}

std::string not_collected(std::span<const std::string> names) {
  return fmt::format("instruments: not collected here: {}", some_of(names));
}

}  // namespace cvdd::web
