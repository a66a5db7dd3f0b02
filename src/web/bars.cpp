#include "bars.hpp"

#include <fmt/format.h>

#include <thread>

#include "beside.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "group_bars.hpp"
#include "json.hpp"
#include "response.hpp"
#include "shared.hpp"

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

namespace {
// The allowance of all readers, as a pause between two pieces of a file.
class Share {
 public:
  Share(Allowance& allowance, const std::function<bool()>& stop) : allowance_(allowance), stop_(stop) { step_back(); }
  void pause() {
    const auto now = thread_time();
    allowance_.spend(now - used_);
    used_ = now;
    for (auto more = allowance_.wait(); more.count() > 0 && !stop_(); more = allowance_.wait()) {
      std::this_thread::sleep_for(std::min(more, std::chrono::microseconds(50'000)));
    }
  }

 private:
  Allowance& allowance_;
  const std::function<bool()>& stop_;
  std::chrono::microseconds used_ = thread_time();
};

// Who wants a file waits for it; a page asks again from where it was told to.
std::chrono::seconds time_for(const BarsQuery& query) { return std::chrono::seconds(query.csv ? 20 : 3); }

void pack(BarsText& out, bool wanted) {
  out.packed = wanted && out.text.size() >= SharedAnswers::worth_packing;
  if (out.packed) out.text = gzip(out.text);
}

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

BarsText bars_text(FileSink& files, const std::string& directory, const BarsAnswer& asked, Allowance& allowance,
                   const std::function<bool()>& stop) {
  Share share(allowance, stop);
  share.pause();
  const BarsFound found = read_bars(files, directory, asked.query, time_for(asked.query), stop, [&] { share.pause(); });
  BarsText out;
  out.error = found.error;
  out.many_markets = found.many_markets;
  out.next = found.next;
  if (out.error.empty()) out.text = asked.query.csv ? csv_of(found) : json_of(found, asked);
  pack(out, asked.packed);
  share.pause();
  return out;
}

BarsText group_bars_text(FileSink& files, const std::string& directory, const GroupAnswer& asked, Allowance& allowance,
                         const std::function<bool()>& stop) {
  Share share(allowance, stop);
  share.pause();
  const GroupBars found = read_group_bars(files, directory, asked.query, asked.members, time_for(asked.query), stop,
                                          [&] { share.pause(); });
  BarsText out;
  out.error = found.error;
  out.next = found.next;
  const bool base = !asked.base.get().empty(), quote = !asked.quote.get().empty();
  if (out.error.empty()) out.text = asked.query.csv ? group_csv(found, base, quote) : group_json(found, asked);
  pack(out, asked.packed);
  share.pause();
  return out;
}

}  // namespace cvdd::web
