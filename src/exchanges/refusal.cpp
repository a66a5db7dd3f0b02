#include <array>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

namespace {
constexpr std::array<std::string_view, static_cast<std::size_t>(Refusal::count_)> refusal_names{
    "none", "not_json", "not_understood", "bad_field", "bad_number", "unknown_symbol", "wrong_market", "overflow"};
}  // namespace

std::string_view name_of(Refusal refusal) {
  auto index = static_cast<std::size_t>(refusal);
  return index < refusal_names.size() ? refusal_names[index] : "unknown";
}

}  // namespace cvdd
