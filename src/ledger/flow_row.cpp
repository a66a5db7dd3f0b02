#include "cvdd/ledger/flow_row.hpp"

#include "csv_fields.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd {

namespace {
constexpr std::size_t columns = 21;
}  // namespace

FlowRow flow_row_of(const Row& row, const std::string& bucket) {
  FlowRow out;
  out.time = row.time;
  out.exchange = row.exchange;
  out.market = row.market;
  out.symbol = row.symbol;
  out.bucket = bucket;
  out.rev = row.rev;
  out.status = row.status;
  return out;
}

std::string_view flow_header() {
  return "time,exchange,market,symbol,bucket,rev,status,buys,sells,buy_base,sell_base,buy_quote,sell_quote,"
         "delta_base,delta_quote,cvd_base,cvd_quote,delta_min_base,delta_max_base,largest_buy_quote,largest_sell_quote";
}

void append_flow_row(std::string& out, const FlowRow& row) {
  out += format_time(row.time);
  const auto text = [&](std::string_view field) {
    out += ',';
    out += field;
  };
  const auto number = [&](std::uint64_t n) {
    out += ',';
    append_number(out, n);
  };
  text(row.exchange);
  text(name_of(row.market));
  text(row.symbol);
  text(row.bucket);
  number(row.rev);
  text(name_of(row.status));
  number(row.sums.buys);
  number(row.sums.sells);
  for (const Decimal* d : {&row.sums.buy_base, &row.sums.sell_base, &row.sums.buy_quote, &row.sums.sell_quote,
                           &row.delta_base, &row.delta_quote, &row.cvd_base, &row.cvd_quote}) {
    out += ',';
    append_to(out, *d);
  }
  for (const auto* d : {&row.delta_min_base, &row.delta_max_base, &row.largest_buy_quote, &row.largest_sell_quote}) {
    out += ',';
    if (*d) append_to(out, **d);
  }
  out += '\n';
}

std::optional<FlowRow> parse_flow_row(std::string_view line) {
  std::array<std::string_view, columns> f;
  if (!split_line(line, f)) return std::nullopt;
  const auto time = parse_time(f[0]);
  const auto market = market_from(f[2]);
  const auto rev = read_number(f[5]), buys = read_number(f[7]), sells = read_number(f[8]);
  const auto status = bar_status_from(f[6]);
  if (!time || !market || !rev || *rev > 0xFFFFFFFF || !status || !buys || !sells || f[1].empty() || f[3].empty() ||
      f[4].empty()) {
    return std::nullopt;
  }
  FlowRow row;
  row.time = *time;
  row.exchange = f[1];
  row.market = *market;
  row.symbol = f[3];
  row.bucket = f[4];
  row.rev = static_cast<std::uint32_t>(*rev);
  row.status = *status;
  row.sums.buys = *buys;
  row.sums.sells = *sells;
  std::size_t at = 9;
  for (Decimal* d : {&row.sums.buy_base, &row.sums.sell_base, &row.sums.buy_quote, &row.sums.sell_quote,
                     &row.delta_base, &row.delta_quote, &row.cvd_base, &row.cvd_quote}) {
    if (!read(f[at++], *d)) return std::nullopt;
  }
  for (auto* d : {&row.delta_min_base, &row.delta_max_base, &row.largest_buy_quote, &row.largest_sell_quote}) {
    if (!read(f[at++], *d)) return std::nullopt;
  }
  // Only what we would have written ourselves is believed.
  std::string again;
  append_flow_row(again, row);
  again.pop_back();
  return again == line ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace cvdd
