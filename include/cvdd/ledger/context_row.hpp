// A context row's text and back. The format is a contract with users: docs/csv-context.md. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cvdd/ledger/context.hpp"

namespace cvdd {

// First line of every file, without the newline.
[[nodiscard]] std::string_view context_header();
// Appends one line with its newline.
void append_context_row(std::string& out, const ContextRow& row);
// Reads one line without its newline. Empty if it is not exactly what append_context_row writes.
[[nodiscard]] std::optional<ContextRow> parse_context_row(std::string_view line);

}  // namespace cvdd
