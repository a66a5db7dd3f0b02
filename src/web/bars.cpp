#include "bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "beside.hpp"
#include "cvdd/base/letters.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/config/spellings.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "json.hpp"
#include "share.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t word_max = 100;

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

bool same(std::string_view a, std::string_view b) { return a.size() == b.size() && lower(a) == lower(b); }

// "BTCUSDT in market spot": one name may be several instruments.
std::vector<std::string> near_with_markets(const std::vector<Instrument>& there, const std::string& symbol) {
  std::vector<std::string> out;
  constexpr std::size_t most = 3;
  for (const std::string& name : NearInstruments(there).of(symbol, most)) {
    for (const Instrument& i : there) {
      std::string one = fmt::format("{} in market {}", i.symbol, name_of(i.market));
      const bool told = std::find(out.begin(), out.end(), one) != out.end();
      if (i.symbol == name && !told && out.size() < most) out.push_back(std::move(one));
    }
  }
  return out;
}

// Who asks for what nobody collects may have meant another name, market or exchange.
std::string unknown_instrument(const BarsAnswer& asked) {
  const BarsQuery& q = asked.query;
  std::string out = fmt::format("{} {} is not collected, and the files have no bar of it in that time",
                                printable(q.exchange, word_max), printable(q.symbol, word_max));
  std::vector<std::string> exchanges;
  std::vector<Instrument> there;
  for (const Instrument& i : asked.collected) {
    if (std::find(exchanges.begin(), exchanges.end(), i.exchange) == exchanges.end()) exchanges.push_back(i.exchange);
    if (i.exchange == q.exchange && (!q.market || i.market == *q.market)) there.push_back(i);
  }
  if (std::find(exchanges.begin(), exchanges.end(), q.exchange) == exchanges.end()) {
    return out + fmt::format("; exchanges: {}", fmt::join(exchanges, ", "));
  }
  // The same name in another market is nearer than another name.
  std::vector<std::string> near;
  for (const Instrument& i : asked.collected) {
    if (i.exchange == q.exchange && same(i.symbol, q.symbol)) {
      near.push_back(fmt::format("{} in market {}", i.symbol, name_of(i.market)));
    }
  }
  if (near.empty()) near = near_with_markets(there, q.symbol);
  for (std::string& name : near) name = printable(name, word_max);
  return near.empty() ? out : out + fmt::format("; near: {}", fmt::join(near, ", "));
}
}  // namespace

void complete_names(BarsAnswer& asked, std::span<const InstrumentState> states) {
  BarsQuery& q = asked.query;
  q.exchange = lower(q.exchange);
  const auto find = [&](bool exactly) {
    for (const InstrumentState& s : states) {
      if (s.exchange != q.exchange || (q.market && *q.market != s.market)) continue;
      if (!exactly && asked.units.empty() && same(s.symbol, q.symbol)) q.symbol = s.symbol;
      if (s.symbol != q.symbol) continue;
      asked.units[s.market] = s.instrument == nullptr ? std::pair<std::string, std::string>{}
                                                      : std::pair{s.instrument->base, s.instrument->quote};
    }
  };
  // Names that differ in case alone are told apart by whoever writes them as they are.
  find(true);
  if (asked.units.empty()) find(false);
  if (!asked.units.empty()) return;
  if (lower(q.symbol) == q.symbol) {  // exchanges' names are capitals: of one that was collected once
    for (char& c : q.symbol) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  for (const InstrumentState& s : states) {
    Instrument& one = asked.collected.emplace_back();
    one.exchange = s.exchange;
    one.market = s.market;
    one.symbol = s.symbol;
    if (s.instrument == nullptr) continue;
    one.base = s.instrument->base;
    one.quote = s.instrument->quote;
  }
}

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
  if (out.error.empty() && found.rows.empty() && found.next.empty() && asked.units.empty()) {
    out.unknown = true;
    out.error = unknown_instrument(asked);
  }
  if (out.error.empty()) out.text = asked.query.csv ? csv_of(found) : json_of(found, asked);
  out.packed = pack(out.text, asked.packed);
  share.pause();
  return out;
}

}  // namespace cvdd::web
