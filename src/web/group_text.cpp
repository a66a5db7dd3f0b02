// The answer to /api/v1/bars where bars are sums.
#include <fmt/format.h>

#include "bars.hpp"
#include "cvdd/base/time_text.hpp"
#include "group_bars.hpp"
#include "json.hpp"
#include "share.hpp"

namespace cvdd::web {

namespace {
constexpr std::string_view group_columns =
    "time,rev,status,members,open,high,low,close,buys,sells,buy_base,sell_base,buy_quote,sell_quote,delta_base,"
    "delta_quote,cvd_base,cvd_quote,missing";

// The fields in their order; `text` and `number` append one each.
template <class Text, class Number>
void each_field(const GroupBar& bar, bool base, bool quote, Text text, Number number) {
  text(format_time(bar.time));
  number(std::to_string(bar.rev));
  text(std::string(name_of(bar.status)));
  number(std::to_string(bar.members));
  const auto decimal = [&](const std::optional<Decimal>& value) { text(value ? to_string(*value) : std::string()); };
  for (const auto* price : {&bar.open, &bar.high, &bar.low, &bar.close}) decimal(*price);
  number(std::to_string(bar.buys));
  number(std::to_string(bar.sells));
  const std::pair<const Sum*, bool> sums[] = {
      {&bar.buy_base, base},   {&bar.sell_base, base},    {&bar.buy_quote, quote}, {&bar.sell_quote, quote},
      {&bar.delta_base, base}, {&bar.delta_quote, quote}, {&bar.cvd_base, base},   {&bar.cvd_quote, quote}};
  for (const auto& [sum, told] : sums) decimal(told ? sum->get() : std::nullopt);
  if (bar.missing) {
    number(std::to_string(*bar.missing));
  } else {
    text("?");
  }
}

std::string group_csv(const GroupBars& found, bool base, bool quote) {
  std::string out(group_columns);
  out += '\n';
  for (const GroupBar& bar : found.bars) {
    const auto add = [&](const std::string& text) { (out += text) += ','; };
    each_field(bar, base, quote, add, add);
    out.back() = '\n';
  }
  return out;
}

std::string group_json(const GroupBars& found, const GroupAnswer& asked) {
  std::string out = asked.group.picked() ? R"({"instruments":)" : R"({"group":)";
  append_text(out, asked.group.name());
  out += R"(,"members":[)";
  for (const InstrumentName& m : asked.members) {
    if (out.back() != '[') out += ',';
    append_text(out, m.exchange + ":" + std::string(name_of(m.market)) + ":" + m.symbol);
  }
  out += R"(],"base":)";
  append_text(out, asked.base.get());
  out += R"(,"quote":)";
  append_text(out, asked.quote.get());
  out += fmt::format(R"(,"interval_s":{},"columns":[")", asked.interval.us / 1'000'000);
  for (const char c : group_columns) c == ',' ? out += R"(",")" : out += c;
  out += R"("],"bars":[)";
  for (const GroupBar& bar : found.bars) {
    out += out.back() == '[' ? "[" : ",[";
    const auto text = [&](const std::string& value) { out += value.empty() ? "null," : '"' + value + "\","; };
    each_field(bar, !asked.base.get().empty(), !asked.quote.get().empty(), text,
               [&](const std::string& number) { (out += number) += ','; });
    out.back() = ']';
  }
  out += found.next.empty() ? "],\"next\":null}\n" : fmt::format("],\"next\":\"{}\"}}\n", found.next);
  return out;
}
}  // namespace

BarsText group_bars_text(FileSink& files, const std::string& directory, const GroupAnswer& asked, Allowance& allowance,
                         const std::function<bool()>& stop) {
  Share share(allowance, stop);
  share.pause();
  const GroupBars found = read_group_bars(files, directory, asked.query, asked.members, time_for(asked.query.csv), stop,
                                          [&] { share.pause(); });
  BarsText out;
  out.error = found.error;
  out.next = found.next;
  const bool base = !asked.base.get().empty(), quote = !asked.quote.get().empty();
  if (out.error.empty()) out.text = asked.query.csv ? group_csv(found, base, quote) : group_json(found, asked);
  out.packed = pack(out.text, asked.packed);
  share.pause();
  return out;
}

}  // namespace cvdd::web
