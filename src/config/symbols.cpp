#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "cvdd/base/letters.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/config/spellings.hpp"
#include "cvdd/config/toml_reader.hpp"
#include "groups.hpp"
#include "wildcard.hpp"

namespace cvdd {

namespace {
bool fits_a_csv_field(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return (c >= 0 && c <= ' ') || c == ',' || c == '"' || c == '\'' || c == 0x7F;
  });
}

constexpr Duration history_max = seconds(86'400 * 366);

// history = "30d"
void read_history(TomlReader& reader, const toml::node& node, const std::string& exchange, const KnownMarkets& known,
                  SymbolList& list) {
  const std::string key = exchange + ".history";
  const auto text = node.value<std::string>();
  const auto length = node.is_string() ? parse_duration(*text) : std::nullopt;
  if (!length || length->us <= 0 || *length > history_max) {
    reader.error(node, key, "expected how far back a new instrument's CVD begins, such as \"30d\", 366d at most");
  } else if (std::find(known.with_candles.begin(), known.with_candles.end(), exchange) == known.with_candles.end()) {
    std::string others;
    for (const std::string& other : known.with_candles) others += (others.empty() ? "" : ", ") + other;
    reader.error(node, key,
                 "the candles of " + exchange +
                     " don't tell who took the volume; history works for: " + (others.empty() ? "none" : others));
  } else {
    list.history[exchange] = *length;
  }
}

// context = ["book", "funding"], or "all". `node`: where it stands.
struct ContextAsked {
  const toml::node* node = nullptr;
  std::string key;
  std::vector<DataKind> named;
};

void read_context(TomlReader& reader, const toml::node& node, const std::string& exchange, SymbolList& list,
                  std::map<std::string, ContextAsked>& asked) {
  const std::string key = exchange + ".context";
  constexpr const char* expected =
      R"(expected "all", or a list of: "book", "mark", "funding", "open_interest", "liquidations")";
  DataKinds& kinds = list.context[exchange];
  ContextAsked& of = asked[exchange];
  of.node = &node;
  of.key = key;
  if (node.value<std::string>() == "all") {
    for (const DataKind kind : context_kinds) kinds.add({kind});
    return;
  }
  const auto* array = node.as_array();
  if (array == nullptr) return reader.error(node, key, expected);
  for (const toml::node& one : *array) {
    const auto kind = context_kind_from(one.value<std::string>().value_or(""));
    if (!kind) {
      reader.error(one, key, expected);
      continue;
    }
    kinds.add({*kind});
    of.named.push_back(*kind);
  }
}

// A kind that none of the markets in the list has is a mistake; one that some of them lack is not.
void check_context(TomlReader& reader, const SymbolList& list, const KnownMarkets& known,
                   const std::map<std::string, ContextAsked>& asked) {
  for (const auto& [exchange, of] : asked) {
    DataKinds there;
    std::string markets;
    for (const auto& [where, names] : list.wanted) {
      if (where.first != exchange) continue;
      markets += (markets.empty() ? "" : ", ") + std::string(name_of(where.second));
      if (const auto has = known.context.find(where); has != known.context.end()) there.add(has->second);
    }
    for (const DataKind kind : of.named) {
      if (markets.empty() || there.has(kind)) continue;
      reader.error(*of.node, of.key, std::string(name_of(kind)) + " is not to be had of " + exchange + " " + markets);
    }
  }
}

// More than anybody means; each costs a search and, if it is not listed, a line in the log and in answers.
constexpr std::size_t names_max = 50'000;
}  // namespace

