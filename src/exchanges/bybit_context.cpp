// Docs: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook (checked 2026-11-20), "Ticker" and "All
// Liquidation" beside it.
// Sizes and open interest: USD for inverse contracts, base units for all else.
#include "bybit_context.hpp"

#include "beside.hpp"

namespace cvdd::bybit {

namespace {

using fields::text;
using json::Scalar;
using json::Slot;

// {"s":"BTCUSDT","b":[["16493.50","0.006"]],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724}: of one level,
// and always all of it.
struct Book {
  Scalar symbol, bid, bid_size, ask, ask_size;
};
struct Level {
  Scalar price, size;
};
constexpr Scalar Level::*const level_columns[] = {&Level::price, &Level::size};

bool read_level(json::Value levels, unsigned depth, Scalar& price, Scalar& size) {
  return json::each_item(levels, depth, [&](json::Value item) {
    Level level;
    if (!json::read_fields<level_columns>(item, depth + 1, level)) return false;
    price = level.price, size = level.size;
    return true;
  });
}

bool read_book(json::Value value, unsigned depth, Rows& to) {
  Book row;
  const bool good = json::each_field(value, depth, [&](std::string_view key, json::Value v) {
    if (key == "b") return read_level(v, depth + 1, row.bid, row.bid_size);
    if (key == "a") return read_level(v, depth + 1, row.ask, row.ask_size);
    return key == "s" ? json::read(v, depth + 1, row.symbol) : json::skip(v, depth + 1);
  });
  if (!good) return false;
  ++to.count;
  const Instrument* const instrument = fields::wanted(to.symbols, text(row.symbol));
  if (instrument == nullptr) return to.out.ignored = true;
  BestPrices book{instrument, {}, {}, {}, {}, {}};
  for (const Refusal refusal : {fields::read_side(row.bid, row.bid_size, *instrument, book.bid, book.bid_size),
                                fields::read_side(row.ask, row.ask_size, *instrument, book.ask, book.ask_size)}) {
    if (refusal != Refusal::none) return to.out.refuse(refusal), true;
  }
  to.out.add<BestPrices>() = book;
  return true;
}
// Frames of the type "delta" have only what changed. `openInterest` counts both sides of a contract since June 2026,
// and `singleOpenInterest` one; open interest of inverse contracts is USD, as their sizes are.
struct Ticker {
  Scalar symbol, mark, index, open, rate, applies;
};
constexpr Slot<Ticker> ticker_slots[] = {{"symbol", &Ticker::symbol},    {"markPrice", &Ticker::mark},
                                         {"indexPrice", &Ticker::index}, {"singleOpenInterest", &Ticker::open},
                                         {"fundingRate", &Ticker::rate}, {"nextFundingTime", &Ticker::applies}};

Refusal take_ticker(const Ticker& row, const Instrument& instrument, Parsed& out) {
  MarkPrice price{&instrument, {}, {}, {}};
  FundingRate funding{&instrument, {}, {}, {}};
  OpenInterest open{&instrument, {}, {}, {}};
  using fields::first_of;
  if (fields::good(first_of(fields::read_price(row.mark, price.mark), fields::read_price(row.index, price.index)),
                   out) &&
      (price.mark || price.index)) {
    out.add<MarkPrice>() = price;
  }
  if (fields::good(
          first_of(fields::read_rate(row.rate, funding.rate), fields::read_moment(row.applies, funding.applies)),
          out) &&
      (funding.rate || funding.applies)) {
    out.add<FundingRate>() = funding;
  }
  if (row.open.present() && fields::good(fields::read_open(row.open, instrument, open), out)) {
    out.add<OpenInterest>() = open;
  }
  out.ignored = !out.has_beside && out.refusal == Refusal::none;
  return Refusal::none;
}

// {"T":1739502302929,"s":"ROSEUSDT","S":"Sell","v":"20000","p":"0.04499"}: S is the side of the position that was
// closed, so of a short a buyer's order. All of them are told.
struct Closed {
  Scalar time, symbol, side, size, price;
};
constexpr Slot<Closed> closed_slots[] = {
    {"T", &Closed::time}, {"s", &Closed::symbol}, {"S", &Closed::side}, {"v", &Closed::size}, {"p", &Closed::price}};

Refusal take_closed(const Closed& row, const Instrument& instrument, Parsed& out) {
  const auto time = fields::milliseconds_since_1970(row.time);
  const auto side = fields::aggressor(row.side, "Sell", "Buy");
  if (!time || !side) return Refusal::bad_field;
  Liquidation order{&instrument, *time, *side, {}, {}, {}};
  const Refusal refusal = fields::read_filled(row.price, row.size, instrument, order);
  if (refusal == Refusal::none) out.add<Liquidation>() = order;
  return refusal;
}
}  // namespace

constinit const RowReader book_reader{read_book, nullptr, Scalar::Kind::object};
constinit const RowReader ticker_reader = beside_row<ticker_slots, take_ticker>;
constinit const RowReader closed_reader = beside_rows<closed_slots, take_closed>;

}  // namespace cvdd::bybit
