#include "files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "cvdd/ledger/csv_row.hpp"
#include "day_files.hpp"

namespace cvdd::web {

namespace {
// Rows of one instrument, the earliest `limit` of them, each at its highest rev.
class BarsTaken {
 public:
  using Place = BarsQuery::Place;
  explicit BarsTaken(const BarsQuery& query)
      : query_(query), tail_("," + query.symbol + ","), name_("," + query.exchange + ",") {
    if (query.market) markets_.insert(*query.market);
  }
  // Lines of part `part`, from byte `offset` on. False: there is no use in going on.
  bool look(std::string_view text, std::size_t part, std::uint64_t offset) {
    const char *p = text.data(), *const end = p + text.size();
    while (p < end) {
      const void* const hit = ::memmem(p, static_cast<std::size_t>(end - p), tail_.data(), tail_.size());
      if (hit == nullptr) break;
      const char* const at = static_cast<const char*>(hit);
      const char* begin = at;
      while (begin > text.data() && begin[-1] != '\n') --begin;
      const char* const stop_at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      const std::string_view line(begin, static_cast<std::size_t>((stop_at != nullptr ? stop_at : end) - begin));
      p = line.data() + line.size();
      take(line, {part, offset + static_cast<std::uint64_t>(begin - text.data())});
    }
    return markets_.size() <= 1;
  }
  [[nodiscard]] bool full() const { return dropped_time_.has_value(); }
  // `left_off`: where reading ended in the middle of a day.
  void give(BarsFound& found, const std::optional<Place>& left_off) {
    if (markets_.size() > 1) {
      found.many_markets = true;
      std::string names;
      for (const Market m : markets_) names += (names.empty() ? "" : " and ") + std::string(name_of(m));
      found.error = "market: the exchange has the symbol on " + names + "; name one";
      return;
    }
    if (!markets_.empty()) found.market = *markets_.begin();
    for (auto& [time, row] : rows_) found.rows.push_back(std::move(row.row));
    if (left_off) {
      // What was given once may have been revised behind it; what was not given begins before it.
      const Place from = full() ? std::min(*left_off, dropped_) : *left_off;
      const bool onward = !query_.begin || from > *query_.begin;
      if (onward) found.next = fmt::format("{}@{}.{}", format_time(first_), from.part, from.offset);
    }
    if (found.next.empty() && full()) found.next = format_time(*dropped_time_);
  }
  // The earliest time that is still asked for.
  void from(Timestamp time) { first_ = time; }

 private:
  struct Known {
    Row row;
    Place place;  // of the first line of it
  };
  void take(std::string_view line, Place place) {
    if (line.size() < 21 || line.compare(20, name_.size(), name_) != 0 || field(line, 3) != query_.symbol) return;
    const auto market = market_from(field(line, 2));
    if (!market || (query_.market && *market != *query_.market)) return;
    markets_.insert(*market);
    const auto time = parse_time(line.substr(0, 20));
    if (!time || *time < query_.from || *time >= query_.to) return;
    if (rows_.size() == query_.limit && *time > rows_.rbegin()->first) return drop(*time, place);
    auto row = parse_row(line);
    if (!row || (query_.as_seen && row->rev != 0)) return;
    const auto [known, fresh] = rows_.try_emplace(*time, Known{{}, place});
    if (fresh || row->rev >= known->second.row.rev) known->second.row = std::move(*row);
    if (rows_.size() <= query_.limit) return;
    const auto last = std::prev(rows_.end());
    drop(last->first, last->second.place);
    rows_.erase(last);
  }
  void drop(Timestamp time, Place place) {
    dropped_ = full() ? std::min(dropped_, place) : place;
    dropped_time_ = full() ? std::min(*dropped_time_, time) : time;
  }
  const BarsQuery& query_;
  const std::string tail_, name_;
  std::map<Timestamp, Known> rows_;  // at most `limit`
  std::set<Market> markets_;
  std::optional<Timestamp> dropped_time_;
  Place dropped_;
  Timestamp first_ = query_.from;
};
}  // namespace

BarsFound read_bars(FileSink& files, const std::string& directory, const BarsQuery& query,
                    std::chrono::milliseconds time_max, const std::function<bool()>& stop,
                    const std::function<void()>& pause) {
  BarsFound found;
  BarsTaken taken(query);
  std::optional<BarsQuery::Place> left_off;
  std::string last_day;
  std::size_t days = 0;
  const auto enough = std::chrono::steady_clock::now() + time_max;
  const auto late = [&] { return std::chrono::steady_clock::now() > enough; };
  std::vector<std::string> names;
  int error = files_between(files, directory, query.from, query.to, names);
  const std::string first_day = format_day(query.from);
  for (const std::string& file : names) {
    const std::string day = file.substr(4, 10);
    const std::size_t part = part_of(file);
    // Rows of a day are in its own files: what is there once they are read is all there is of it.
    if (day != last_day && (taken.full() || ++days > days_max || (days > 1 && late()))) {
      if (!taken.full()) found.next = day + "T00:00:00Z";
      break;
    }
    if (day != last_day) taken.from(std::max(query.from, parse_time(day + "T00:00:00Z").value_or(query.from)));
    last_day = day;
    std::uint64_t begin = 0;
    if (query.begin && day == first_day) {
      if (part < query.begin->part) continue;
      if (part == query.begin->part) begin = query.begin->offset;
    }
    const bool whole =
        each_piece(files, directory + "/" + file, begin, stop, error, [&](std::string_view text, std::uint64_t offset) {
          if (pause) pause();
          if (!taken.look(text, part, offset)) return false;
          if (!late()) return true;
          left_off = {part, offset + text.size()};
          return false;
        });
    if (!whole) break;
  }
  if (error != 0) found.error = std::string("the files can't be read: ") + std::strerror(error);
  if (stop()) found.error = "the daemon is stopping";
  if (found.error.empty()) taken.give(found, left_off);
  return found;
}

int read_past(FileSink& files, const std::string& directory, Timestamp from, Timestamp to, Duration recent,
              Board& board, const std::function<bool()>& stop) {
  constexpr std::int64_t five_minutes = 300'000'000;
  const auto look = [&](std::string_view text, std::uint64_t) {
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
    if (!each_piece(files, directory + "/" + file, 0, stop, error, look)) break;
  }
  return error;
}

}  // namespace cvdd::web
