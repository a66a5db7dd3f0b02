#include "cvdd/ledger/csv_row.hpp"

#include <array>

#include "csv_fields.hpp"

namespace cvdd {

namespace {
constexpr std::size_t columns = 25;
}  // namespace

std::string_view csv_header() {
  return "time,exchange,market,symbol,rev,status,open,high,low,close,buys,sells,buy_base,sell_base,buy_quote,sell_"
         "quote,"
         "delta_base,delta_quote,cvd_base,cvd_quote,other_base,other_quote,first_id,last_id,missing";
}

void append_row(std::string& out, const Row& row) {
  out += format_time(row.time);
  const FieldWriter to{out};
  to.text(row.exchange);
  to.text(name_of(row.market));
  to.text(row.symbol);
  to.number(row.rev);
  to.text(name_of(row.status));
  for (const auto* price : {&row.open, &row.high, &row.low, &row.close}) to.decimal(*price);
  to.number(row.buys);
  to.number(row.sells);
  for (const auto* sum : {&row.buy_base, &row.sell_base, &row.buy_quote, &row.sell_quote, &row.delta_base,
                          &row.delta_quote, &row.cvd_base, &row.cvd_quote, &row.other_base, &row.other_quote}) {
    to.decimal(*sum);
  }
  to.text(row.first_id);
  to.text(row.last_id);
  if (row.missing) {
    to.number(row.missing);
  } else {
    to.text("?");
  }
  out += '\n';
}

std::optional<Row> parse_row(std::string_view line) {
  std::array<std::string_view, columns> f;
  if (!split_line(line, f)) return std::nullopt;
  const auto buys = read_number(f[10]), sells = read_number(f[11]);
  Row row;
  if (!read_head({f[0], f[1], f[2], f[3]}, f[4], f[5], row) || !buys || !sells) return std::nullopt;
  row.buys = *buys;
  row.sells = *sells;
  row.first_id = f[22];
  row.last_id = f[23];
  row.missing = f[24] == "?" ? std::nullopt : read_number(f[24]);
  if (!row.missing && f[24] != "?") return std::nullopt;
  if (!read(f[6], row.open) || !read(f[7], row.high) || !read(f[8], row.low) || !read(f[9], row.close) ||
      !read(f[12], row.buy_base) || !read(f[13], row.sell_base) || !read(f[14], row.buy_quote) ||
      !read(f[15], row.sell_quote) || !read(f[16], row.delta_base) || !read(f[17], row.delta_quote) ||
      !read(f[18], row.cvd_base) || !read(f[19], row.cvd_quote) || !read(f[20], row.other_base) ||
      !read(f[21], row.other_quote)) {
    return std::nullopt;
  }
  // Only what we would have written ourselves is believed.
  std::string again;
  append_row(again, row);
  again.pop_back();
  if (again != line) return std::nullopt;
  return row;
}

}  // namespace cvdd
