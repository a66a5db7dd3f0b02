#include "context_values.hpp"

#include <algorithm>

namespace cvdd::context {

namespace {
// As sizes of trades are converted: half-even, to so many places.
constexpr unsigned base_decimals = 12;

std::uint64_t age_ms(Timestamp time, Timestamp end) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, (end - time).us / 1'000));
}

std::optional<Decimal> plain(const std::optional<Decimal>& value) {
  return value ? std::optional(normalized(*value)) : std::nullopt;
}
}  // namespace

void put(ContextRow& row, const BestPrices& book, Timestamp end) {
  row.bid = plain(book.bid);
  row.bid_size = plain(book.bid_size);
  row.ask = plain(book.ask);
  row.ask_size = plain(book.ask_size);
  row.book_age_ms = age_ms(book.time, end);
}

void put(ContextRow& row, const MarkPrice& price, Timestamp end) {
  row.mark = plain(price.mark);
  row.index = plain(price.index);
  row.mark_age_ms = age_ms(price.time, end);
}

void put(ContextRow& row, const FundingRate& rate) {
  row.funding_rate = plain(rate.rate);
  row.funding_time = rate.applies;
}

void put(ContextRow& row, const OpenInterest& open, const std::optional<Decimal>& mark, Timestamp end) {
  std::optional<Decimal> base = open.base, quote = open.quote;
  if (base && !quote && mark) quote = multiply(*base, *mark);
  if (quote && !base && mark && mark->is_positive()) base = divide_half_even(*quote, *mark, base_decimals);
  row.open_interest_base = plain(base);
  row.open_interest_quote = plain(quote);
  row.open_interest_age_ms = age_ms(open.time, end);
}

}  // namespace cvdd::context
