// Lines of the files beside the CVD's: context and flow. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cvdd/engine/layout.hpp"
#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

// Empty, and `reason` says why, if `line` is no row of this layout.
[[nodiscard]] std::optional<StoreRow> side_row_from(const Layout& layout, std::string_view collector,
                                                    std::string_view line, std::string& reason);

}  // namespace cvdd::engine
