#include "cvdd/ledger/context_row.hpp"

#include "csv_fields.hpp"
#include "cvdd/base/time_text.hpp"

namespace cvdd {

namespace {
constexpr std::size_t columns = 26;

bool read(std::string_view text, std::optional<std::uint64_t>& out) {
  if (text.empty()) return true;
  out = read_number(text);
  return out.has_value();
}

bool has_context_status(const ContextRow& row) {
  return row.status == BarStatus::live || row.status == BarStatus::partial || row.status == BarStatus::gap;
}

bool read_values(const std::array<std::string_view, columns>& f, ContextRow& row) {
  const bool good = cvdd::read(f[6], row.bid) && cvdd::read(f[7], row.bid_size) && cvdd::read(f[8], row.ask) &&
                    cvdd::read(f[9], row.ask_size) && read(f[10], row.book_age_ms) && cvdd::read(f[11], row.mark) &&
                    cvdd::read(f[12], row.index) && read(f[13], row.mark_age_ms) &&
                    cvdd::read(f[14], row.funding_rate) && cvdd::read(f[16], row.open_interest_base) &&
                    cvdd::read(f[17], row.open_interest_quote) && read(f[18], row.open_interest_age_ms);
  if (!f[15].empty()) row.funding_time = parse_time(f[15]);
  return good && row.funding_time.has_value() == !f[15].empty();
}

bool read_liquidations(const std::array<std::string_view, columns>& f, ContextRow& row) {
  const auto told = liquidations_told_from(f[25]);
  if (!told) return false;
  row.told = *told;
  if (f[19].empty()) return true;
  const auto buys = read_number(f[19]), sells = read_number(f[20]);
  if (!buys || !sells) return false;
  LiquidationSums sums{*buys, *sells, {}, {}, {}, {}};
  const bool good = cvdd::read(f[21], sums.buy_base) && cvdd::read(f[22], sums.sell_base) &&
                    cvdd::read(f[23], sums.buy_quote) && cvdd::read(f[24], sums.sell_quote);
  row.liquidations = sums;
  return good;
}
}  // namespace

std::string_view context_header() {
  return "time,exchange,market,symbol,rev,status,bid,bid_size,ask,ask_size,book_age_ms,mark,index,mark_age_ms,"
         "funding_rate,funding_time,open_interest_base,open_interest_quote,open_interest_age_ms,liq_buys,liq_sells,"
         "liq_buy_base,liq_sell_base,liq_buy_quote,liq_sell_quote,liq_kind";
}

void append_context_row(std::string& out, const ContextRow& row) {
  const FieldWriter to{out};
  out += format_time(row.time);
  to.text(row.exchange);
  to.text(name_of(row.market));
  to.text(row.symbol);
  to.number(row.rev);
  to.text(name_of(row.status));
  for (const auto* d : {&row.bid, &row.bid_size, &row.ask, &row.ask_size}) to.decimal(*d);
  to.number(row.book_age_ms);
  to.decimal(row.mark);
  to.decimal(row.index);
  to.number(row.mark_age_ms);
  to.decimal(row.funding_rate);
  to.text(row.funding_time ? format_time(*row.funding_time) : "");
  to.decimal(row.open_interest_base);
  to.decimal(row.open_interest_quote);
  to.number(row.open_interest_age_ms);
  if (row.liquidations) {
    const LiquidationSums& l = *row.liquidations;
    to.number(l.buys);
    to.number(l.sells);
    for (const Decimal* d : {&l.buy_base, &l.sell_base, &l.buy_quote, &l.sell_quote}) to.decimal(*d);
  } else {
    out += ",,,,,,";
  }
  to.text(name_of(row.told));
  out += '\n';
}

std::optional<ContextRow> parse_context_row(std::string_view line) {
  std::array<std::string_view, columns> f;
  if (!split_line(line, f)) return std::nullopt;
  ContextRow row;
  if (!read_head({f[0], f[1], f[2], f[3]}, f[4], f[5], row) || !has_context_status(row)) return std::nullopt;
  if (!read_values(f, row) || !read_liquidations(f, row)) return std::nullopt;
  // Only what we would have written ourselves is believed.
  std::string again;
  append_context_row(again, row);
  again.pop_back();
  return again == line ? std::optional(std::move(row)) : std::nullopt;
}

}  // namespace cvdd
