// `cvdd symbols`: what exchanges list.
#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/config/spellings.hpp"
#include "cvdd/system/logging.hpp"
#include "exchange_lists.hpp"
#include "load_config.hpp"

namespace cvdd {

namespace {
constexpr std::size_t word_max = 200;

std::vector<std::string> exchange_names() {
  std::vector<std::string> names;
  for (const Exchange* exchange : all_exchanges()) {
    if (names.empty() || names.back() != exchange->name) names.emplace_back(exchange->name);
  }
  return names;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}
}  // namespace

std::optional<SymbolsQuery> parse_symbols_words(const std::vector<std::string>& words, std::string& error) {
  SymbolsQuery query;
  const std::vector<std::string> names = exchange_names();
  std::size_t at = 0;
  if (!words.empty()) {
    const std::string first = lower(words[0]);
    if (std::ranges::find(names, first) != names.end()) {
      query.exchange = first;
      ++at;
    } else if (const auto near = near_matches(first, names, 1);
               words.size() > 1 || (!near.empty() && first.size() > 3)) {
      error = fmt::format("no exchange {}{}", printable(words[0], word_max),
                          near.empty() ? fmt::format("; there are: {}", fmt::join(names, ", "))
                                       : fmt::format("; did you mean {}?", near.front()));
      return std::nullopt;
    }
  }
  if (at < words.size() && !query.exchange.empty()) {
    query.markets = markets_called(words[at]);
    if (!query.markets.empty()) ++at;
  }
  if (at < words.size()) query.pattern = words[at++];
  if (at < words.size()) {
    error = fmt::format(
        "what is {} for? Expected [EXCHANGE [MARKET]] [PATTERN], with MARKET spot, linear, inverse or option",
        printable(words[at], word_max));
    return std::nullopt;
  }
  return query;
}

std::string symbols_table(const std::vector<const Instrument*>& found) {
  std::string out = fmt::format("{:<10} {:<8} {:<26} {:<12} {:<8} {:>14}  {}\n", "exchange", "market", "symbol", "base",
                                "quote", "contract size", "status");
  for (const Instrument* i : found) {
    out += fmt::format("{:<10} {:<8} {:<26} {:<12} {:<8} {:>14}  {}\n", i->exchange, name_of(i->market),
                       printable(i->symbol, word_max), printable(i->base, word_max), printable(i->quote, word_max),
                       to_string(i->contract_size), i->trading ? "trading" : "not trading");
  }
  return out;
}

std::string symbols_csv(const std::vector<const Instrument*>& found) {
  const auto field = [](const std::string& text) {
    std::string out = printable(text, word_max);
    if (out.find_first_of(",\"") == std::string::npos) return out;
    for (std::size_t at = 0; (at = out.find('"', at)) != std::string::npos; at += 2) out.insert(at, 1, '"');
    return "\"" + out + "\"";
  };
  std::string out = "exchange,market,symbol,base,quote,contract_size,status\n";
  for (const Instrument* i : found) {
    out += fmt::format("{},{},{},{},{},{},{}\n", i->exchange, name_of(i->market), field(i->symbol), field(i->base),
                       field(i->quote), to_string(i->contract_size), i->trading ? "trading" : "not trading");
  }
  return out;
}

int symbols_command(const SymbolsCommand& command) {
  std::string error;
  const auto query = parse_symbols_words(command.words, error);
  if (!query) {
    print_error("cvdd symbols: " + error);
    return 2;
  }
  const auto help = config_that_helps(command.config);
  if (!help) return 2;
  std::vector<MarketList> lists;
  for (const Exchange* exchange : all_exchanges()) {
    if (!query->exchange.empty() && exchange->name != query->exchange) continue;
    if (!query->markets.empty() && std::ranges::find(query->markets, exchange->market) == query->markets.end())
      continue;
    lists.push_back({exchange, {"*"}, {}, {}});
  }
  if (lists.empty()) {
    print_error(fmt::format("cvdd symbols: {} has no such market", query->exchange));
    return 2;
  }
  try {
    fetch_lists(help->config, lists);
  } catch (const std::runtime_error& failed) {
    print_error(std::string("cvdd symbols: ") + failed.what());
    return 2;
  }
  int status = 0;
  std::vector<const Instrument*> found;
  for (const MarketList& list : lists) {
    if (!list.error.empty()) {
      print_error(
          fmt::format("{} {}: can't be asked: {}", list.exchange->name, name_of(list.exchange->market), list.error));
      status = 1;
    }
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const Instrument& i : list.instruments) {
      if (query->pattern.empty() || name_matches(query->pattern, i.symbol)) found.push_back(&i);
    }
    std::ranges::sort(found.begin() + first, found.end(), {}, &Instrument::symbol);
  }
  if (!found.empty()) {
    fmt::print("{}", command.csv ? symbols_csv(found) : symbols_table(found));
    return status;
  }
  if (query->pattern.empty()) return 1;  // what is wrong was told
  std::string near;
  for (const MarketList& list : lists) {
    for (const std::string& symbol : NearInstruments(list.instruments).of(query->pattern, 3)) {
      near += fmt::format("{} {} {} {}", near.empty() ? "; near:" : ",", list.exchange->name,
                          name_of(list.exchange->market), symbol);
    }
  }
  if (command.csv) fmt::print("{}", symbols_csv({}));
  print_error(fmt::format("cvdd symbols: nothing matches {}{}", printable(query->pattern, word_max), near));
  return 1;
}

}  // namespace cvdd
