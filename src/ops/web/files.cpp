#include "ops/web/files.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "cvdd/core/csv.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t days_max = 400;  // in one request

// Files of the days that [from, to) touches, by day, then part.
// 0 or errno.
int files_between(FileSink& files, const std::string& directory, Timestamp from, Timestamp to,
                  std::vector<std::string>& out) {
  std::vector<std::string> names;
  if (const int error = files.list(directory, names); error != 0) return error;
  const std::string first = format_day(from), last = format_day(to - Duration{1});
  for (const std::string& name : names) {
    if (!name.starts_with("cvd-") || !name.ends_with(".csv") || name.size() < 18) continue;
    const std::string day = name.substr(4, 10);
    const bool whole = name.size() == 18 || name.find_first_not_of("0123456789", 15) == name.size() - 4;
    if (day >= first && day <= last && whole) out.push_back(name);
  }
  std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    const auto part = [](const std::string& n) { return n.size() == 18 ? 0 : std::stoul("0" + n.substr(15, 9)); };
    return std::tuple(a.substr(0, 14), part(a)) < std::tuple(b.substr(0, 14), part(b));
  });
  return 0;
}

// `take(text)`: whole lines; false: enough. False too if it was stopped, or the file can't be read: `error` is errno
// then. A file that is gone has nothing.
template <class Take>
bool each_piece(FileSink& files, const std::string& path, const std::function<bool()>& stop, int& error, Take take) {
  std::string rest, text;
  for (std::uint64_t at = 0;;) {
    if (stop()) return false;
    error = files.read(path, at, piece, text);
    if (error == ENOENT) error = 0;
    if (error != 0) return false;
    if (text.empty()) return true;
    at += text.size();
    const bool end = text.size() < piece;
    rest += text;
    const auto newline = rest.rfind('\n');
    if (newline != rest.npos) {
      if (!take(std::string_view(rest).substr(0, newline + 1))) return false;
      rest.erase(0, newline + 1);
    }
    if (end) return true;
  }
}

std::string_view field(std::string_view line, std::size_t n) {
  for (; n > 0; --n) {
    const auto comma = line.find(',');
    if (comma == line.npos) return {};
    line.remove_prefix(comma + 1);
  }
  return line.substr(0, line.find(','));
}
}  // namespace

BarsFound read_bars(FileSink& files, const std::string& directory, const BarsQuery& query,
                    std::chrono::seconds time_max, const std::function<bool()>& stop) {
  BarsFound found;
  const std::string tail = "," + query.symbol + ",";
  const std::string name = "," + query.exchange + ",";
  std::map<Timestamp, Row> rows;
  std::set<Market> markets;
  if (query.market) markets.insert(*query.market);
  const auto look = [&](std::string_view text) {
    const char *p = text.data(), *const end = p + text.size();
    while (p < end) {
      const void* const hit = ::memmem(p, static_cast<std::size_t>(end - p), tail.data(), tail.size());
      if (hit == nullptr) break;
      const char* at = static_cast<const char*>(hit);
      const char* begin = at;
      while (begin > text.data() && begin[-1] != '\n') --begin;
      const char* const stop_at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      const std::string_view line(begin, static_cast<std::size_t>((stop_at != nullptr ? stop_at : end) - begin));
      p = line.data() + line.size();
      if (line.size() < 21 || line.compare(20, name.size(), name) != 0 || field(line, 3) != query.symbol) continue;
      const auto market = market_from(field(line, 2));
      if (!market || (query.market && *market != *query.market)) continue;
      markets.insert(*market);
      const auto time = parse_time(line.substr(0, 20));
      if (!time || *time < query.from || *time >= query.to) continue;
      auto row = parse_row(line);
      if (!row || (query.as_seen && row->rev != 0)) continue;
      Row& known = rows[*time];
      if (known.exchange.empty() || row->rev >= known.rev) known = std::move(*row);
    }
    return markets.size() <= 1;
  };
  std::string last_day;
  std::size_t days = 0;
  const auto enough = std::chrono::steady_clock::now() + time_max;
  std::vector<std::string> names;
  int error = files_between(files, directory, query.from, query.to, names);
  for (const std::string& file : names) {
    const std::string day = file.substr(4, 10);
    // Rows of a day are in its own files: what is there once they are read is all there is of it.
    const bool late = days > 0 && std::chrono::steady_clock::now() > enough;
    if (day != last_day && (rows.size() > query.limit || ++days > days_max || late)) {
      if (rows.size() <= query.limit) found.next = parse_time(day + "T00:00:00Z");
      break;
    }
    last_day = day;
    if (!each_piece(files, directory + "/" + file, stop, error, look)) break;
  }
  if (error != 0) found.error = std::string("the files can't be read: ") + std::strerror(error);
  if (stop()) found.error = "the daemon is stopping";
  if (markets.size() > 1) {
    found.many_markets = true;
    found.error = "market: the exchange has the symbol on more than one; name it";
  }
  if (!found.error.empty()) return found;
  if (!markets.empty()) found.market = *markets.begin();
  for (auto& [time, row] : rows) {
    if (found.rows.size() == query.limit) {
      found.next = time;
      break;
    }
    found.rows.push_back(std::move(row));
  }
  return found;
}

int read_past(FileSink& files, const std::string& directory, Timestamp from, Timestamp to, Duration recent,
              Board& board, const std::function<bool()>& stop) {
  constexpr std::int64_t five_minutes = 300'000'000;
  const auto look = [&](std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      // Most lines are of no interest: their minute tells without more.
      if (line.size() < 40 || line[19] != 'Z') continue;
      const auto time = parse_time(line.substr(0, 20));
      if (!time || *time < from || *time >= to) continue;
      if (*time < to - recent && (*time + board.interval()).us % five_minutes != 0) continue;
      const auto market = market_from(field(line, 2));
      const auto base = parse_sum(field(line, 18)), quote = parse_sum(field(line, 19));
      const auto status = bar_status_from(field(line, 5));
      if (!market || !base || !quote || !status) continue;
      board.add_past({{std::string(field(line, 1)), *market}, std::string(field(line, 3))}, {*time, *status}, *base,
                     *quote, field(line, 4) != "0");
    }
    return true;
  };
  std::vector<std::string> names;
  int error = files_between(files, directory, from, to, names);
  for (const std::string& file : names) {
    if (!each_piece(files, directory + "/" + file, stop, error, look)) break;
  }
  return error;
}

}  // namespace cvdd::web
