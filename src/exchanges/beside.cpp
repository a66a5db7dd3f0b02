#include "beside.hpp"

namespace cvdd::fields {

namespace {
bool is_nothing(const Scalar& field) { return !field.present() || field.is(Kind::null) || field.is_string(""); }
}  // namespace

Refusal read_price(const Scalar& field, std::optional<Decimal>& out) {
  out.reset();
  if (is_nothing(field)) return Refusal::none;
  if (!is_decimal_kind(field)) return Refusal::bad_field;
  const auto price = decimal(field);
  if (!price || price->is_negative()) return Refusal::bad_number;
  if (price->is_positive()) out = price;
  return Refusal::none;
}

Refusal read_side(const Scalar& price, const Scalar& size, const Instrument& instrument,
                  std::optional<Decimal>& out_price, std::optional<Decimal>& out_size) {
  out_size.reset();
  if (const Refusal refusal = read_price(price, out_price); refusal != Refusal::none || !out_price) return refusal;
  std::optional<Decimal> contracts;
  const Refusal refusal = read_price(size, contracts);
  Trade as_traded;
  as_traded.instrument = &instrument;
  as_traded.price = *out_price;
  if (refusal == Refusal::none && contracts && convert(as_traded, *contracts)) {
    out_size = as_traded.base;
    return Refusal::none;
  }
  out_price.reset();
  return refusal == Refusal::none && contracts ? Refusal::overflow : refusal;
}

Refusal read_rate(const Scalar& field, std::optional<Decimal>& out) {
  out.reset();
  if (is_nothing(field)) return Refusal::none;
  if (!is_decimal_kind(field)) return Refusal::bad_field;
  out = decimal(field);
  return out ? Refusal::none : Refusal::bad_number;
}

Refusal read_moment(const Scalar& field, std::optional<Timestamp>& out) {
  out.reset();
  if (is_nothing(field) || integer(field) == 0U) return Refusal::none;
  out = milliseconds_since_1970(field);
  return out ? Refusal::none : Refusal::bad_field;
}

Refusal read_open(const Scalar& contracts, const Instrument& instrument, OpenInterest& out) {
  if (!is_decimal_kind(contracts)) return Refusal::bad_field;
  const auto number = decimal(contracts);
  if (!number || number->is_negative()) return Refusal::bad_number;
  const auto units = multiply(*number, instrument.contract_size);
  if (!units) return Refusal::overflow;
  (instrument.market == Market::inverse ? out.quote : out.base) = normalized(*units);
  return Refusal::none;
}

Refusal read_filled(const Scalar& price, const Scalar& size, const Instrument& instrument, Liquidation& out) {
  Trade as_traded;
  as_traded.instrument = &instrument;
  const Refusal refusal = read_volume(price, size, as_traded);
  out.price = as_traded.price;
  out.base = as_traded.base;
  out.quote = as_traded.quote;
  return refusal;
}

Refusal take_ticker(const Ticker& row, const Instrument& instrument, Parsed& out) {
  const auto time = milliseconds_since_1970(row.time);
  if (!time) return Refusal::bad_field;
  BestPrices book{&instrument, *time, {}, {}, {}, {}};
  MarkPrice price{&instrument, *time, {}, {}};
  FundingRate funding{&instrument, *time, {}, {}};
  OpenInterest open{&instrument, *time, {}, {}};
  if (good(first_of(read_side(row.bid, row.bid_size, instrument, book.bid, book.bid_size),
                    read_side(row.ask, row.ask_size, instrument, book.ask, book.ask_size)),
           out)) {
    out.add<BestPrices>() = book;
  }
  if (good(first_of(read_price(row.mark, price.mark), read_price(row.index, price.index)), out) && price.mark) {
    out.add<MarkPrice>() = price;
  }
  if (good(first_of(read_rate(row.rate, funding.rate), read_moment(row.applies, funding.applies)), out) &&
      funding.rate) {
    out.add<FundingRate>() = funding;
  }
  if (row.open.present() && good(read_open(row.open, instrument, open), out)) {
    out.add<OpenInterest>() = open;
  }
  return Refusal::none;
}

void date_by_frame(Parsed& out, std::string_view message, std::string_view key) {
  if (!out.has_beside) return;
  thread_local json::Reader reader;
  Scalar field;
  (void)json::read_message(reader, message, [&](std::string_view name, json::Value value) {
    return name == key ? json::read(value, 1, field) : json::skip(value, 1);
  });
  const Timestamp time = milliseconds_since_1970(field).value_or(Timestamp{});
  const auto date = [&](auto& values) {
    for (auto& value : values) value.time = value.time.us == 0 ? time : value.time;
  };
  date(out.beside.best_prices);
  date(out.beside.mark_prices);
  date(out.beside.funding_rates);
  date(out.beside.open_interest);
}

}  // namespace cvdd::fields
