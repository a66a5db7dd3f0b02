// What OKX tells beside trades. Used by its file alone.
#pragma once

#include <string_view>

#include "channels.hpp"

namespace cvdd::okx {

// "SWAP", "FUTURES": what forced orders are asked for by, all instruments of one kind at once.
[[nodiscard]] std::string_view type_of(const Instrument& instrument);
inline constexpr std::string_view forced_orders = "liquidation-orders";

extern const RowReader ticker_reader, mark_reader, open_reader, funding_reader, forced_reader;

}  // namespace cvdd::okx
