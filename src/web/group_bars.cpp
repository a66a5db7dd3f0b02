#include "group_bars.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "cvdd/base/time_text.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "day_files.hpp"

namespace cvdd::web {

namespace {
// What is kept of a row until it is summed.
struct Kept {
  std::uint32_t rev = 0;
  BarStatus status = BarStatus::live;
  std::uint64_t buys = 0, sells = 0;
  std::optional<std::uint64_t> missing;
  Decimal buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote;
};
struct Prices {
  std::optional<Decimal> open, high, low, close;
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

class Sums {
 public:
  Sums(const BarsQuery& query, const std::vector<InstrumentName>& members)
      : query_(query),
        limit_(std::clamp<std::size_t>(group_rows_max / std::max<std::size_t>(members.size(), 1), 1, query.limit)) {
    for (const InstrumentName& m : members) {
      numbers_.emplace(m.exchange + "," + std::string(name_of(m.market)) + "," + m.symbol, numbers_.size());
    }
  }
  void look(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      if (line.size() > 40 && line[19] == 'Z') take(line);
    }
  }
  [[nodiscard]] bool full() const { return dropped_.has_value(); }
  void give(GroupBars& out) const {
    // Who has no row of a bar stood where it stood before; before its first row it stood where that one begins.
    std::vector<std::optional<std::pair<Decimal, Decimal>>> stand(numbers_.size());
    for (const auto& [time, rows] : bars_) {
      for (const auto& [who, row] : rows) {
        if (stand[who]) continue;
        const auto base = subtract(row.cvd_base, row.delta_base), quote = subtract(row.cvd_quote, row.delta_quote);
        if (base && quote) stand[who].emplace(*base, *quote);
      }
    }
    for (const auto& [time, rows] : bars_) {
      for (const auto& [who, row] : rows) stand[who].emplace(row.cvd_base, row.cvd_quote);
      GroupBar& bar = out.bars.emplace_back();
      bar.time = time;
      for (const auto& [who, row] : rows) add(bar, row);
      for (const auto& its : stand) {
        if (!its) continue;
        bar.cvd_base.add(its->first);
        bar.cvd_quote.add(its->second);
      }
      if (const auto found = prices_.find(time); found != prices_.end()) {
        bar.open = found->second.open, bar.high = found->second.high;
        bar.low = found->second.low, bar.close = found->second.close;
      }
    }
    if (dropped_) out.next = format_time(*dropped_);
  }

 private:
  static void add(GroupBar& bar, const Kept& row) {
    bar.rev += row.rev;
    if (bar.members++ == 0 || gravity(row.status) > gravity(bar.status)) bar.status = row.status;
    bar.buys += row.buys;
    bar.sells += row.sells;
    bar.buy_base.add(row.buy_base);
    bar.sell_base.add(row.sell_base);
    bar.buy_quote.add(row.buy_quote);
    bar.sell_quote.add(row.sell_quote);
    bar.delta_base.add(row.delta_base);
    bar.delta_quote.add(row.delta_quote);
    if (bar.missing && row.missing) {
      *bar.missing += *row.missing;
    } else {
      bar.missing.reset();
    }
  }
  void take(std::string_view line) {
    // "time,exchange,market,symbol,…"
    std::size_t end = 20;
    for (int n = 0; n < 3 && end != line.npos; ++n) end = line.find(',', end + 1);
    if (end == line.npos) return;
    const auto who = numbers_.find(line.substr(21, end - 21));
    if (who == numbers_.end()) return;
    const auto time = parse_time(line.substr(0, 20));
    if (!time || *time < query_.from || *time >= query_.to || (dropped_ && *time >= *dropped_)) return;
    const auto row = parse_row(line);
    if (!row || (query_.as_seen && row->rev != 0)) return;
    auto& rows = bars_[*time];
    const auto known = std::ranges::find(rows, who->second, &std::pair<std::size_t, Kept>::first);
    const Kept kept{row->rev,         row->status,    row->buys,      row->sells,      row->missing,
                    row->buy_base,    row->sell_base, row->buy_quote, row->sell_quote, row->delta_base,
                    row->delta_quote, row->cvd_base,  row->cvd_quote};
    if (known == rows.end()) {
      rows.emplace_back(who->second, kept);
    } else if (row->rev >= known->second.rev) {
      known->second = kept;
    } else {
      return;
    }
    if (who->second == 0) prices_[*time] = {row->open, row->high, row->low, row->close};
    if (bars_.size() <= limit_) return;
    const auto last = std::prev(bars_.end());
    dropped_ = last->first;
    prices_.erase(last->first);
    bars_.erase(last);
  }

  const BarsQuery& query_;
  const std::size_t limit_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;
  std::map<Timestamp, std::vector<std::pair<std::size_t, Kept>>> bars_;  // at most `limit_`
  std::map<Timestamp, Prices> prices_;                                   // of the first member
  std::optional<Timestamp> dropped_;                                     // the earliest that there was no room for
};
}  // namespace

GroupBars read_group_bars(FileSink& files, const std::string& directory, const BarsQuery& query,
                          const std::vector<InstrumentName>& members, std::chrono::milliseconds time_max,
                          const std::function<bool()>& stop, const std::function<void()>& pause) {
  GroupBars out;
  Sums sums(query, members);
  const auto enough = std::chrono::steady_clock::now() + time_max;
  std::vector<std::string> names;
  int error = files_between(files, directory, query.from, query.to, names);
  std::string last_day, next;
  std::size_t days = 0;
  for (const std::string& file : names) {
    const std::string day = file.substr(4, 10);
    if (day != last_day) {
      if (sums.full()) break;
      if (days++ > 0 && (days > days_max || std::chrono::steady_clock::now() > enough)) {
        next = day + "T00:00:00Z";
        break;
      }
      last_day = day;
    }
    const bool whole = each_piece(files, directory + "/" + file, 0, stop, error, [&](std::string_view text, auto) {
      if (pause) pause();
      sums.look(text);
      return true;
    });
    if (!whole) break;
  }
  if (error != 0) out.error = std::string("the files can't be read: ") + std::strerror(error);
  if (stop()) out.error = "the daemon is stopping";
  if (!out.error.empty()) return out;
  sums.give(out);
  if (out.next.empty()) out.next = next;
  return out;
}

}  // namespace cvdd::web
