// Rows as COPY takes them, and the statement that brings them from a session's table to where they belong. Text alone:
// nothing here talks to a server.
#pragma once

#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

// One kind's rows of a batch, each key's highest revision alone, in the order of the table's key, as all writers have
// it: so writers that meet wait for each other and never in a circle.
struct BatchParts {
  std::vector<const StoreRow*> fresh;   // whose first revision is in the batch too: probably not in the table yet
  std::vector<const StoreRow*> merged;  // all others
};
// Without `fresh` all of them are merged.
[[nodiscard]] BatchParts parts_of(std::span<const StoreRow> rows, const Layout& layout, bool fresh);

// What one connection writes of a batch, by kind.
using Share = std::array<BatchParts, std::size(row_kinds)>;
// A batch for so many connections: no key is in two shares, and each has a stretch of the keys, so that they meet on
// few pages of the indexes. At least one, and as many as are asked for.
[[nodiscard]] std::vector<Share> shares_of(std::span<const StoreRow> rows, bool fresh, std::size_t connections);

// A line in COPY's text format, in the order of the table's columns; with `number` behind them.
void append_copy_line(std::string& out, const StoreRow& row, const Layout& layout, std::optional<std::size_t> number);

// The session's table of a kind.
[[nodiscard]] std::string batch_table_of(const Layout& layout);
// From there into the table of the kind: the highest revision of each key, unless it is there already.
[[nodiscard]] std::string merge_of(const Layout& layout);

}  // namespace cvdd::engine
