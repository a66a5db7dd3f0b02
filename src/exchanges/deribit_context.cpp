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

using fields::Ticker;
using json::Slot;

constexpr Slot<Ticker> ticker_slots[] = {{"instrument_name", &Ticker::symbol}, {"timestamp", &Ticker::time},
                                         {"best_bid_price", &Ticker::bid},     {"best_bid_amount", &Ticker::bid_size},
                                         {"best_ask_price", &Ticker::ask},     {"best_ask_amount", &Ticker::ask_size},
                                         {"mark_price", &Ticker::mark},        {"index_price", &Ticker::index},
                                         {"open_interest", &Ticker::open},     {"current_funding", &Ticker::rate}};
}  // namespace

constinit const RowReader ticker_reader = beside_row<ticker_slots, fields::take_ticker>;

}  // namespace cvdd::deribit
