#include "status_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "cvdd/base/counted.hpp"

namespace cvdd {

namespace {
constexpr std::size_t troubles_max = 10, column_max = 40;

// The first `columns` columns of a line; an ellipsis says that there was more.
std::string cut(std::string_view text, std::size_t columns) {
  if (columns == 0 || display_width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    const std::size_t width = display_width(text.substr(at, end - at));
    if (used + width + 1 > columns) break;
    out += text.substr(at, end - at);
    used += width;
    at = end;
  }
  return out + "…";
}

std::string padded(std::string_view text, std::size_t columns, bool right) {
  const std::size_t width = display_width(text);
  const std::string space(columns > width ? columns - width : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string name_of(const StatusLine& line) { return line.exchange + " " + line.market + " " + line.symbol; }

struct Column {
  const char* title;
  std::string (*text)(const StatusLine&);
  bool right;
  int needed;  // those with the lowest number are left out first; 9: never
};
constexpr Column columns[] = {
    {"exchange", [](const StatusLine& l) { return l.exchange; }, false, 9},
    {"market", [](const StatusLine& l) { return l.market; }, false, 9},
    {"symbol", [](const StatusLine& l) { return l.symbol; }, false, 9},
    {"price", [](const StatusLine& l) { return l.price; }, true, 7},
    {"fills", [](const StatusLine& l) { return std::to_string(l.fills); }, true, 2},
    {"bar delta", [](const StatusLine& l) { return l.delta; }, true, 6},
    {"CVD", [](const StatusLine& l) { return l.cvd; }, true, 8},
    {"1 h", [](const StatusLine& l) { return l.hour; }, true, 4},
    {"24 h", [](const StatusLine& l) { return l.day; }, true, 3},
    {"proven", [](const StatusLine& l) { return l.proven; }, true, 1},
    {"state", [](const StatusLine& l) { return l.state; }, false, 9},
};

std::vector<std::string> table_of(const std::vector<const StatusLine*>& shown, std::size_t columns_max) {
  struct Used {
    const Column* column;
    std::size_t width;
  };
  std::vector<Used> used;
  for (const Column& column : columns) {
    std::size_t width = 0;
    for (const StatusLine* line : shown) width = std::max(width, display_width(column.text(*line)));
    if (width == 0 && columns_max > 0) continue;  // nothing to say yet: the others need the room
    width = std::max(width, display_width(column.title));
    used.push_back({&column, std::min(width, column_max)});
  }
  const auto whole = [&] {
    std::size_t sum = 0;
    for (const Used& u : used) sum += u.width + 2;
    return sum - 2;
  };
  while (columns_max > 0 && whole() > columns_max) {
    const auto least = std::ranges::min_element(used, {}, [](const Used& u) { return u.column->needed; });
    if (least->column->needed == 9) break;
    used.erase(least);
  }
  std::vector<std::string> lines;
  const auto add = [&](const auto& text_of) {
    std::string line;
    for (const Used& u : used) {
      if (!line.empty()) line += "  ";
      line += padded(cut(text_of(*u.column), u.width), u.width, u.column->right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  };
  add([](const Column& c) { return std::string(c.title); });
  for (const StatusLine* line : shown) add([&](const Column& c) { return c.text(*line); });
  return lines;
}
}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0U) == 0x80U) continue;
    // U+1100 to U+115F, U+2E80 to U+A4CF, U+AC00 to U+D7A3, U+F900 to U+FAFF, U+FF00 to U+FF60 and beyond U+1F300.
    std::uint32_t code = byte;
    const std::size_t size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (size > 1) code = byte & (0x7FU >> size);
    for (std::size_t i = 1; i < size && at + i < text.size(); ++i) {
      code = code << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                      (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                      (code >= 0xFF00 && code <= 0xFF60) || code >= 0x1F300;
    width += wide ? 2 : 1;
  }
  return width;
}

std::vector<std::string> told_together(const std::vector<Trouble>& troubles) {
  constexpr std::size_t alone_max = 2;
  const auto same = [](const Trouble& a, const Trouble& b) { return a.state == b.state && a.reason == b.reason; };
  std::vector<std::string> out;
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    const Trouble& t = troubles[i];
    const auto like_it = [&](const Trouble& other) { return same(t, other); };
    const auto begin = troubles.begin(), at = begin + static_cast<std::ptrdiff_t>(i);
    const auto all = static_cast<std::size_t>(std::count_if(begin, troubles.end(), like_it));
    if (all > alone_max && std::any_of(begin, at, like_it)) continue;
    out.push_back(fmt::format("{}{}: {} since {} {}", t.name,
                              all > alone_max ? fmt::format(" and {} more", all - 1) : std::string(), t.state, t.since,
                              t.reason));
  }
  return out;
}

std::string StatusTable::draw(const StatusModel& model, ScreenSize size, std::size_t instruments_max) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "{}: {} of {} live, {} in the last bar, {} trades/s{}", model.ready ? "ready" : "NOT READY", model.live,
      counted(model.wanted, "instrument"), counted(model.gaps, "gap"), model.trades_per_second,
      model.backlog_rows > 0 ? fmt::format(", {} rows wait for the disk", model.backlog_rows) : std::string()));
  // A small terminal is for the instruments: of troubles it gets a third.
  const std::size_t most = size.rows > 0 ? std::min(troubles_max, size.rows / 3) : troubles_max;
  for (std::size_t i = 0; i < model.troubles.size() && i < most; ++i) lines.push_back("  " + model.troubles[i]);
  if (model.troubles.size() > most) lines.emplace_back("  …");

  // Before anything was traded nobody knows who trades most.
  if (traded_ == 0) order_.clear();
  for (const StatusLine& line : model.lines) traded_ += line.fills;
  std::unordered_map<std::string, const StatusLine*> there;
  std::vector<const StatusLine*> fresh;
  for (const StatusLine& line : model.lines) there.emplace(name_of(line), &line);
  std::erase_if(order_, [&](const std::string& name) { return !there.contains(name); });
  for (const std::string& name : order_) there.erase(name);
  for (const StatusLine& line : model.lines) {
    if (there.contains(name_of(line))) fresh.push_back(&line);
  }
  std::ranges::stable_sort(fresh, std::ranges::greater{}, &StatusLine::fills);
  for (const StatusLine* line : fresh) order_.push_back(name_of(*line));
  for (const StatusLine& line : model.lines) there.emplace(name_of(line), &line);

  constexpr std::size_t around = 4;  // an empty line, titles, an empty line, the legend
  if (size.rows > 0) {
    const std::size_t used = lines.size() + around;
    instruments_max = std::min(instruments_max, size.rows > used + 1 ? size.rows - used - 1 : 1);
  }
  if (!order_.empty()) {
    std::vector<const StatusLine*> shown;
    const std::size_t groups = std::min(model.groups.size(), instruments_max / 2);
    for (std::size_t i = 0; i < groups; ++i) shown.push_back(&model.groups[i]);
    if (size.rows > 0) instruments_max -= groups;
    for (std::size_t i = 0; i < order_.size() && i < instruments_max; ++i) shown.push_back(there.at(order_[i]));
    lines.emplace_back();
    for (std::string& line : table_of(shown, size.columns)) lines.push_back(std::move(line));
    lines.emplace_back();
    lines.emplace_back(
        "fills, delta: of the open bar; delta, CVD: base units; state: (of the last bar); proven: until when (UTC), "
        "(why not further)");
  }
  if (size.rows > 1 && lines.size() > size.rows - 1) lines.resize(size.rows - 1);
  std::string out;
  for (const std::string& line : lines) out += cut(line, size.columns) + "\n";
  return out;
}

}  // namespace cvdd
