// The day files as the API reads them: bars of one instrument, and where all stood in the last day. Blocks on the disk:
// on a thread that may wait. The files grow meanwhile; a line without its end is left for the next time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "board.hpp"
#include "cvdd/storage/file_sink.hpp"
#include "query.hpp"

namespace cvdd::web {

struct BarsFound {
  Market market = Market::spot;
  std::vector<Row> rows;      // oldest first
  std::string next;           // there is more: the `from` that goes on; or empty
  std::string error;          // instead of all that
  bool many_markets = false;  // … because the market has to be named
};
// `stop`: asked now and then; true gives up. `pause`: called now and then, for who shares the processor. After
// `time_max` no more is read; within a day's file too, and then a bar may come once more, with a higher `rev`, from
// `next` on.
[[nodiscard]] BarsFound read_bars(FileSink& files, const std::string& directory, const BarsQuery& query,
                                  std::chrono::milliseconds time_max, const std::function<bool()>& stop,
                                  const std::function<void()>& pause = {});

// Feeds the board with rows of [from, to): all of those that began less than `recent` before `to`, and those that end
// on a full five minutes. 0, or errno of what could not be read.
int read_past(FileSink& files, const std::string& directory, Timestamp from, Timestamp to, Duration recent,
              Board& board, const std::function<bool()>& stop);

}  // namespace cvdd::web
