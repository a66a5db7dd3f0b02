// What the day files of some days do not tell: the last rows of instruments that have been off the list for longer.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/storage/csv_store.hpp"

namespace cvdd {

namespace {
constexpr const char* rows_name = "last-rows.csv";
constexpr const char* flow_name = "last-flow.csv";
constexpr std::size_t text_max = std::size_t{256} << 20;
// Options expire by the thousand: the oldest are forgotten.
constexpr std::size_t remembered_max = 200'000;

template <class Use>
void each_line(std::string_view text, const Use& use) {
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    use(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}
}  // namespace

// Day files that are gone are their owner's decision: nothing is gone on with then.
void CsvStore::remember_for_long(Remembered& newest) {
  if (newest.empty()) {
    for (const char* name : {rows_name, flow_name}) {
      if (const int error = files_.remove(path_of(name)); error != 0 && error != ENOENT) note_not_kept(error);
    }
    return;
  }
  read_last_rows(newest);
  write_last_rows(newest);
}

// Rows as in a day file, in any order; what is no row of ours is passed over. What day files say of an instrument
// holds.
void CsvStore::read_last_rows(Remembered& newest) {
  std::string text;
  if (files_.read(path_of(rows_name), 0, text_max, text) != 0) return;
  Remembered old;
  each_line(text, [&](std::string_view line) {
    auto row = parse_row(line);
    if (!row) return;
    std::optional<Row> traded = row->last_id.empty() ? std::nullopt : row;
    (void)remember(old, std::move(*row), std::move(traded));
  });
  std::set<InstrumentKey> from_here;
  for (auto& [key, known] : old) {
    const auto [there, unheard] = newest.try_emplace(key);
    if (unheard) {
      there->second = std::move(known);
      from_here.insert(key);
    } else if (there->second.last_id.empty() && known.traded) {
      there->second.last_id = known.last_id;
      there->second.last_id_bar = known.last_id_bar;
      there->second.traded = std::move(known.traded);
    }
  }
  if (from_here.empty() || files_.read(path_of(flow_name), 0, text_max, text) != 0) return;
  each_line(text, [&](std::string_view line) {
    auto row = parse_flow_row(line);
    if (!row) return;
    const InstrumentKey key{row->exchange, row->market, row->symbol};
    if (!from_here.contains(key)) return;
    std::vector<FlowRow>& flow = newest.at(key).flow;
    const auto same =
        std::ranges::find_if(flow, [&](const FlowRow& f) { return f.bucket == row->bucket && f.time == row->time; });
    if (same == flow.end()) {
      flow.push_back(std::move(*row));
    } else if (row->rev > same->rev) {
      *same = std::move(*row);
    }
  });
}

void CsvStore::write_last_rows(const Remembered& newest) {
  std::vector<const LastKnown*> known;
  known.reserve(newest.size());
  for (const auto& [key, last] : newest) known.push_back(&last);
  std::ranges::sort(known, [](const LastKnown* a, const LastKnown* b) { return a->row.time > b->row.time; });
  if (known.size() > remembered_max) known.resize(remembered_max);
  std::string rows = std::string(csv_header()) + "\n", flow = std::string(flow_header()) + "\n";
  bool any_flow = false;
  for (const LastKnown* last : known) {
    if (last->traded && last->traded->time != last->row.time) append_row(rows, *last->traded);
    append_row(rows, last->row);
    for (const FlowRow& row : last->flow) append_flow_row(flow, row);
    any_flow = any_flow || !last->flow.empty();
  }
  note_not_kept(files_.replace(path_of(rows_name), rows));
  if (any_flow) note_not_kept(files_.replace(path_of(flow_name), flow));
}

void CsvStore::keep(std::span<const Row> ended, std::span<const FlowRow> flow) {
  if (ended.empty()) return;
  std::string rows, flow_rows;
  for (const Row& row : ended) append_row(rows, row);
  for (const FlowRow& row : flow) {
    const auto of = std::ranges::find_if(ended, [&](const Row& r) {
      return r.time == row.time && r.symbol == row.symbol && r.market == row.market && r.exchange == row.exchange;
    });
    if (of != ended.end()) append_flow_row(flow_rows, row);
  }
  note_not_kept(files_.append(path_of(rows_name), rows));
  if (!flow_rows.empty()) note_not_kept(files_.append(path_of(flow_name), flow_rows));
}

void CsvStore::note_not_kept(int error) {
  if (error == 0) return;
  notes_.push_back(fmt::format("can't keep the last rows for later file={} reason=\"{}\"", path_of(rows_name),
                               std::strerror(error)));
}

}  // namespace cvdd
