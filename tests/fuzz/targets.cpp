#include "fuzz/targets.hpp"

#include <simdjson.h>

#include <algorithm>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/printable.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "net/frames.hpp"
#include "net/upgrade.hpp"
#include "told.hpp"
#include "web/query.hpp"
#include "web/response.hpp"
#include "web/want.hpp"

namespace cvdd::fuzz {

namespace {
void promise(bool kept) {
  if (!kept) std::abort();
}

// Everything that a walk told, so that two can be compared.
struct Heard {
  std::vector<std::string> messages;
  std::string error;
  std::size_t controls = 0;
};
Heard hear(std::string_view bytes, std::size_t step) {
  FrameWalk walk(1 << 16);
  FrameWalk::Batch batch;
  Heard out;
  std::size_t begin = 0, end = 0;
  while (out.error.empty() && (end < bytes.size() || batch.more)) {
    if (!batch.more) end = std::min(bytes.size(), end + step);
    const std::string_view seen = bytes.substr(begin, end - begin);
    walk.walk(seen, batch);
    promise(batch.consumed <= seen.size());
    for (const std::string_view message : batch.messages) out.messages.emplace_back(message);
    out.controls += batch.controls.size();
    for (const ControlFrame& control : batch.controls) {
      promise(control.payload.size() <= 125);
      if (control.kind == ControlFrame::Kind::close) return out;
    }
    if (batch.error != nullptr) out.error = batch.error;
    begin += batch.consumed;
  }
  return out;
}

const std::deque<Instrument>& instruments() {
  static const std::deque<Instrument> made = [] {
    std::deque<Instrument> out;
    for (const auto& what : sim::make_instruments_everywhere(32, 60)) {
      out.push_back(what.instrument);
      out.back().id = static_cast<std::uint32_t>(out.size() - 1);
    }
    return out;
  }();
  return made;
}

void sane(const Trade& trade) {
  promise(trade.instrument != nullptr);
  if (trade.placeholder) return;
  promise(trade.price.is_positive() && trade.base.mantissa >= 0 && trade.quote.mantissa >= 0);
  promise(trade.fills > 0);
}
}  // namespace

void frames(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Heard whole = hear(bytes, size == 0 ? 1 : size);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}}) {
    const Heard cut = hear(bytes, step);
    promise(cut.messages == whole.messages);
    promise(cut.error == whole.error);
    promise(cut.controls == whole.controls);
  }
}

void messages(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const Exchange* exchange : all_exchanges()) {
    SymbolTable symbols;
    const Instrument* any = nullptr;
    for (const Instrument& instrument : instruments()) {
      if (instrument.exchange != exchange->name || instrument.market != exchange->market) continue;
      symbols.emplace(instrument.symbol, &instrument);
      any = &instrument;
    }
    Parsed parsed;
    exchange->parse(text, symbols, parsed);
    for (const Trade& trade : parsed.trades) sane(trade);
    promise(parsed.refused_of.size() <= parsed.refused_rows &&
            (parsed.refusal == Refusal::none) == (parsed.refused_rows == 0));
    promise(parsed.refused_rows > 0 || (parsed.refused_of.empty() && !parsed.refused_of_anybody));
    // A space before it sends a message the long way, where there is a short one.
    const std::string quick = told(parsed);
    exchange->parse(" " + text, symbols, parsed);
    promise(told(parsed) == quick);
    const auto page = exchange->parse_instruments(text);
    promise(page || !page.error().empty());
    const auto time = exchange->parse_time(text);
    promise(time || !time.error().empty());
    if (any == nullptr) continue;
    if (exchange->history != nullptr) {
      const auto past = exchange->history->read(text, *any);
      promise(past || !past.error().empty());
      if (past) std::ranges::for_each(past->trades, sane);
    }
    if (exchange->candles != nullptr) {
      const auto candles = exchange->candles->read(text, *any);
      promise(candles || !candles.error().empty());
    }
  }
}

