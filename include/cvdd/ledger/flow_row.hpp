// A flow row's text and back. The format is a contract with users: docs/csv-flow.md. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cvdd/ledger/flow.hpp"

namespace cvdd {

// A bucket's row of the bar that this row tells of, without its numbers.
[[nodiscard]] FlowRow flow_row_of(const Row& row, const std::string& bucket);
// First line of every file, without the newline.
[[nodiscard]] std::string_view flow_header();
// Appends one line with its newline.
void append_flow_row(std::string& out, const FlowRow& row);
// Reads one line without its newline. Empty if it is not exactly what append_flow_row writes.
[[nodiscard]] std::optional<FlowRow> parse_flow_row(std::string_view line);

}  // namespace cvdd
