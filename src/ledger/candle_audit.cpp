#include "cvdd/ledger/candle_audit.hpp"

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

Claim claim_of(const Row& row) {
  Claim claim;
  claim.time = row.time;
  claim.rev = row.rev;
  claim.status = row.status;
  claim.buys = row.buys;
  claim.sells = row.sells;
  claim.buy_base = row.buy_base;
  claim.sell_base = row.sell_base;
  claim.buy_quote = row.buy_quote;
  claim.sell_quote = row.sell_quote;
  claim.other_base = row.other_base;
  claim.other_quote = row.other_quote;
  claim.first_id = sequence_id(row.first_id);
  claim.last_id = sequence_id(row.last_id);
  return claim;
}

bool add(Claim& sum, const Claim& more) {
  for (Decimal Claim::*const part : {&Claim::buy_base, &Claim::sell_base, &Claim::buy_quote, &Claim::sell_quote,
                                     &Claim::other_base, &Claim::other_quote}) {
    const auto total = add(sum.*part, more.*part);
    if (!total) return false;
    sum.*part = *total;
  }
  sum.buys += more.buys;
  sum.sells += more.sells;
  if (!sum.first_id) sum.first_id = more.first_id;
  if (more.last_id) sum.last_id = more.last_id;
  return true;
}

std::string audit(const Claim& row, const Candle& candle, const CandleFacts& facts) {
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
