// Rows and answers as ClickHouse's format TabSeparated has them. Text alone: nothing here talks to a server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

// A name or a text within a statement.
[[nodiscard]] std::string text_literal(std::string_view text);
// A field, with the tabulator behind it.
void append_field(std::string& out, std::string_view text);
// A row in the order of its table's columns. Throws StoreError (row) for what ClickHouse would not hold exactly.
void append_line(std::string& out, const StoreRow& row);
// An answer's fields, line by line.
[[nodiscard]] std::vector<std::vector<std::string>> lines_of(std::string_view text);

}  // namespace cvdd::engine
