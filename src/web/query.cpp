#include "query.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "cvdd/base/decimal.hpp"
#include "cvdd/base/letters.hpp"
#include "cvdd/base/moment.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t parameters_max = 32;

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex(text[i + 1]), low = hex(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  if (!simdjson::validate_utf8(out.data(), out.size())) return std::nullopt;
  return out;
}

// A time, a date, or seconds since 1970.
std::optional<Timestamp> moment(std::string_view text) {
  // An address that nobody has escaped says a space where "+00:00" was meant.
  std::string escaped(text);
  std::ranges::replace(escaped, ' ', '+');
  if (const auto time = parse_moment(escaped)) return time;
  const auto number = parse_digits(text);
  if (!number || *number > 8'835'984'000) return std::nullopt;  // the year 2250
  return Timestamp{static_cast<std::int64_t>(*number) * 1'000'000};
}
// "0.123456": a part of a day's files, and a byte of it.
std::optional<BarsQuery::Place> place(std::string_view text) {
  const auto point = text.find('.');
  if (point == text.npos) return std::nullopt;
  const auto part = parse_digits(text.substr(0, point)), offset = parse_digits(text.substr(point + 1));
  if (!part || !offset) return std::nullopt;
  return BarsQuery::Place{static_cast<std::size_t>(*part), static_cast<std::uint64_t>(*offset)};
}
}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (target.empty() || target[0] != '/') return std::nullopt;
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  const auto path = decoded(target.substr(0, question));
  if (!path) return std::nullopt;
  Target out{*path, {}};
  std::string_view rest = question == target.npos ? std::string_view{} : target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = decoded(pair.substr(0, equals));
    const auto value = decoded(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1));
    if (!name || !value || out.parameters.size() == parameters_max) return std::nullopt;
    if (!out.parameters.emplace(*name, *value).second && out.twice.empty()) out.twice = *name;
  }
  return out;
}

std::optional<BarsQuery> parse_bars_query(const Target& target, Timestamp now, std::string& error) {
  BarsQuery q;
  q.to = now;
  std::optional<Timestamp> from;
  for (const auto& [name, value] : target.parameters) {
    const auto bad = [&](const char* expected) {
      error = name + ": expected " + expected;
      return std::nullopt;
    };
    if (name == "exchange") {
      q.exchange = value;
    } else if (name == "symbol") {
      q.symbol = value;
    } else if (name == "group") {
      if (value.empty()) return bad("the name of a group of the symbol list");
      q.group = value;
    } else if (name == "instruments") {
      auto names = parse_names(value, BarsQuery::picked_max);
      if (!names || names->empty()) return bad("up to 200 like exchange:market:symbol, with commas between them");
      q.instruments = std::move(*names);
    } else if (name == "market") {
      q.market = market_from(lower(value));
      if (!q.market) return bad("spot, linear, inverse or option");
    } else if (name == "from" || name == "to") {
      const auto at = name == "from" ? value.find('@') : value.npos;
      const auto time = moment(std::string_view(value).substr(0, at));
      if (at != value.npos) q.begin = place(std::string_view(value).substr(at + 1));
      if (!time || (at != value.npos && !q.begin))
        return bad("a time such as 2026-11-20T20:59:00Z, a date, or seconds since 1970");
      if (name == "to") q.to = *time;
      if (name == "from") from = time;
    } else if (name == "limit") {
      const auto limit = parse_digits(value);
      if (!limit || *limit < 1 || *limit > BarsQuery::limit_max) return bad("a number from 1 to 20000");
      q.limit = static_cast<std::size_t>(*limit);
    } else if (name == "format") {
      if (value != "json" && value != "csv") return bad("json or csv");
      q.csv = value == "csv";
    } else if (name == "as_seen") {
      if (value != "0" && value != "1") return bad("0 or 1");
      q.as_seen = value == "1";
    } else {
      error = name +
              ": no such parameter; expected exchange, market, symbol, group, instruments, from, to, limit, format or "
              "as_seen";
      return std::nullopt;
    }
  }
  const bool one = !q.exchange.empty() && !q.symbol.empty();
  const bool part_of_one = !q.exchange.empty() || !q.symbol.empty() || q.market;
  if (int{part_of_one} + int{!q.group.empty()} + int{!q.instruments.empty()} > 1) {
    error = "group: expected either exchange and symbol, or group, or instruments";
    return std::nullopt;
  }
  if (!one && !q.summed()) {
    error =
        "exchange and symbol are needed, such as ?exchange=NAME&market=spot&symbol=BTCUSDT; or group, or instruments";
    return std::nullopt;
  }
  q.from = from.value_or(q.to - seconds(86'400));
  if (q.from >= q.to) {
    error = target.parameters.contains("to") ? "from: expected a time before to"
                                             : "from: expected a time before now, where there is no to";
    return std::nullopt;
  }
  return q;
}

std::optional<InstrumentName> parse_name(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == text.npos ? first : text.find(':', first + 1);
  if (second == text.npos || second + 1 == text.size()) return std::nullopt;
  const auto market = market_from(lower(text.substr(first + 1, second - first - 1)));
  if (!market) return std::nullopt;
  return InstrumentName{std::string(text.substr(0, first)), *market, std::string(text.substr(second + 1))};
}

std::optional<std::vector<InstrumentName>> parse_names(std::string_view text, std::size_t max) {
  std::vector<InstrumentName> out;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    auto name = parse_name(one);
    if (!name || out.size() == max) return std::nullopt;
    out.push_back(std::move(*name));
  }
  return out;
}

std::string session_of(const std::string& token, Timestamp until) {
  const std::string signed_text = fmt::format("cvdd page session until {}", until.us / 1'000'000);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), token.data(), static_cast<int>(token.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), digest.data(), &size);
  std::string out = fmt::format("{}.", until.us / 1'000'000);
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

bool session_good(std::string_view given, const std::string& token, Timestamp now) {
  const auto until = parse_digits(given.substr(0, given.find('.')));
  if (!until || *until > 8'835'984'000) return false;
  const Timestamp end{static_cast<std::int64_t>(*until) * 1'000'000};
  return same_secret(given, session_of(token, end)) && now < end;
}

bool host_allowed(std::string_view host, std::span<const std::string> names) {
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == host.npos ? 0 : bracket);
  std::string name = lower(host.substr(0, colon));
  if (name == "localhost" || std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(name, error);
  return !error;
}

bool same_secret(std::string_view given, std::string_view secret) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> a{}, b{};
  SHA256(reinterpret_cast<const unsigned char*>(given.data()), given.size(), a.data());
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), b.data());
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace cvdd::web
