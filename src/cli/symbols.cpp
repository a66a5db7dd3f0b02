// `cvdd symbols`: what exchanges list.
#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "cvdd/base/letters.hpp"
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

// Of all markets, one after the other: what fits on a line or two.
std::string near_names(const std::vector<ExchangeList>& lists, const std::string& pattern) {
  constexpr std::size_t each = 3, most = 6;
  std::string near;
  std::size_t n = 0;
  for (std::size_t rank = 0; rank < each; ++rank) {  // the nearest of each market before the second of any
    for (const ExchangeList& list : lists) {
      const auto names = NearInstruments(list.instruments).of(pattern, each);
      if (rank >= names.size() || n++ >= most) continue;
      near += fmt::format("{} {} {} {}", near.empty() ? "; near:" : ",", list.exchange->name,
                          name_of(list.exchange->market), names[rank]);
    }
  }
  return near;
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
               markets_called(words[0]).empty() && (words.size() > 1 || (!near.empty() && first.size() > 3))) {
      error = fmt::format("no exchange {}; {}there are: {}", printable(words[0], word_max),
                          near.empty() ? std::string() : fmt::format("did you mean {}? ", near.front()),
                          fmt::join(names, ", "));
      return std::nullopt;
    }
  }
  // A market without an exchange is that of all of them; a single word (USDT) is a part of a name.
  if (at < words.size() && (!query.exchange.empty() || words.size() > 1)) {
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
  std::size_t exchange = 10;
  for (const Instrument* i : found) exchange = std::max(exchange, i->exchange.size());
  std::string out = fmt::format("{:<{}} {:<8} {:<26} {:<12} {:<8} {:>14}  {}\n", "exchange", exchange, "market",
                                "symbol", "base", "quote", "contract size", "status");
  for (const Instrument* i : found) {
    out += fmt::format("{:<{}} {:<8} {:<26} {:<12} {:<8} {:>14}  {}\n", i->exchange, exchange, name_of(i->market),
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
  std::vector<ExchangeList> lists;
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
  const std::vector<std::string> troubles = troubles_of(lists);
  for (const std::string& trouble : troubles) print_error(trouble);
  std::vector<const Instrument*> found;
  for (const ExchangeList& list : lists) {
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const Instrument& i : list.instruments) {
      if (query->pattern.empty() || name_matches(query->pattern, i.symbol)) found.push_back(&i);
    }
    std::ranges::sort(found.begin() + first, found.end(), {}, &Instrument::symbol);
  }
  if (!found.empty()) {
    fmt::print("{}", command.csv ? symbols_csv(found) : symbols_table(found));
    return troubles.empty() ? 0 : 1;
  }
  if (command.csv) fmt::print("{}", symbols_csv({}));
  // Of whom nobody could be asked nothing is known.
  const bool any_answer = std::ranges::any_of(lists, [](const ExchangeList& list) { return list.error.empty(); });
  if (query->pattern.empty() || !any_answer) return 1;
  print_error(fmt::format("cvdd symbols: nothing matches {}{}{}", printable(query->pattern, word_max),
                          troubles.empty() ? "" : " where it could be asked", near_names(lists, query->pattern)));
  return 1;
}

}  // namespace cvdd
