// Docs: https://docs.deribit.com/#ticker-instrument_name-interval (checked 2026-11-20). Sample of "data":
// {"timestamp":1765541474086,"index_price":92263.55,"instrument_name":"BTC-PERPETUAL","open_interest":1132329370.0,
//  "mark_price":92281.78,"best_ask_price":92284.0,"best_bid_price":92283.5,"best_ask_amount":186520.0,
//  "best_bid_amount":117660.0,"current_funding":0.0,"funding_8h":0.00001742}
// Amounts and open interest: as sizes of trades. Funding goes on all the time, at a rate for eight hours; only
// perpetuals have it. A side where nobody is has the price 0 or null.
#include "deribit_context.hpp"

#include "beside.hpp"

namespace cvdd::deribit {

namespace {

using json::Scalar;
using json::Slot;

struct Ticker {
  Scalar symbol, time, bid, bid_size, ask, ask_size, mark, index, open, rate;
};
constexpr Slot<Ticker> ticker_slots[] = {{"instrument_name", &Ticker::symbol}, {"timestamp", &Ticker::time},
                                         {"best_bid_price", &Ticker::bid},     {"best_bid_amount", &Ticker::bid_size},
                                         {"best_ask_price", &Ticker::ask},     {"best_ask_amount", &Ticker::ask_size},
                                         {"mark_price", &Ticker::mark},        {"index_price", &Ticker::index},
                                         {"open_interest", &Ticker::open},     {"current_funding", &Ticker::rate}};

Refusal take_ticker(const Ticker& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  BestPrices book{&instrument, *time, {}, {}, {}, {}};
  MarkPrice price{&instrument, *time, {}, {}};
  FundingRate funding{&instrument, *time, {}, {}};
  OpenInterest open{&instrument, *time, {}, {}};
  for (const Refusal refusal : {fields::read_side(row.bid, row.bid_size, instrument, book.bid, book.bid_size),
                                fields::read_side(row.ask, row.ask_size, instrument, book.ask, book.ask_size),
                                fields::read_price(row.mark, price.mark), fields::read_price(row.index, price.index),
                                fields::read_rate(row.rate, funding.rate),
                                row.open.present() ? fields::read_open(row.open, instrument, open) : Refusal::none}) {
    if (refusal != Refusal::none) return refusal;
  }
  out.add<BestPrices>() = book;
  if (price.mark) out.add<MarkPrice>() = price;
  if (funding.rate) out.add<FundingRate>() = funding;
  if (open.base || open.quote) out.add<OpenInterest>() = open;
  return Refusal::none;
}
}  // namespace

constinit const RowReader ticker_reader = beside_row<ticker_slots, take_ticker>;

}  // namespace cvdd::deribit
