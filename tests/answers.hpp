// What an exchange makes of a REST answer, as tests like to ask: did it, what came of it, or why not.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

template <class T>
bool taken(Outcome<T> result, T& out, std::string& error) {
  if (!result) {
    out = T{};
    error = result.error();
  } else {
    out = std::move(*result);
    error.clear();
  }
  return error.empty();
}

inline bool read_history(const Exchange& exchange, std::string_view body, const Instrument& instrument,
                         HistoryPage& out, std::string& error) {
  return taken(exchange.history->read(body, instrument), out, error);
}
inline bool read_candles(const Exchange& exchange, std::string_view body, const Instrument& instrument,
                         std::vector<Candle>& out, std::string& error) {
  return taken(exchange.candles->read(body, instrument), out, error);
}
inline std::string candles_target(const Exchange& exchange, const Instrument& instrument, Timestamp from, Timestamp to,
                                  Duration length, Timestamp now) {
  return exchange.candles->target(instrument, from, to, *exchange.candles->find(length), now);
}
inline bool read_instruments(const Exchange& exchange, std::string_view body, InstrumentPage& out, std::string& error) {
  return taken(exchange.parse_instruments(body), out, error);
}
inline bool read_time(const Exchange& exchange, std::string_view body, Timestamp& out) {
  std::string error;
  return taken(exchange.parse_time(body), out, error);
}
inline std::string subscribe(const Exchange& exchange, std::span<const Instrument* const> instruments, Stream stream,
                             std::uint64_t id) {
  return exchange.request(Verb::subscribe, exchange.trades(stream), instruments, id);
}
inline std::string unsubscribe(const Exchange& exchange, std::span<const Instrument* const> instruments, Stream stream,
                               std::uint64_t id) {
  return exchange.request(Verb::unsubscribe, exchange.trades(stream), instruments, id);
}

}  // namespace cvdd
