#include "cvdd/config/spellings.hpp"

#include <algorithm>
#include <array>

#include "cvdd/config/config.hpp"
#include "wildcard.hpp"

namespace cvdd {

namespace {
constexpr std::string_view separators = "/-_.: ";
constexpr std::array<std::string_view, 7> perpetual_marks{"PERP", "PERPETUAL", "SWAP", "P", "UMCBL", "DMCBL", "CMCBL"};
constexpr std::array<std::string_view, 3> dollars{"USD", "USDT", "USDC"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "BTC/USDT:USDT-261225" → "BTC/USDT-261225"; "VENUE:BTCUSDT" → "BTCUSDT".
std::string without_settling(std::string name) {
  const auto colon = name.find(':');
  if (colon == std::string::npos) return name;
  if (name.find('/') == std::string::npos) return name.substr(colon + 1);
  const auto end = std::min(name.find('-', colon), name.size());
  return name.erase(colon, end - colon);
}

// Small coins are traded by the thousand under names of their own: "1000PEPE", "SHIB1000", "1MBABYDOGE". A strike price
// follows a digit or stands alone.
std::string without_multiplier(const std::string& given) {
  std::string name = given;
  if (name.starts_with("1M") && name.size() > 6) return name.substr(2);
  for (std::size_t at = name.find("1000"); at != std::string::npos; at = name.find("1000", at + 1)) {
    const std::size_t end = std::min(name.find_first_not_of('0', at + 1), name.size());
    const bool begins = at == 0 || !is_digit(name[at - 1]), ends = end < name.size() && !is_digit(name[end]);
    if (begins && ends && name.size() - (end - at) > 3) return name.erase(at, end - at);
  }
  return name;
}

// `perpetual`: whether a mark of one was taken off.
std::string plain_of(std::string_view name, bool& perpetual) {
  const std::string text = without_settling(upper(name));
  std::string out;
  perpetual = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    const std::string_view part = std::string_view(text).substr(at, end - at);
    if (!out.empty() && std::ranges::find(perpetual_marks, part) != perpetual_marks.end()) {
      perpetual = true;
    } else {
      out += part;
    }
    at = end + 1;
  }
  if (out.size() > 7 && out.ends_with("PERP")) {
    out.resize(out.size() - 4);
    perpetual = true;
  }
  if (out.starts_with("XBT")) out = "BTC" + out.substr(3);
  return without_multiplier(out);
}

bool has_digit(std::string_view text) { return std::ranges::any_of(text, is_digit); }
}  // namespace

std::string plain_name(std::string_view name) {
  bool perpetual = false;
  return plain_of(name, perpetual);
}

void NearInstruments::prepare() {
  if (!names_.empty()) return;
  for (const Instrument& instrument : listed_) {
    names_.push_back(upper(instrument.symbol));
    plain_.push_back(plain_name(instrument.symbol));
    pairs_.push_back(has_digit(plain_.back()) ? "" : plain_name(instrument.base + instrument.quote));
  }
}

std::vector<std::string> NearInstruments::of(std::string_view name, std::size_t most) {
  prepare();
  bool perpetual = false;
  const std::string plain = plain_of(name, perpetual), written = upper(name);
  std::vector<std::string> same{plain};
  if (perpetual) {
    for (const std::string_view dollar : dollars) same.push_back(plain + std::string(dollar));
  }
  std::vector<std::size_t> found;
  const auto add = [&](std::size_t i) {
    if (listed_[i].trading && found.size() < most && std::ranges::find(found, i) == found.end()) found.push_back(i);
  };
  for (const std::string& meant : same) {
    for (std::size_t i = 0; i < names_.size() && found.size() < most && !meant.empty(); ++i) {
      if (plain_[i] == meant || pairs_[i] == meant) add(i);
    }
  }
  for (const auto& [text, among] : {std::pair(&written, &names_), {&plain, &plain_}}) {
    if (!found.empty()) break;
    for (const std::string& near : near_matches(*text, *among, most)) {
      add(static_cast<std::size_t>(std::ranges::find(*among, near) - among->begin()));
    }
  }
  std::vector<std::string> out;
  for (const std::size_t i : found) out.push_back(listed_[i].symbol);
  return out;
}

std::vector<Market> markets_called(std::string_view word) {
  std::string plain;
  for (const char c : upper(word)) {
    if (separators.find(c) == std::string_view::npos) plain += c;
  }
  const std::string_view whole = plain,
                         singular = whole.substr(0, whole.ends_with('S') ? whole.size() - 1 : whole.size());
  const auto is = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view w) { return whole == w || singular == w; });
  };
  for (const Market market : {Market::spot, Market::linear, Market::inverse, Market::option}) {
    const std::string own = upper(name_of(market));
    if (is({own})) return {market};
  }
  if (is({"PERP", "PERPETUAL", "SWAP", "FUTURE", "DERIVATIVE", "CONTRACT"})) return {Market::linear, Market::inverse};
  if (is({"USDM", "USDTM", "USDCM", "UM", "USDT", "USDC", "UMFUTURE"})) return {Market::linear};
  if (is({"COINM", "CM", "COIN", "CMFUTURE"})) return {Market::inverse};
  if (is({"OPT"})) return {Market::option};
  if (is({"CASH", "MARGIN"})) return {Market::spot};
  return {};
}

bool name_matches(std::string_view pattern, std::string_view name) {
  const std::string wanted = upper(pattern), there = upper(name);
  return has_wildcard(wanted) ? matches(wanted, there) : there.find(wanted) != std::string::npos;
}

}  // namespace cvdd
