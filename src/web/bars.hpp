// The answer to /api/v1/bars: read and made text on a thread that may wait, within what readers may have of a
// processor.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "allowance.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "files.hpp"
#include "group.hpp"

namespace cvdd::web {

struct BarsAnswer {
  BarsQuery query;
  Duration interval;
  bool packed = false;  // as gzip, if it is worth it
  // Base and quote of the symbol in each market of the exchange that is collected.
  std::map<Market, std::pair<std::string, std::string>> units;
  // Where that is empty, what is collected instead, for suggestions.
  std::vector<Instrument> collected;
};
// The same of a group: the sum of its members, the first of which gives the prices.
struct GroupAnswer {
  BarsQuery query;
  Group group;
  Duration interval;
  bool packed = false;
  std::vector<InstrumentName> members;
  CommonUnit base, quote;
};
struct BarsText {
  std::string text, next, error;
  bool many_markets = false, packed = false;
  bool unknown = false;  // nobody collects it, and the files have no bar of it in that time
};
// Names as they are spelt: the exchange and a symbol that is collected in any case.
void complete_names(BarsAnswer& asked, std::span<const InstrumentState> states);

[[nodiscard]] BarsText bars_text(FileSink& files, const std::string& directory, const BarsAnswer& asked,
                                 Allowance& allowance, const std::function<bool()>& stop);
[[nodiscard]] BarsText group_bars_text(FileSink& files, const std::string& directory, const GroupAnswer& asked,
                                       Allowance& allowance, const std::function<bool()>& stop);

}  // namespace cvdd::web