SymbolList parse_symbols(std::string_view text, const std::string& file, const KnownMarkets& known,
                         std::vector<ConfigError>& errors) {
  SymbolList list;
  const std::size_t errors_before = errors.size();
  TomlReader reader(text, file, errors);
  const toml::node* empty = nullptr;  // where it says that it has no name
  std::size_t names_wanted = 0;
  std::map<std::string, ContextAsked> context;
  for (const auto& [exchange, node] : reader.table()) {
    const std::string name = lower(exchange.str());
    if (name == "empty") {
      if (!node.is_boolean()) reader.error(node, name, "expected true or false");
      if (node.value<bool>() == true) empty = &node;
      continue;
    }
    if (name == "group") {
      read_groups(reader, node, known, list);
      continue;
    }
    if (!reader.known_exchange(name, known, node)) continue;
    const auto* markets = node.as_table();
    if (markets == nullptr) {
      reader.error(node, name, "expected a table of markets, such as [" + name + "] with spot = [\"BTCUSDT\"]");
      continue;
    }
    for (const auto& [market_key, names] : *markets) {
      const std::string market_name = lower(market_key.str()), key = name + "." + market_name;
      if (market_name == "history") {
        read_history(reader, names, name, known, list);
        continue;
      }
      if (market_name == "context") {
        read_context(reader, names, name, list, context);
        continue;
      }
      const auto market = reader.known_market(name, market_name, known, names);
      if (!market) continue;
      const auto* array = names.as_array();
      if (array == nullptr) {
        reader.error(names, key, "expected a list of names, such as [\"BTCUSDT\", \"ETHUSDT\"]");
        continue;
      }
      std::vector<std::string>& wanted = list.wanted[{name, *market}];
      std::vector<std::uint32_t>& lines = list.lines[{name, *market}];
      std::unordered_set<std::string> seen(wanted.begin(), wanted.end());  // of [kraken], where this is [Kraken]
      for (const auto& entry : *array) {
        const auto symbol = entry.value<std::string>();
        if (!entry.is_string() || !symbol) {
          reader.error(entry, key, "expected names in quotes, such as \"BTCUSDT\"");
        } else if (!fits_a_csv_field(*symbol)) {
          reader.error(entry, key,
                       "'" + *symbol + "' can't be a symbol: it is empty or has a space, comma or quote in it");
        } else if (seen.insert(upper(*symbol)).second) {
          wanted.push_back(upper(*symbol));
          lines.push_back(entry.source().begin.line);
          if (++names_wanted > names_max) {
            reader.error(entry, key, "more than 50,000 names");
            return list;
          }
        }
      }
    }
  }
  check_context(reader, list, known, context);
  // A disk that was full, or a shell's `>`, leaves a file without a word: that must not end everything.
  if (names_wanted > 0 && empty != nullptr)
    reader.error(*empty, "empty", "there are names; which of the two is meant?");
  if (names_wanted == 0 && empty == nullptr && errors.size() == errors_before) {
    errors.push_back({file, 0, "", "no names at all; if nothing is to be collected, write: empty = true", 0});
  }
  return list;
}

Selection select_instruments(const std::vector<std::string>& wanted, const std::vector<Instrument>& listed,
                             const Shard& shard) {
  Selection selection;
  std::unordered_map<std::string, const Instrument*> by_name;
  NearInstruments near(listed);
  for (const Instrument& instrument : listed) by_name.emplace(upper(instrument.symbol), &instrument);
  std::unordered_set<std::string_view> taken;  // a list may name one twice, or ten thousand times
  const auto take = [&](const Instrument* instrument) {
    if (owns(shard, *instrument) && taken.insert(instrument->symbol).second) selection.found.push_back(*instrument);
  };
  for (const std::string& name : wanted) {
    if (has_wildcard(name)) {
      bool any = false;
      for (const Instrument& instrument : listed) {
        if (!instrument.trading || !matches(name, upper(instrument.symbol))) continue;
        take(&instrument);
        any = true;
      }
      if (!any) selection.unknown.push_back({name, "matches nothing", {}});
      continue;
    }
    const auto found = by_name.find(upper(name));
    if (found == by_name.end()) {
      // Looking for near names costs a pass over the list, so only the first few mistakes get it.
      constexpr std::size_t suggested_max = 50;
      selection.unknown.push_back(
          {name, not_listed, selection.unknown.size() < suggested_max ? near.of(name, 3) : std::vector<std::string>{}});
    } else if (!found->second->trading) {
      selection.unknown.push_back({name, "listed, but not trading", {}});
    } else {
      take(found->second);
    }
  }
  return selection;
}

InstrumentChanges plan_changes(const Selection& selection, const std::vector<std::string>& wanted,
                               const std::vector<Instrument>& listed, const std::vector<std::string>& active) {
  InstrumentChanges changes;
  const std::unordered_set<std::string> running(active.begin(), active.end());
  std::unordered_set<std::string> selected, still_listed;
  for (const Instrument& instrument : selection.found) {
    selected.insert(instrument.symbol);
    if (!running.contains(instrument.symbol)) changes.begin.push_back(instrument);
  }
  for (const Instrument& instrument : listed) still_listed.insert(instrument.symbol);
  for (const std::string& symbol : active) {
    if (selected.contains(symbol)) continue;
    const bool halted =
        still_listed.contains(symbol) &&
        std::any_of(wanted.begin(), wanted.end(), [&](const auto& name) { return matches(name, upper(symbol)); });
    if (!halted) changes.end.push_back(symbol);
  }
  return changes;
}

}  // namespace cvdd
