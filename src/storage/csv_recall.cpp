// What the ends of the files say of bars that may still change.
#include <algorithm>
#include <set>

#include "csv_scan.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "cvdd/storage/csv_store.hpp"

namespace cvdd {

namespace {
constexpr Duration candle_min = seconds(60);  // exchanges have no shorter ones
// The lines of the ends of files, the oldest first.
template <class Use>
void each_line(const std::vector<std::string>& texts, const Use& use) {
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
    std::string_view rest = *text;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
      use(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
}
}  // namespace

void CsvStore::recall(Remembered& newest, Duration interval, std::size_t bars, Duration always) {
  const Duration reach{interval.us * static_cast<std::int64_t>(bars)};
  // Bars shorter than a minute are held against a minute's candle all together: so many more are needed before the
  // first.
  const Duration together{std::min(always.us + (interval < candle_min ? 2 * candle_min.us : 0), reach.us)};
  // A day without a gap ends what could be repaired.
  const std::vector<std::string> texts = tails(RowTable::cvd, [](std::string_view text) {
    return text.find(",gap,") == text.npos && text.find(",partial,") == text.npos;
  });
  std::map<InstrumentKey, std::map<Timestamp, Row>> rows;
  const auto each = [&](const auto& use) { each_line(texts, use); };
  // Which instruments have a gap within reach, then their rows, and of all others those of the last while.
  std::set<InstrumentKey> lacking;
  Timestamp end;
  for (const auto& [key, known] : newest) end = std::max(end, known.row.time);
  const std::string oldest = format_time(end - std::max(reach, together));
  each([&](std::string_view line) {
    if (line.find(",gap,") == line.npos) return;
    const auto row = parse_row(line);
    if (!row) return;
    const InstrumentKey key{row->exchange, row->market, row->symbol};
    const auto known = newest.find(key);
    if (known != newest.end() && row->time + reach >= known->second.row.time) lacking.insert(key);
  });
  each([&](std::string_view line) {
    const auto outline = outline_of(line);
    if (!outline || outline->time < oldest) return;
    auto row = parse_row(line);
    if (!row) return;
    const InstrumentKey key{row->exchange, row->market, row->symbol};
    const auto known = newest.find(key);
    if (known == newest.end() || row->time + (lacking.contains(key) ? reach : together) < known->second.row.time)
      return;
    const auto of = rows.try_emplace(key).first;
    const auto [bar, unheard] = of->second.try_emplace(row->time);
    if (unheard || row->rev >= bar->second.rev) bar->second = std::move(*row);
  });
  for (auto& [key, of] : rows) {
    // From the bar before the first that lacks something, or of the last while.
    const Timestamp since = of.rbegin()->first - always;
    auto first = std::find_if(of.begin(), of.end(),
                              [&](const auto& b) { return b.second.status == BarStatus::gap || b.first >= since; });
    while (first != of.begin() &&
           (first == of.end() || first->second.status != BarStatus::live || first->second.last_id.empty())) {
      --first;
    }
    if (first != of.end()) first = of.lower_bound(bar_start(first->first, candle_min));
    for (auto bar = first; bar != of.end(); ++bar) newest.at(key).recent.push_back(std::move(bar->second));
  }
  recall_flow(newest);
}

// The ends of the newest files, the newest first; empty if one can't be read. A day that is not the newest and of which
// all parts say so is the last.
std::vector<std::string> CsvStore::tails(RowTable table, bool (*last)(std::string_view text)) {
  std::vector<std::string> texts;
  std::uint64_t left = recall_bytes_max;
  const std::vector<DayFile> files = list_files(table);
  bool all_say_so = false;
  for (auto file = files.rbegin(); file != files.rend() && left > 0; ++file) {
    const bool newest = file->day == files.back().day, begins = file == files.rbegin() || file->day != file[-1].day;
    if (begins && all_say_so) break;
    const std::string path = path_of(name_of(*file));
    std::uint64_t size = 0;
    std::string text;
    if (files_.size(path, size) != 0) return {};
    const std::uint64_t some = std::min(size, left);
    if (files_.read(path, size - some, some, text) != 0) return {};
    if (some < size) text.erase(0, text.find('\n') + 1);
    left -= some;
    texts.push_back(std::move(text));
    all_say_so = !newest && last(texts.back()) && (begins || all_say_so);
  }
  return texts;
}

// The flow of the bars that were recalled.
void CsvStore::recall_flow(Remembered& newest) {
  const bool any = std::ranges::any_of(newest, [](const auto& known) { return !known.second.flow.empty(); });
  if (!any) return;
  using Bar = std::pair<Timestamp, std::string>;  // and bucket
  std::map<InstrumentKey, std::map<Bar, FlowRow>> rows;
  each_line(tails(RowTable::flow, [](std::string_view) { return false; }), [&](std::string_view line) {
    auto row = parse_flow_row(line);
    if (!row) return;
    const auto known = newest.find({row->exchange, row->market, row->symbol});
    if (known == newest.end()) return;
    const std::vector<Row>& recent = known->second.recent;
    if (row->time < (recent.empty() ? known->second.row.time : recent.front().time)) return;
    FlowRow& there = rows[known->first][{row->time, row->bucket}];
    if (there.bucket.empty() || row->rev >= there.rev) there = std::move(*row);
  });
  for (auto& [key, of] : rows) {
    std::vector<FlowRow>& flow = newest.at(key).flow;
    const Timestamp since = of.begin()->first.first;
    std::erase_if(flow, [&](const FlowRow& row) { return row.time >= since; });
    for (auto& [bar, row] : of) flow.push_back(std::move(row));
  }
}

}  // namespace cvdd
