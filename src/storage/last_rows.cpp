// What the day files of some days do not tell: the last rows of instruments that have been off the list for longer.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/csv_store.hpp"

namespace cvdd {

namespace {
constexpr const char* file_name = "last-rows.csv";
constexpr std::size_t text_max = std::size_t{256} << 20;
// Options expire by the thousand: the oldest are forgotten.
constexpr std::size_t remembered_max = 200'000;
}  // namespace

// Rows as in a day file, in any order; what is no row of ours is passed over.
void CsvStore::read_last_rows(Remembered& newest) {
  std::string text;
  if (files_.read(path_of(file_name), 0, text_max, text) != 0) return;
  std::string_view rest = text;
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    auto row = parse_row(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!row) continue;
    std::optional<Row> traded = row->last_id.empty() ? std::nullopt : row;
    (void)remember(newest, std::move(*row), std::move(traded));
  }
}

void CsvStore::write_last_rows(const Remembered& newest) {
  std::vector<const LastKnown*> known;
  known.reserve(newest.size());
  for (const auto& [key, last] : newest) known.push_back(&last);
  std::sort(known.begin(), known.end(),
            [](const LastKnown* a, const LastKnown* b) { return a->row.time > b->row.time; });
  if (known.size() > remembered_max) known.resize(remembered_max);
  std::string text = std::string(csv_header()) + "\n";
  for (const LastKnown* last : known) {
    if (last->traded && last->traded->time != last->row.time) append_row(text, *last->traded);
    append_row(text, last->row);
  }
  if (const int error = files_.replace(path_of(file_name), text); error != 0) {
    notes_.push_back(fmt::format("can't keep the last rows for later file={} reason=\"{}\"", path_of(file_name),
                                 std::strerror(error)));
  }
}

void CsvStore::keep(std::span<const Row> rows) {
  if (rows.empty()) return;
  std::string text;
  for (const Row& row : rows) append_row(text, row);
  if (const int error = files_.append(path_of(file_name), text); error != 0) {
    notes_.push_back(fmt::format("can't keep the last rows for later file={} reason=\"{}\"", path_of(file_name),
                                 std::strerror(error)));
  }
}

}  // namespace cvdd
