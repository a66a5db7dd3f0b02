#include "groups.hpp"

#include <algorithm>

#include "cvdd/base/letters.hpp"
#include "cvdd/config/group_members.hpp"
#include "wildcard.hpp"

namespace cvdd {

namespace {
constexpr std::size_t groups_max = 100, patterns_max = 200, name_max = 60;
constexpr const char* expected_member =
    "expected exchange:market:symbol, such as \"*:spot:BTCUSDT\", or its coins, such as \"*:spot:base=BTC "
    "quote=USD,USDT\" or \"*:linear:base=BTC perpetual\"";

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= name_max &&
         std::ranges::none_of(name, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F || c == ','; });
}

// Exchange and market in lower case, the symbol in upper case; empty: it is no pattern.
std::optional<MemberPattern> pattern_of(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == text.npos ? first : text.find(':', first + 1);
  if (second == text.npos) return std::nullopt;
  MemberPattern out{lower(text.substr(0, first)), lower(text.substr(first + 1, second - first - 1)),
                    upper(text.substr(second + 1))};
  if (out.exchange.empty() || out.market.empty() || out.symbol.empty()) return std::nullopt;
  return out;
}

// Whether any known exchange and market is meant.
bool may_match(const MemberPattern& pattern, const KnownMarkets& known) {
  return std::ranges::any_of(known.markets, [&](const auto& market) {
    return matches(pattern.exchange, market.first) && matches(pattern.market, name_of(market.second));
  });
}

std::string wrong_term(const MemberPattern& pattern) {
  std::string wrong;
  if (has_terms(pattern.symbol)) (void)terms_of(pattern.symbol, wrong);
  return wrong;
}

void read_members(TomlReader& reader, const toml::array& array, const std::string& key, const KnownMarkets& known,
                  GroupWanted& group) {
  for (const auto& entry : array) {
    const auto text = entry.value<std::string>();
    const auto pattern = entry.is_string() && text ? pattern_of(*text) : std::nullopt;
    if (!pattern) {
      reader.error(entry, key, expected_member);
    } else if (const std::string wrong = wrong_term(*pattern); !wrong.empty()) {
      reader.error(
          entry, key,
          "'" + wrong + "' is none of base=COINS, quote=COINS, perpetual and dated, with commas between coins");
    } else if (!may_match(*pattern, known)) {
      reader.error(entry, key, "'" + *text + "' names no exchange and market that there are; " + expected_member);
    } else if (std::ranges::find(group.members, *pattern) == group.members.end()) {
      group.members.push_back(*pattern);
    }
  }
}
}  // namespace

void read_groups(TomlReader& reader, const toml::node& node, const KnownMarkets& known, SymbolList& list) {
  const auto* groups = node.as_table();
  if (groups == nullptr) {
    reader.error(node, "group", "expected a table, such as [group.btc] with members = [\"*:spot:BTC*\"]");
    return;
  }
  for (const auto& [name, value] : *groups) {
    const std::string key = "group." + std::string(name.str());
    const auto* table = value.as_table();
    const auto* members = table == nullptr ? nullptr : table->get_as<toml::array>("members");
    if (!good_name(name.str())) {
      reader.error(value, key, "a group's name has 1 to 60 bytes, and no comma or control character");
    } else if (members == nullptr || members->empty() || members->size() > patterns_max) {
      reader.error(value, key, std::string("expected members, a list of 1 to 200; ") + expected_member);
    } else if (list.groups.size() == groups_max) {
      reader.error(value, key, "there are 100 groups already");
      return;
    } else {
      for (const auto& [other, unknown] : *table) {
        if (other.str() != "members") reader.unknown_key(unknown, key, other.str(), {"members"});
      }
      GroupWanted group{std::string(name.str()), {}};
      read_members(reader, *members, key + ".members", known, group);
      list.groups.push_back(std::move(group));
    }
  }
}

}  // namespace cvdd
