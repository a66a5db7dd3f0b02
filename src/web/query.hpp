// A request's target taken apart, and its parameters checked. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd::web {

struct Target {
  std::string path;
  std::map<std::string, std::string> parameters;
  std::string twice = {};  // the name of the first that is given again; nobody knows which of the two is meant
};
// Empty if the target is no path with parameters: not UTF-8, "%" without two hex digits, a control character, more than
// 32 parameters.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

// An instrument as it is asked for.
struct InstrumentName {
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  friend auto operator<=>(const InstrumentName&, const InstrumentName&) = default;
  // Found by its parts, without making one.
  struct Before {
    using is_transparent = void;
    using Parts = std::tuple<std::string_view, Market, std::string_view>;
    static Parts parts(const InstrumentName& n) { return {n.exchange, n.market, n.symbol}; }
    static Parts parts(const Parts& p) { return p; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return parts(a) < parts(b);
    }
  };
};

// What /api/v1/bars is asked for.
struct BarsQuery {
  std::string exchange, symbol;
  std::optional<Market> market;
  Timestamp from, to;
  // Behind "@" in `from`: where in the files of its day an earlier answer has left off.
  struct Place {
    std::size_t part = 0;  // of the day's files
    std::uint64_t offset = 0;
    auto operator<=>(const Place&) const = default;
  };
  std::optional<Place> begin = std::nullopt;
  std::size_t limit = 1'500;
  bool csv = false, as_seen = false;
  std::string group = {};                        // in place of exchange and symbol, or
  std::vector<InstrumentName> instruments = {};  // … those, summed
  [[nodiscard]] bool summed() const { return !group.empty() || !instruments.empty(); }
  static constexpr std::size_t limit_max = 20'000, picked_max = 200;
};
// Or what is wrong with it.
[[nodiscard]] std::optional<BarsQuery> parse_bars_query(const Target& target, Timestamp now, std::string& error);

// "binance:spot:BTCUSDT"; and with commas between, at most `max`.
[[nodiscard]] std::optional<InstrumentName> parse_name(std::string_view text);
[[nodiscard]] std::optional<std::vector<InstrumentName>> parse_names(std::string_view text, std::size_t max);

// What a browser keeps in place of the token, from which nobody finds the token, and until when it is good.
inline constexpr Duration session_length = seconds(30 * 86'400);
[[nodiscard]] std::string session_of(const std::string& token, Timestamp until);
[[nodiscard]] bool session_good(std::string_view given, const std::string& token, Timestamp now);

// Whether a request's Host ("name:port", "[::1]:port") is one by which this server may be reached: an address, or
// localhost, or one of `names`. Any page of the web may ask for a name of its own that leads to this machine.
[[nodiscard]] bool host_allowed(std::string_view host, std::span<const std::string> names);

// As if written out letter by letter: takes equally long wherever they differ.
[[nodiscard]] bool same_secret(std::string_view given, std::string_view secret);

}  // namespace cvdd::web
