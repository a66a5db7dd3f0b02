// An exchange's list of instruments: one target or several, in one page or many.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

struct InstrumentList {
  std::vector<Instrument> instruments;
  std::vector<std::string> bodies;  // the answers, in order
  std::string error;                // empty: the list is whole
  HttpResponse refused;             // the answer that was no list; status 0: there was none
};

// Asks one host for all of it. Whole or not at all: half a list would end instruments.
[[nodiscard]] asio::awaitable<InstrumentList> fetch_instrument_list(
    const Exchange& exchange, Url host, std::vector<std::string> wanted,
    std::function<std::unique_ptr<HttpGet>()> make_http_get, SteadyTime deadline);

// The answers as one text to be kept, and read again. False if the text does not hold a list.
[[nodiscard]] std::string pack_bodies(const std::vector<std::string>& bodies);
[[nodiscard]] bool unpack_instruments(const Exchange& exchange, std::string_view packed,
                                      std::vector<Instrument>& instruments);

}  // namespace cvdd
