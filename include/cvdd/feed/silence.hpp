// What a page of the exchange's newest trades tells of a silence, where ids have no order. Pure; any thread.
#pragma once

#include <optional>
#include <span>

#include "cvdd/base/types.hpp"

namespace cvdd {

// A trade may be this old before we have heard of it.
inline constexpr Duration on_the_way = seconds(5);

struct Silence {
  Timestamp from, to;       // nothing was heard between; by the exchange's clock
  bool improbable = false;  // by chance alone
};

// Bars from `from` on lack trades, as far as this tells. `whole`: together with the page's they have all.
struct SilenceFinding {
  Timestamp from;
  bool whole = false;
};

// `missed`: the times of the page's trades that nobody had told us of. `front`: of its oldest trade; `covered`: it
// reaches back beyond the silence, and every row of it could be read. Empty: there is nothing to object to.
// Trades that are missing from before the silence were lost while the connection spoke: nothing tells then what it lost
// before the page begins.
[[nodiscard]] std::optional<SilenceFinding> find_in_silence(const Silence& silence, std::span<const Timestamp> missed,
                                                            Timestamp front, bool covered);

}  // namespace cvdd
