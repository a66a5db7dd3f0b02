// A row's text and back. The format is a contract with users: docs/csv.md. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cvdd/base/time_text.hpp"
#include "cvdd/base/types.hpp"

namespace cvdd {

// First line of every file, without the newline.
[[nodiscard]] std::string_view csv_header();

// Appends one line with its newline.
void append_row(std::string& out, const Row& row);

// Reads one line without its newline. Empty if it is not exactly what append_row writes: recovery trusts only that.
[[nodiscard]] std::optional<Row> parse_row(std::string_view line);

}  // namespace cvdd
