#include "bars.hpp"

#include <fmt/format.h>

#include "cvdd/ledger/csv_row.hpp"
#include "json.hpp"
#include "share.hpp"

namespace cvdd::web {

namespace {
std::string csv_of(const BarsFound& found) {
  std::string out(csv_header());
  out += '\n';
  for (const Row& row : found.rows) append_row(out, row);
  return out;
}

std::string json_of(const BarsFound& found, const BarsAnswer& asked) {
  Market market = found.market;
  if (!asked.query.market && found.rows.empty() && !asked.units.empty()) market = asked.units.rbegin()->first;
  const auto units = asked.units.find(market);
  std::string out = "{";
  append_name(out, asked.query.exchange, market, asked.query.symbol);
  out += R"(,"base":)";
  append_text(out, units != asked.units.end() ? units->second.first : "");
  out += R"(,"quote":)";
  append_text(out, units != asked.units.end() ? units->second.second : "");
  out += fmt::format(R"(,"interval_s":{},"columns":{},"bars":[)", asked.interval.us / 1'000'000, short_columns());
  for (const Row& row : found.rows) {
    if (out.back() != '[') out += ',';
    append_row_json(out, row, true);
  }
  out += found.next.empty() ? "],\"next\":null}\n" : fmt::format("],\"next\":\"{}\"}}\n", found.next);
  return out;
}
}  // namespace

BarsText bars_text(FileSink& files, const std::string& directory, const BarsAnswer& asked, Allowance& allowance,
                   const std::function<bool()>& stop) {
  Share share(allowance, stop);
  share.pause();
  const BarsFound found =
      read_bars(files, directory, asked.query, time_for(asked.query.csv), stop, [&] { share.pause(); });
  BarsText out;
  out.error = found.error;
  out.many_markets = found.many_markets;
  out.next = found.next;
  if (out.error.empty()) out.text = asked.query.csv ? csv_of(found) : json_of(found, asked);
  out.packed = pack(out.text, asked.packed);
  share.pause();
  return out;
}

}  // namespace cvdd::web
