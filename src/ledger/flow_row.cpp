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
  const FieldWriter to{out};
  to.text(row.exchange);
  to.text(name_of(row.market));
  to.text(row.symbol);
  to.text(row.bucket);
  to.number(row.rev);
  to.text(name_of(row.status));
  to.number(row.sums.buys);
  to.number(row.sums.sells);
  for (const Decimal* d : {&row.sums.buy_base, &row.sums.sell_base, &row.sums.buy_quote, &row.sums.sell_quote,
                           &row.delta_base, &row.delta_quote, &row.cvd_base, &row.cvd_quote}) {
    to.decimal(*d);
  }
  for (const auto* d : {&row.delta_min_base, &row.delta_max_base, &row.largest_buy_quote, &row.largest_sell_quote}) {
    to.decimal(*d);
  }
  out += '\n';
}

std::optional<FlowRow> parse_flow_row(std::string_view line) {
  std::array<std::string_view, columns> f;
  if (!split_line(line, f)) return std::nullopt;
  const auto buys = read_number(f[7]), sells = read_number(f[8]);
  FlowRow row;
  if (!read_head({f[0], f[1], f[2], f[3]}, f[5], f[6], row) || !buys || !sells || f[4].empty()) return std::nullopt;
  row.bucket = f[4];
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
