// The answer to /api/v1/bars: read and made text on a thread that may wait, within what readers may have of a
// processor.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "allowance.hpp"
#include "files.hpp"

namespace cvdd::web {

struct BarsAnswer {
  BarsQuery query;
  Duration interval;
  bool packed = false;  // as gzip, if it is worth it
  // Base and quote of the symbol in each market of the exchange that is collected.
  std::map<Market, std::pair<std::string, std::string>> units;
};
struct BarsText {
  std::string text, next, error;
  bool many_markets = false, packed = false;
};
[[nodiscard]] BarsText bars_text(FileSink& files, const std::string& directory, const BarsAnswer& asked,
                                 Allowance& allowance, const std::function<bool()>& stop);

}  // namespace cvdd::web
