#include "json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cvdd/base/printable.hpp"
#include "cvdd/ledger/csv_row.hpp"

namespace cvdd::web {

namespace {
// How many bytes the UTF-8 character at the beginning has; 0: it is none.
std::size_t character(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (size == 0 || first > 0xF4 || s.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : size;
}

void append_bar(std::string& out, const OpenBar& bar) {
  out += R"({"time":")" + format_time(bar.time) + '"';
  const auto price = [&](const char* name, const std::optional<Decimal>& value) {
    out += fmt::format(R"(,"{}":)", name);
    append_decimal(out, value);
  };
  price("open", bar.open);
  price("high", bar.high);
  price("low", bar.low);
  price("close", bar.close);
  out += fmt::format(R"(,"buys":{},"sells":{})", bar.buys, bar.sells);
  price("buy_base", bar.buy_base);
  price("sell_base", bar.sell_base);
  price("buy_quote", bar.buy_quote);
  price("sell_quote", bar.sell_quote);
  price("delta_base", bar.delta_base);
  price("delta_quote", bar.delta_quote);
  price("cvd_base", bar.cvd_base);
  price("cvd_quote", bar.cvd_quote);
  out += '}';
}
}  // namespace

void append_text(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character(text);
    const char c = text[0];
    if (size == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (size == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (size == 2 && c == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(text[1])));
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  out += '"';
}

void append_moment(std::string& out, Timestamp t) {
  if (t.us == 0) {
    out += "null";
    return;
  }
  const std::string second = format_time(t);
  out += fmt::format("\"{}.{:03}Z\"", std::string_view(second).substr(0, 19),
                     (t.us % 1'000'000 + 1'000'000) % 1'000'000 / 1'000);
}

void append_decimal(std::string& out, const std::optional<Decimal>& value) {
  if (!value) {
    out += "null";
    return;
  }
  out += '"';
  append_to(out, *value);
  out += '"';
}

void append_name(std::string& out, std::string_view exchange, Market market, std::string_view symbol) {
  out += R"("exchange":)";
  append_text(out, exchange);
  out += fmt::format(R"(,"market":"{}","symbol":)", name_of(market));
  append_text(out, symbol);
}

std::string_view short_columns() {
  return R"(["time","rev","status","open","high","low","close","buys","sells","buy_base","sell_base","buy_quote",)"
         R"("sell_quote","delta_base","delta_quote","cvd_base","cvd_quote","other_base","other_quote","first_id",)"
         R"("last_id","missing"])";
}

void append_row_json(std::string& out, const Row& row, bool short_form) {
  out += "[\"" + format_time(row.time) + '"';
  if (!short_form) {
    out += ',';
    append_text(out, row.exchange);
    out += fmt::format(",\"{}\",", name_of(row.market));
    append_text(out, row.symbol);
  }
  out += fmt::format(",{},\"{}\"", row.rev, name_of(row.status));
  for (const auto* price : {&row.open, &row.high, &row.low, &row.close}) {
    out += ',';
    append_decimal(out, *price);
  }
  fmt::format_to(std::back_inserter(out), ",{},{}", row.buys, row.sells);
  for (const auto* sum : {&row.buy_base, &row.sell_base, &row.buy_quote, &row.sell_quote, &row.delta_base,
                          &row.delta_quote, &row.cvd_base, &row.cvd_quote, &row.other_base, &row.other_quote}) {
    out += ',';
    append_decimal(out, *sum);
  }
  for (const auto* id : {&row.first_id, &row.last_id}) {
    out += ',';
    append_text(out, *id);
  }
  out += row.missing ? fmt::format(",{}]", *row.missing) : std::string(",\"?\"]");
}

std::optional<Spark> spark_from(std::string_view text) {
  if (text == "base") return Spark::base;
  if (text == "quote") return Spark::quote;
  return text == "0" ? std::optional(Spark::none) : std::nullopt;
}

namespace {
// Where an instrument stands: price, proof and the open bar.
void append_now(std::string& out, const InstrumentState& state, const OpenBar* open) {
  out += R"(,"price":)";
  append_decimal(out, open != nullptr ? open->close : std::nullopt);
  out += R"(,"last_trade":)";
  append_moment(out, open != nullptr ? open->last_trade : Timestamp{});
  out += R"(,"proven_until":)";
  append_moment(out, state.proven_until.value_or(Timestamp{}));
  if (!state.unproven.empty()) out += fmt::format(R"(,"unproven":"{}")", state.unproven);
  out += R"(,"bar":)";
  if (open != nullptr) {
    append_bar(out, *open);
  } else {
    out += "null";
  }
}
}  // namespace

void append_instrument(std::string& out, const InstrumentState& state, Timestamp since, const OpenBar* open,
                       const Board::Track* track, Timestamp now, Duration interval, Spark spark) {
  const Instrument* const instrument = state.instrument;
  out += '{';
  append_name(out, state.exchange, state.market, state.symbol);
  out += R"(,"base":)";
  append_text(out, instrument != nullptr ? instrument->base : "");
  out += R"(,"quote":)";
  append_text(out, instrument != nullptr ? instrument->quote : "");
  out += fmt::format(R"(,"state":"{}","since":)", name_of(state.state));
  append_moment(out, since);
  out += R"(,"reason":)";
  append_text(out, printable(state.reason, reason_max));
  append_now(out, state, open);
  out += R"(,"written":)";
  if (track != nullptr && track->newest) {
    out += fmt::format(R"({{"time":"{}","status":"{}"}})", format_time(track->newest->time),
                       name_of(track->newest->status));
  } else {
    out += "null";
  }
  Board::Change hour, day;
  if (open != nullptr && track != nullptr) {
    // The newest point that is old enough may be one of the ring's distances older, or a bar.
    hour =
        Board::change(*track, now, seconds(3'600), std::max(seconds(600), interval), open->cvd_base, open->cvd_quote);
    day = Board::change(*track, now, seconds(86'400), std::max(seconds(7'200), interval), open->cvd_base,
                        open->cvd_quote);
  }
  const auto change = [&](const char* name, const std::optional<Decimal>& value) {
    out += name;
    append_decimal(out, value);
  };
  change(R"(,"change":{"base_1h":)", hour.base);
  change(R"(,"base_24h":)", day.base);
  change(R"(,"quote_1h":)", hour.quote);
  change(R"(,"quote_24h":)", day.quote);
  out += '}';
  if (spark != Spark::none) {
    out += R"(,"spark":[)";
    for (std::size_t i = 0; track != nullptr && i < track->bars.count(); ++i) {
      if (i > 0) out += ',';
      append_decimal(out, spark == Spark::quote ? track->bars.at(i).quote : track->bars.at(i).base);
    }
    out += ']';
  }
  out += '}';
}

void append_open(std::string& out, const InstrumentState& state, Timestamp since, const OpenBar* open) {
  out += '{';
  append_name(out, state.exchange, state.market, state.symbol);
  out += fmt::format(R"(,"state":"{}","since":)", name_of(state.state));
  append_moment(out, since);
  if (!state.reason.empty()) {
    out += R"(,"reason":)";
    append_text(out, printable(state.reason, reason_max));
  }
  append_now(out, state, open);
  out += '}';
}

}  // namespace cvdd::web
