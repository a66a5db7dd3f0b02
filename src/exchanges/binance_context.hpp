// What Binance tells beside trades. Used by its file alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd::binance {

// Spot: best prices. Futures: these, mark price and funding, forced orders, and open interest by REST.
inline constexpr std::string_view spot_book = "ticker", futures_book = "depth5@500ms", mark_price = "markPrice",
                                  forced_orders = "forceOrder";

// Reads a frame of one of these streams: "btcusdt@markPrice" is called `stream`. `out` tells what was refused.
void read_context(std::string_view stream, std::string_view message, const SymbolTable& symbols, Parsed& out);
// Whether a stream of this name is one of them.
[[nodiscard]] bool is_context(std::string_view stream);
// The REST answer about open contracts; see Poll.
[[nodiscard]] std::string read_open_interest(std::string_view body, const Instrument& instrument, Parsed& out);

}  // namespace cvdd::binance
