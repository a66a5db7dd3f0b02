#include "cvdd/core/audit.hpp"

namespace cvdd {

namespace {
Decimal sum(const Decimal& a, const Decimal& b) { return add(a, b).value_or(Decimal{}); }

bool within(const Decimal& a, const Decimal& b, const Decimal& tolerance) {
  const auto difference = subtract(a, b);
  if (!difference) return false;
  return compare(difference->is_negative() ? negate(*difference) : *difference, tolerance) <= 0;
}

// `ours` as it is, or with what is beside the CVD.
bool agree(const Decimal& ours, const Decimal& beside, const Decimal& theirs, const Decimal& tolerance) {
  return within(ours, theirs, tolerance) || (!beside.is_zero() && within(sum(ours, beside), theirs, tolerance));
}

void tell(std::string& out, const char* what, const std::string& ours, const std::string& theirs) {
  if (!out.empty()) out += "; ";
  out.append(what).append(" ").append(ours).append(", exchange ").append(theirs);
}
}  // namespace

std::string audit(const Row& row, const Candle& candle, const CandleFacts& facts) {
  std::string out;
  const Decimal base = sum(row.buy_base, row.sell_base), quote = sum(row.buy_quote, row.sell_quote);
  const Decimal rounding{static_cast<Int128>(row.buys + row.sells + 1), 8};
  if (facts.base_exact && !agree(base, row.other_base, candle.base, {})) {
    tell(out, "base", to_string(base), to_string(candle.base));
  }
  if (facts.quote_exact && !agree(quote, row.other_quote, candle.quote, rounding)) {
    tell(out, "quote", to_string(quote), to_string(candle.quote));
  }
  if (!facts.takers) return out;
  if (facts.base_exact && !agree(row.buy_base, row.other_base, candle.buy_base, {})) {
    tell(out, "bought base", to_string(row.buy_base), to_string(candle.buy_base));
  }
  if (facts.quote_exact && !agree(row.buy_quote, row.other_quote, candle.buy_quote, rounding)) {
    tell(out, "bought quote", to_string(row.buy_quote), to_string(candle.buy_quote));
  }
  if (row.other_base.is_zero() && row.buys + row.sells != candle.fills) {
    tell(out, "fills", std::to_string(row.buys + row.sells), std::to_string(candle.fills));
  }
  return out;
}

}  // namespace cvdd
