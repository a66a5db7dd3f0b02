// The lists of instruments of several markets, read from the exchanges at once: for `cvdd check --online` and
// `cvdd symbols`.
#pragma once

#include <string>
#include <vector>

#include "cvdd/config/config.hpp"
#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

struct ExchangeList {
  const Exchange* exchange = nullptr;
  std::vector<std::string> wanted;      // names and patterns, upper case: what has to be on the list
  std::vector<Instrument> instruments;  // what is listed
  std::string error;                    // why it can't be had; empty: it can
};

// Fills in what the exchanges answer, with the configuration's hosts, proxy and certificates; takes a minute at most
// for each host. Throws std::runtime_error if the certificates can't be used.
void fetch_lists(const Config& config, std::vector<ExchangeList>& lists);

// Which markets could not be asked, and why: a line each; of many one in full, and the others by name.
[[nodiscard]] std::vector<std::string> troubles_of(const std::vector<ExchangeList>& lists);

// What is wrong with the names of one market, as errors of the symbol list. `symbols_file`: its name.
[[nodiscard]] std::vector<ConfigError> unknown_names(const std::string& symbols_file, const SymbolList& symbols,
                                                     const ExchangeList& list);

}  // namespace cvdd
