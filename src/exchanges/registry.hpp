// What each exchange's file defines: its markets.
#pragma once

#include <span>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

#define EXCHANGE(name) [[nodiscard]] std::span<const Exchange* const> name##_markets();
#include "cvdd/exchanges/all.inc"
#undef EXCHANGE

}  // namespace cvdd
