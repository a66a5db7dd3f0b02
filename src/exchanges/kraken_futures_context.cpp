// Docs: https://docs.kraken.com/api/docs/futures-api/websocket/ticker (checked 2026-11-27). Sample:
// {"time":1783587648112,"product_id":"PF_ETHUSD","funding_rate":0.032725177043125,"relative_funding_rate":
//  0.0000186711875,"next_funding_rate_time":1783591200000,"feed":"ticker","bid":1751.6,"ask":1751.7,"bid_size":1.459,
//  "ask_size":2.886,"index":1751.75,"openInterest":24085.822,"markPrice":1751.97553924942}
// Sizes and open interest: as sizes of trades. Funding: the relative rate is a share of the price, for an hour; the
// other one is money. Forced orders are trades that carry a mark, and are not taken from there yet.
#include "kraken_futures_context.hpp"

#include "beside.hpp"

namespace cvdd::kraken_futures {

namespace {

using fields::Ticker;
using json::Slot;

constexpr Slot<Ticker> ticker_slots[] = {{"product_id", &Ticker::symbol},
                                         {"time", &Ticker::time},
                                         {"bid", &Ticker::bid},
                                         {"bid_size", &Ticker::bid_size},
                                         {"ask", &Ticker::ask},
                                         {"ask_size", &Ticker::ask_size},
                                         {"markPrice", &Ticker::mark},
                                         {"index", &Ticker::index},
                                         {"relative_funding_rate", &Ticker::rate},
                                         {"next_funding_rate_time", &Ticker::applies},
                                         {"openInterest", &Ticker::open}};
}  // namespace

void read_ticker(std::string_view message, const SymbolTable& symbols, Parsed& out) {
  thread_local json::Reader reader;
  Ticker row;
  const Refusal whole = json::read_message(reader, message, [&](std::string_view key, json::Value value) {
    return json::read_field<ticker_slots>(key, value, 1, row);
  });
  if (whole != Refusal::none) return out.refuse(whole);
  if (!row.symbol.is_string()) return out.refuse(Refusal::bad_field);
  const Instrument* const instrument = fields::wanted(symbols, row.symbol.text);
  out.ignored = instrument == nullptr;
  if (instrument == nullptr) return;
  const Refusal refusal = fields::take_ticker(row, *instrument, out);
  if (refusal != Refusal::none) out.refuse(refusal);
}

}  // namespace cvdd::kraken_futures
