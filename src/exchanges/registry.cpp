#include <array>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

extern const Exchange binance_spot, binance_linear, binance_inverse;

namespace {
// clang-format off
constexpr std::array registry{
    &binance_spot,
    &binance_linear,
    &binance_inverse,
};
// clang-format on
}  // namespace

std::span<const Exchange* const> all_exchanges() { return registry; }

const Exchange* find_exchange(std::string_view name, Market market) {
  for (const Exchange* exchange : registry) {
    if (exchange->name == name && exchange->market == market) return exchange;
  }
  return nullptr;
}

}  // namespace cvdd
