#include "fuzz/targets.hpp"

#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/core/csv.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "net/frames.hpp"
#include "told.hpp"

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
    std::string error;
    InstrumentPage page;
    if (!exchange->parse_instruments(text, page, error)) promise(!error.empty());
    Timestamp time;
    (void)exchange->parse_time(text, time);
    if (any == nullptr) continue;
    HistoryPage past;
    error.clear();
    if (exchange->parse_history != nullptr && !exchange->parse_history(text, *any, past, error)) {
      promise(!error.empty() && past.rows() == 0);
    }
    for (const Trade& trade : past.trades) sane(trade);
    std::vector<Candle> candles;
    error.clear();
    if (exchange->parse_candles != nullptr && !exchange->parse_candles(text, *any, candles, error)) {
      promise(!error.empty() && candles.empty());
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

}  // namespace cvdd::fuzz
