#include "cvdd/config/group_members.hpp"

#include <algorithm>

#include "cvdd/config/spellings.hpp"
#include "wildcard.hpp"

namespace cvdd {

namespace {
// Calls `f` with each piece of `text` between separators; with none for an empty text.
template <class F>
void each_piece(std::string_view text, char separator, F f) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// False: it has no coin, or something that is none.
bool read_coins(std::string_view text, std::vector<std::string>& coins) {
  bool good = !text.empty();
  each_piece(text, ',', [&](std::string_view coin) {
    good = good && !has_wildcard(coin) && coin.find('=') == coin.npos;
    coins.emplace_back(coin);
  });
  return good && !coins.empty();
}

// A coin without its multiplier is the coin: a contract of 1000PEPE is one of PEPE.
bool among(const std::vector<std::string>& wanted, std::string_view coin) {
  if (wanted.empty()) return true;
  const std::string plain = plain_name(coin);
  return std::ranges::any_of(
      wanted, [&](const std::string& w) { return coin_name(w) == coin_name(upper(coin)) || plain_name(w) == plain; });
}

bool matches_place(const MemberPattern& member, std::string_view exchange, Market market) {
  return matches(member.exchange, exchange) && matches(member.market, name_of(market));
}

bool is_wanted(const MemberPattern& member, const SymbolList& list) {
  return std::ranges::any_of(list.wanted, [&](const auto& market) {
    const auto& [where, names] = market;
    return matches_place(member, where.first, where.second) &&
           std::ranges::any_of(names, [&](const std::string& name) { return matches(name, member.symbol); });
  });
}
}  // namespace

bool is_dated(const Instrument& instrument) {
  const std::string_view symbol = instrument.symbol;
  if (instrument.market == Market::spot || symbol.empty()) return false;
  if (instrument.market == Market::option) return true;
  const bool coin = !instrument.quote.empty() && symbol.ends_with(instrument.quote);  // "USD1" is no date
  return !coin && symbol.back() >= '0' && symbol.back() <= '9';
}

bool has_terms(std::string_view symbol) {
  return symbol.find_first_of("= ") != symbol.npos || symbol == "PERPETUAL" || symbol == "DATED";
}

MemberTerms terms_of(std::string_view symbol, std::string& wrong) {
  MemberTerms out;
  each_piece(symbol, ' ', [&](std::string_view term) {
    constexpr std::string_view base = "BASE=", quote = "QUOTE=";
    const bool good = term.starts_with(base)    ? read_coins(term.substr(base.size()), out.bases)
                      : term.starts_with(quote) ? read_coins(term.substr(quote.size()), out.quotes)
                      : term == "PERPETUAL"     ? (out.perpetual = true)
                      : term == "DATED"         ? (out.dated = true)
                                                : false;
    if (!good && wrong.empty()) wrong = term;
  });
  return out;
}

bool matches_member(const MemberPattern& member, std::string_view exchange, Market market, std::string_view symbol) {
  return matches_place(member, exchange, market) && !has_terms(member.symbol) && matches(member.symbol, upper(symbol));
}

bool matches_member(const MemberPattern& member, const Instrument& instrument) {
  if (!has_terms(member.symbol)) {
    return matches_member(member, instrument.exchange, instrument.market, instrument.symbol);
  }
  if (!matches_place(member, instrument.exchange, instrument.market)) return false;
  std::string wrong;
  const MemberTerms terms = terms_of(member.symbol, wrong);
  if (terms.perpetual != terms.dated) {
    const bool contract = instrument.market != Market::spot;
    if (!contract || is_dated(instrument) != terms.dated) return false;
  }
  return among(terms.bases, instrument.base) && among(terms.quotes, instrument.quote);
}

bool is_member(const GroupWanted& group, const Instrument& instrument) {
  return std::ranges::any_of(group.members, [&](const MemberPattern& m) { return matches_member(m, instrument); });
}

bool is_member(const GroupWanted& group, std::string_view exchange, Market market, std::string_view symbol) {
  return std::ranges::any_of(group.members,
                             [&](const MemberPattern& m) { return matches_member(m, exchange, market, symbol); });
}

std::string to_string(const MemberPattern& member) {
  std::string symbol = member.symbol;
  if (has_terms(symbol)) {  // the words as the documentation writes them, the coins as exchanges do
    for (const std::string_view word : {"BASE=", "QUOTE=", "PERPETUAL", "DATED"}) {
      for (auto at = symbol.find(word); at != symbol.npos; at = symbol.find(word, at + 1)) {
        if (at > 0 && symbol[at - 1] != ' ') continue;
        for (std::size_t i = at; i < at + word.size(); ++i) {
          if (symbol[i] != '=') symbol[i] = static_cast<char>(symbol[i] - 'A' + 'a');
        }
      }
    }
  }
  return member.exchange + ":" + member.market + ":" + symbol;
}

std::vector<std::string> members_not_wanted(const SymbolList& list) {
  std::vector<std::string> out;
  for (const GroupWanted& group : list.groups) {
    for (const MemberPattern& member : group.members) {
      if (has_wildcard(member.symbol) || has_terms(member.symbol) || is_wanted(member, list)) continue;
      out.push_back(group.name + ": " + to_string(member));
    }
  }
  return out;
}

}  // namespace cvdd
