// Docs: "Tickers", "Mark price", "Open interest", "Funding rate" and "Liquidation orders" channels of
// https://www.okx.com/docs-v5/en/ (checked 2026-11-20).
// Best prices come from the ticker, ten times a second at most: the channel of best prices tells every change. The
// index has channels of its own, by names of its own; it stays empty. Sizes and open interest: contracts, as sizes of
// trades.
#include "okx_context.hpp"

#include "beside.hpp"

namespace cvdd::okx {

namespace {

using json::Scalar;
using json::Slot;

struct Ticker {
  Scalar symbol, time, bid, bid_size, ask, ask_size;
};
constexpr Slot<Ticker> ticker_slots[] = {{"instId", &Ticker::symbol}, {"ts", &Ticker::time},
                                         {"bidPx", &Ticker::bid},     {"bidSz", &Ticker::bid_size},
                                         {"askPx", &Ticker::ask},     {"askSz", &Ticker::ask_size}};
Refusal take_ticker(const Ticker& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  BestPrices book{&instrument, *time, {}, {}, {}, {}};
  for (const Refusal refusal : {fields::read_side(row.bid, row.bid_size, instrument, book.bid, book.bid_size),
                                fields::read_side(row.ask, row.ask_size, instrument, book.ask, book.ask_size)}) {
    if (refusal != Refusal::none) return refusal;
  }
  out.add<BestPrices>() = book;
  return Refusal::none;
}

// {"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"66100.1","ts":"1790000000085"}
struct Mark {
  Scalar symbol, time, price;
};
constexpr Slot<Mark> mark_slots[] = {{"instId", &Mark::symbol}, {"ts", &Mark::time}, {"markPx", &Mark::price}};
Refusal take_mark(const Mark& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  MarkPrice price{&instrument, *time, {}, {}};
  if (const Refusal refusal = fields::read_price(row.price, price.mark); refusal != Refusal::none) return refusal;
  if (!price.mark) return Refusal::bad_number;
  out.add<MarkPrice>() = price;
  return Refusal::none;
}

// {"instType":"SWAP","instId":"BTC-USDT-SWAP","oi":"2216113","oiCcy":"22161.13","ts":"1790000000085"}
struct Open {
  Scalar symbol, time, contracts;
};
constexpr Slot<Open> open_slots[] = {{"instId", &Open::symbol}, {"ts", &Open::time}, {"oi", &Open::contracts}};
Refusal take_open(const Open& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  OpenInterest open{&instrument, *time, {}, {}};
  if (const Refusal refusal = fields::read_open(row.contracts, instrument, open); refusal != Refusal::none) {
    return refusal;
  }
  out.add<OpenInterest>() = open;
  return Refusal::none;
}

// {"fundingRate":"0.0001875","fundingTime":"1790006400000","instId":"BTC-USDT-SWAP","nextFundingRate":"",
//  "nextFundingTime":"1790035200000","ts":"1790000000402"}: the rate that is paid at `fundingTime`.
struct Funding {
  Scalar symbol, time, rate, applies;
};
constexpr Slot<Funding> funding_slots[] = {{"instId", &Funding::symbol},
                                           {"ts", &Funding::time},
                                           {"fundingRate", &Funding::rate},
                                           {"fundingTime", &Funding::applies}};
Refusal take_funding(const Funding& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  FundingRate funding{&instrument, *time, {}, {}};
  for (const Refusal refusal :
       {fields::read_rate(row.rate, funding.rate), fields::read_moment(row.applies, funding.applies)}) {
    if (refusal != Refusal::none) return refusal;
  }
  if (!funding.rate) return Refusal::bad_number;
  out.add<FundingRate>() = funding;
  return Refusal::none;
}

// {"details":[{"bkLoss":"0","bkPx":"66100.1","ccy":"","posSide":"long","side":"sell","sz":"13","ts":"1790000000010"}],
//  "instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}: `side` is that of the order
// that closes the position. At most one order per contract and second is told.
struct Detail {
  Scalar price, side, size, time;
};
constexpr Slot<Detail> detail_slots[] = {
    {"bkPx", &Detail::price}, {"side", &Detail::side}, {"sz", &Detail::size}, {"ts", &Detail::time}};
void take_forced(const Detail& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.side, "buy", "sell");
  if (!time || !side) return out.refuse(Refusal::bad_field);
  Liquidation order{&instrument, *time, *side, {}, {}, {}};
  const Refusal refusal = fields::read_filled(row.price, row.size, instrument, order);
  if (refusal != Refusal::none) return out.refuse(refusal);
  out.add<Liquidation>() = order;
}

// The symbol may stand behind the orders.
bool read_forced(json::Value rows, unsigned depth, Rows& to) {
  return json::each_item(rows, depth, [&](json::Value item) {
    std::vector<Detail> details;
    Scalar symbol;
    const bool good = json::each_field(item, depth + 1, [&](std::string_view key, json::Value v) {
      if (key == "instId") return json::read(v, depth + 2, symbol);
      if (key != "details") return json::skip(v, depth + 2);
      return json::each_item(v, depth + 2, [&](json::Value detail) {
        return json::read_fields<detail_slots>(detail, depth + 3, details.emplace_back());
      });
    });
    if (!good) return false;
    ++to.count;
    if (!symbol.is_string()) return to.out.refuse(Refusal::bad_field), true;
    const Instrument* const instrument = fields::wanted(to.symbols, symbol.text);
    if (instrument == nullptr) return to.out.ignored = true;
    for (const Detail& detail : details) take_forced(detail, *instrument, to.out);
    return true;
  });
}
}  // namespace

constinit const RowReader ticker_reader = beside_rows<ticker_slots, take_ticker>;
constinit const RowReader mark_reader = beside_rows<mark_slots, take_mark>;
constinit const RowReader open_reader = beside_rows<open_slots, take_open>;
constinit const RowReader funding_reader = beside_rows<funding_slots, take_funding>;
constinit const RowReader forced_reader{read_forced, nullptr};

std::string_view type_of(const Instrument& instrument) {
  return instrument.symbol.ends_with("-SWAP") ? "SWAP" : "FUTURES";
}

}  // namespace cvdd::okx
