#include "cvdd/engine/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "cvdd/ledger/csv_row.hpp"
#include "side_row.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

Fields fields_of(std::string_view line) {
  Fields fields;
  std::size_t begin = 0;
  for (std::string_view& field : fields) {
    const std::size_t comma = std::min(line.find(',', begin), line.size());
    field = line.substr(std::min(begin, line.size()), comma - std::min(begin, line.size()));
    begin = comma + 1;
  }
  return fields;
}

std::optional<StoreRow> store_row_from(std::string_view collector, std::string_view line, std::string& reason,
                                       RowKind kind) {
  if (kind != RowKind::cvd) return side_row_from(layout_of(kind), collector, line, reason);
  const auto row = parse_row(line);
  if (!row) {
    reason = "not a row as cvdd writes it";
    return std::nullopt;
  }
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 2;
  if (row->buys > most || row->sells > most || row->missing.value_or(0) > most) {
    reason = "a count that no database holds";
    return std::nullopt;
  }
  for (const std::string* name : {&row->exchange, &row->symbol, &row->first_id, &row->last_id}) {
    if (std::any_of(name->begin(), name->end(), [](unsigned char c) { return c < ' '; })) {
      reason = "a name or an id with a control character";
      return std::nullopt;
    }
  }
  return StoreRow{std::string(collector), std::string(line), *row, kind, ""};
}

std::string key_in_words(const StoreRow& row) {
  std::string out = fmt::format("{}/{}/{}/{}/{}", row.row.exchange, name_of(row.row.market), row.row.symbol,
                                format_time(row.row.time), row.row.rev);
  if (row.kind != RowKind::cvd) out += "/" + std::string(layout_of(row.kind).name);
  return row.bucket.empty() ? out : out + "/" + row.bucket;
}

int quality_of(BarStatus status) {
  switch (status) {
    case BarStatus::live:
    case BarStatus::repaired:
      return 3;
    case BarStatus::history:
      return 2;
    case BarStatus::partial:
      return 1;
    case BarStatus::gap:
      return 0;
  }
  return 0;
}

std::optional<std::string_view> stored_text(const TableColumn& column, const StoreRow& row, const Fields& fields) {
  constexpr std::array<std::string_view, 4> qualities{"0", "1", "2", "3"};
  switch (column.from) {
    case TableColumn::From::collector:
      return row.collector;
    case TableColumn::From::quality:
      return qualities[static_cast<std::size_t>(quality_of(row.row.status))];
    case TableColumn::From::field:
      break;
  }
  const std::string_view text = fields[column.field];
  // `missing` says "?" where a number is not known.
  return column.optional && (text.empty() || text == "?") ? std::nullopt : std::optional(text);
}

bool is_better(const StoreRow& a, const StoreRow& b) {
  const auto merits = [](const StoreRow& r) {
    return std::tuple(quality_of(r.row.status), r.row.buys + r.row.sells, r.row.rev);
  };
  const auto x = merits(a), y = merits(b);
  return x != y ? x > y : a.collector < b.collector;
}

std::optional<Limbs> limbs_of(const Decimal& value) {
  constexpr std::int64_t limb = 1'000'000'000;
  constexpr Int128 whole_max = Int128{limb} * limb;
  // Digit by digit from the text: the mantissa at 36 places would not fit 128 bits.
  const std::string text = to_string(value);
  const bool negative = text.front() == '-';
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  Int128 whole = 0;
  for (const char c : digits.substr(0, point)) {
    whole = whole * 10 + (c - '0');
    if (whole >= whole_max) return std::nullopt;
  }
  Limbs limbs{static_cast<std::int64_t>(whole)};
  const std::string_view fraction = point < digits.size() ? digits.substr(point + 1) : std::string_view();
  for (std::size_t i = 0; i < 36; ++i) {
    std::int64_t& at = limbs[1 + i / 9];
    at = at * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  if (negative) {
    for (std::int64_t& at : limbs) at = -at;
  }
  return limbs;
}

StoreUrl parse_store_url(const std::string& text) {
  StoreUrl url;
  url.text = url.shown = text;
  const auto scheme_is = [&](std::string_view scheme) { return text.starts_with(scheme); };
  if (scheme_is("sqlite:")) {
    url.kind = StoreUrl::Kind::sqlite;
    if (text.size() == 7) throw std::invalid_argument("no file is named, expected \"sqlite:FILE\"");
    return url;
  }
  if (scheme_is("postgres://") || scheme_is("postgresql://")) {
    url.kind = StoreUrl::Kind::postgres;
  } else if (scheme_is("clickhouse+https://") || scheme_is("clickhouse+http://")) {
    url.kind = StoreUrl::Kind::clickhouse;
  } else {
    throw std::invalid_argument(
        "not a database that is known, expected \"sqlite:FILE\", \"postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE\" "
        "or "
        "\"clickhouse+https://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE\"");
  }
  const std::size_t begin = text.find("://") + 3;
  const std::size_t at = text.substr(0, text.find('/', begin)).rfind('@');
  if (at != text.npos && at >= begin) {
    const std::size_t colon = text.find(':', begin);
    if (colon < at) {
      url.shown = text.substr(0, colon) + text.substr(at);
      const std::string password = text.substr(colon + 1, at - colon - 1);
      url.secrets = {password, percent_decoded(password)};
      std::erase(url.secrets, "");
    }
  }
  if (const std::size_t given = url.shown.find("password="); given != url.shown.npos) {
    throw std::invalid_argument("give the password as USER:PASSWORD@ or in a password file, not as a parameter");
  }
  return url;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace {
[[noreturn, maybe_unused]] void not_built(const std::string& what, const std::string& package) {
  throw StoreError(StoreError::Kind::permanent,
                   "this cvdd-engine was built without " + what + "; install " + package + " and build it again");
}
}  // namespace

std::unique_ptr<Store> make_store(const StoreUrl& url, [[maybe_unused]] const StoreOptions& options) {
  switch (url.kind) {
    case StoreUrl::Kind::sqlite:
#if CVDD_WITH_SQLITE
      return make_sqlite_store(url.text.substr(7), options);
#else
      not_built("SQLite", "libsqlite3-dev");
#endif
    case StoreUrl::Kind::postgres:
#if CVDD_WITH_POSTGRES
      return make_postgres_store(url, options);
#else
      not_built("PostgreSQL", "libpq-dev");
#endif
    case StoreUrl::Kind::clickhouse:
      return make_clickhouse_store(url, options);
  }
  return nullptr;
}

std::string stores_built() {
  std::string out = "clickhouse";
  if (CVDD_WITH_POSTGRES) out = "postgres " + out;
  if (CVDD_WITH_SQLITE) out = "sqlite " + out;
  return out;
}

}  // namespace cvdd::engine
