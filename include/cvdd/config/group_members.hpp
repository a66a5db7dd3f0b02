// Who belongs to a group of the symbol list. A member is written exchange:market:symbol, or with what the symbol stands
// for in place of it: "*:spot:base=BTC", "*:linear:base=BTC quote=USDT,USDC perpetual". Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cvdd/config/config.hpp"

namespace cvdd {

// A coin as most exchanges call it: two of them have other names for some.
[[nodiscard]] constexpr std::string_view coin_name(std::string_view coin) {
  return coin == "XBT" ? "BTC" : coin == "XDG" ? "DOGE" : coin;
}

// Whether a contract ends on a day: then its name ends with that. What has no date is perpetual.
[[nodiscard]] bool is_dated(const Instrument& instrument);

// What is written in place of a symbol, upper-cased; empty text: it is a symbol. Coins of another name, and contracts
// of a thousand coins, count as theirs.
struct MemberTerms {
  std::vector<std::string> bases, quotes;  // none: any
  bool perpetual = false, dated = false;   // neither: both
};
// Whether it is terms at all, and what they are; `wrong` says which of them is none.
[[nodiscard]] bool has_terms(std::string_view symbol);
[[nodiscard]] MemberTerms terms_of(std::string_view symbol, std::string& wrong);

// An instrument that is listed. Of one that is not its coins are not known: it belongs to a group by its name alone.
[[nodiscard]] bool matches_member(const MemberPattern& member, const Instrument& instrument);
[[nodiscard]] bool matches_member(const MemberPattern& member, std::string_view exchange, Market market,
                                  std::string_view symbol);
[[nodiscard]] bool is_member(const GroupWanted& group, const Instrument& instrument);

// As the symbol list has it.
[[nodiscard]] std::string to_string(const MemberPattern& member);

// "BTC spot: binance:spot:BTCUSDX" of each member that is a name and which the list does not want: nothing will ever
// match it. Of the others only the exchanges' lists can tell.
[[nodiscard]] std::vector<std::string> members_not_wanted(const SymbolList& list);

}  // namespace cvdd
