#include "load/prepared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cvdd/base/types.hpp"

namespace cvdd::load {

std::int64_t wall_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string server_frame(std::string_view text) {
  std::string out("\x81");
  if (text.size() < 126) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(126);
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size() & 0xFF);
  }
  return out.append(text);
}

std::vector<sim::TapeInstrument> instruments() {
  std::vector<sim::TapeInstrument> out;
  for (auto& what : sim::make_instruments(symbols * 3 + 9, 60)) {
    if (what.instrument.market == Market::linear && out.size() < symbols) out.push_back(what);
  }
  return out;
}

Prepared::Prepared() {
  for (const sim::TapeInstrument& what : instruments()) {
    const std::string symbol = what.instrument.symbol;
    std::string name = symbol + "@aggTrade";
    std::transform(symbol.begin(), symbol.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    Frame& frame = frames_.emplace_back();
    // The time is in microseconds, as the exchange gives it to who asks for that: latencies are told by it.
    frame.text = server_frame(fmt::format(
        R"({{"stream":"{}","data":{{"e":"aggTrade","E":1791382992488,"a":{},"s":"{}","p":"83091.70","q":"0.022",)"
        R"("nq":"0.022","f":8153634393,"l":8153634394,"T":1791382992338000,"m":false,"st":1}}}})",
        name, frame.id, symbol));
    frame.id_at = frame.text.find("\"a\":") + 4;
    frame.time_at = frame.text.find("\"T\":") + 4;
    names.push_back(std::move(name));
  }
}

const std::string& Prepared::next(std::size_t symbol, std::int64_t us) {
  Frame& frame = frames_[symbol];
  const auto number = [&](std::uint64_t value, std::size_t at, std::size_t digits) {
    for (std::size_t k = digits; k-- > 0; value /= 10) frame.text[at + k] = static_cast<char>('0' + value % 10);
  };
  number(frame.id++, frame.id_at, 10);
  number(static_cast<std::uint64_t>(us), frame.time_at, 16);
  return frame.text;
}

}  // namespace cvdd::load