void rows(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto row = parse_row(line);
  if (!row) return;
  std::string again;
  append_row(again, *row);
  promise(again == std::string(line) + "\n");
}

namespace {
struct Upgraded {
  std::string wrong;
  unsigned status = 0;
  std::size_t taken = 0;  // where the first frame is, if it was agreed to
  bool operator==(const Upgraded&) const = default;
};
Upgraded upgraded(std::string_view bytes, std::size_t step) {
  UpgradeReader reader;
  Upgraded out;
  std::size_t end = 0;
  while (!reader.done() && end < bytes.size()) {
    end = std::min(bytes.size(), end + step);
    const std::size_t taken = reader.put(bytes.substr(out.taken, end - out.taken));
    promise(taken <= end - out.taken);
    out.taken += taken;
  }
  if (!reader.done() && reader.has_header()) reader.end();
  // A header that has not come to its end may be found bad now or with the next byte.
  if (reader.has_header()) out.wrong = reader.wrong();
  if (reader.has_header()) out.status = reader.answer().result_int();
  promise(reader.answer().body().size() <= UpgradeReader::body_max);
  std::string wrong;
  const auto refusal = read_upgrade_answer(reader.answer(), "key", wrong);
  promise(!refusal || refusal->body.size() <= 200);
  promise(!refusal || !refusal->retry_after || *refusal->retry_after <= retry_after_max);
  if (out.status != 101) out.taken = 0;
  return out;
}

bool harmless(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size()) &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }) &&
         text.find("\xC2\x9B") == text.npos;
}
}  // namespace

void upgrades(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Upgraded whole = upgraded(bytes, size == 0 ? 1 : size);
  for (const std::size_t step : {std::size_t{1}, std::size_t{13}}) promise(upgraded(bytes, step) == whole);
}

void requests(const std::uint8_t* data, std::size_t size) {
  namespace http = boost::beast::http;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(16 * 1'024);
  parser.body_limit(0);
  boost::system::error_code error;
  promise(parser.put(boost::asio::const_buffer(data, size), error) <= size);
  if (!parser.is_header_done()) return;
  const auto& request = parser.get();
  (void)web::takes_gzip(request);
  const auto text = [](boost::beast::string_view view) { return std::string_view(view.data(), view.size()); };
  (void)web::host_allowed(text(request[http::field::host]), {});
  (void)web::session_good(text(request[http::field::cookie]), "token-0123456789", Timestamp{1});
  const auto target = web::parse_target(text(request.target()));
  if (!target) return;
  promise(simdjson::validate_utf8(target->path.data(), target->path.size()));
  std::string why;
  const auto query = web::parse_bars_query(*target, Timestamp{1'763'675'700'000'000}, why);
  promise(query ? query->from < query->to && query->limit <= web::BarsQuery::limit_max : !why.empty());
  if (const auto names = target->parameters.find("instruments"); names != target->parameters.end()) {
    const auto parsed = web::parse_names(names->second, 200);
    promise(!parsed || parsed->size() <= 200);
  }
}

void wants(const std::uint8_t* data, std::size_t size) {
  std::string why;
  const auto want = web::parse_want({reinterpret_cast<const char*>(data), size}, why);
  promise(want ? want->instruments.size() <= web::Want::instruments_max : !why.empty());
}

void toml(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  KnownMarkets known;
  for (const Exchange* exchange : all_exchanges()) {
    known.markets.emplace_back(std::string(exchange->name), exchange->market);
  }
  std::vector<ConfigError> errors;
  (void)parse_config(text, "f", known, errors);
  (void)parse_symbols(text, "s", known, errors);
  for (const ConfigError& error : errors) promise(harmless(printable(to_string(error), 2'000)));
}

void words(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t max : {std::size_t{0}, std::size_t{7}, std::size_t{200}, size}) {
    const std::string out = printable(text, max);
    promise(out.size() <= max && harmless(out));
    promise(printable(out, max) == out);
  }
}

}  // namespace cvdd::fuzz
