#include "group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cvdd/base/time_text.hpp"

namespace cvdd::web {

namespace {
// Within a few per cent of each other, which is near enough to compare volumes by; the documentation says so.
constexpr std::array dollars = {"USD", "USDT", "USDC", "FDUSD", "BUSD",  "TUSD", "USDP",
                                "DAI", "USD1", "USDE", "PYUSD", "RLUSD", "USDS"};

// More than a line is for.
constexpr std::size_t units_told = 3, told_max = 3;

// The worst first.
constexpr std::array states = {FeedState::refused, FeedState::unlisted, FeedState::connecting, FeedState::subscribing,
                               FeedState::live};

std::string name_of_member(const InstrumentState& s) {
  return s.exchange + ":" + std::string(name_of(s.market)) + ":" + s.symbol;
}

// Everything about a group at one moment, gathered in one pass over its members.
struct GroupNow {
  CommonUnit base, quote;
  // Of the bar that is open now, and all there is.
  Sum buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote;
  Sum cvd_base, cvd_quote;
  Sum hour_base, hour_quote, day_base, day_quote;
  std::uint64_t buys = 0, sells = 0;
  std::size_t counted = 0, live = 0;
  std::optional<FeedState> state;
  std::optional<Board::Written> written;
  Sum written_base, written_quote;  // CVDs at the end of the newest rows
  Timestamp last_trade, time, proven_until;
  bool proven = true;
  const GroupMember* leader = nullptr;  // whose price is shown: the first that has one
};

void take(GroupNow& now, const GroupMember& m, Timestamp time, Duration interval) {
  const InstrumentState& state = *m.state;
  const auto rank = [](FeedState s) { return std::ranges::find(states, s) - states.begin(); };
  if (!now.state || rank(state.state) < rank(*now.state)) now.state = state.state;
  now.live += state.state == FeedState::live ? 1U : 0U;
  if (!state.proven_until) now.proven = false;
  if (state.proven_until && (now.proven_until.us == 0 || *state.proven_until < now.proven_until)) {
    now.proven_until = *state.proven_until;
  }
  if (m.track != nullptr && m.track->newest) {
    const Board::Written& its = *m.track->newest;
    if (!now.written) now.written = its;
    now.written->time = std::max(now.written->time, its.time);
    if (gravity(its.status) > gravity(now.written->status)) now.written->status = its.status;
  }
  if (m.track != nullptr && m.track->bars.count() > 0) {
    const Point& newest = m.track->bars.at(m.track->bars.count() - 1);
    now.written_base.add(newest.base);
    now.written_quote.add(newest.quote);
  }
  if (m.open == nullptr || state.instrument == nullptr) return;
  const OpenBar& open = *m.open;
  ++now.counted;
  now.base.add(state.instrument->base);
  now.quote.add(state.instrument->quote);
  // A bar that is over is another's of before: its delta is not this bar's.
  if (open.time > now.time) {
    now.time = open.time;
    now.buy_base = now.sell_base = now.buy_quote = now.sell_quote = now.delta_base = now.delta_quote = {};
    now.buys = now.sells = 0;
  }
  if (open.time == now.time) {
    now.buy_base.add(open.buy_base);
    now.sell_base.add(open.sell_base);
    now.buy_quote.add(open.buy_quote);
    now.sell_quote.add(open.sell_quote);
    now.delta_base.add(open.delta_base);
    now.delta_quote.add(open.delta_quote);
    now.buys += open.buys;
    now.sells += open.sells;
  }
  now.cvd_base.add(open.cvd_base);
  now.cvd_quote.add(open.cvd_quote);
  now.last_trade = std::max(now.last_trade, open.last_trade);
  if (now.leader == nullptr && open.close) now.leader = &m;
  Board::Change hour, day;
  if (m.track != nullptr) {
    hour =
        Board::change(*m.track, time, seconds(3'600), std::max(seconds(600), interval), open.cvd_base, open.cvd_quote);
    day = Board::change(*m.track, time, seconds(86'400), std::max(seconds(7'200), interval), open.cvd_base,
                        open.cvd_quote);
  }
  now.hour_base.add(hour.base);
  now.hour_quote.add(hour.quote);
  now.day_base.add(day.base);
  now.day_quote.add(day.quote);
}

// The CVD at the ends of the bars of whoever has the most of them; who has none so old stood where its first one is.
void append_spark(std::string& out, std::span<const GroupMember> members, bool quote) {
  const Board::Track* longest = nullptr;
  for (const GroupMember& m : members) {
    if (m.track != nullptr && (longest == nullptr || m.track->bars.count() > longest->bars.count())) longest = m.track;
  }
  if (longest == nullptr) return;
  std::vector<Sum> sums(longest->bars.count());
  for (const GroupMember& m : members) {
    if (m.track == nullptr || m.track->bars.count() == 0) continue;
    const auto& its = m.track->bars;
    std::size_t at = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      while (at + 1 < its.count() && its.at(at + 1).end <= longest->bars.at(i).end) ++at;
      sums[i].add(quote ? its.at(at).quote : its.at(at).base);
    }
  }
  for (const Sum& sum : sums) {
    if (out.back() != '[') out += ',';
    append_decimal(out, sum.get());
  }
}

void append_sums(std::string& out, const GroupNow& now) {
  const auto number = [&](const char* name, const CommonUnit& unit, const Sum& sum) {
    out += name;
    append_decimal(out, unit.get().empty() ? std::nullopt : sum.get());
  };
  const auto price = [&](const char* name, std::optional<Decimal> OpenBar::*which) {
    out += name;
    append_decimal(out, now.leader != nullptr ? now.leader->open->*which : std::nullopt);
  };
  out += R"(,"bar":)";
  if (now.counted == 0) {
    out += "null";
  } else {
    out += fmt::format(R"({{"time":"{}")", format_time(now.time));
    price(R"(,"open":)", &OpenBar::open);
    price(R"(,"high":)", &OpenBar::high);
    price(R"(,"low":)", &OpenBar::low);
    price(R"(,"close":)", &OpenBar::close);
    out += fmt::format(R"(,"buys":{},"sells":{})", now.buys, now.sells);
    number(R"(,"buy_base":)", now.base, now.buy_base);
    number(R"(,"sell_base":)", now.base, now.sell_base);
    number(R"(,"buy_quote":)", now.quote, now.buy_quote);
    number(R"(,"sell_quote":)", now.quote, now.sell_quote);
    number(R"(,"delta_base":)", now.base, now.delta_base);
    number(R"(,"delta_quote":)", now.quote, now.delta_quote);
    number(R"(,"cvd_base":)", now.base, now.cvd_base);
    number(R"(,"cvd_quote":)", now.quote, now.cvd_quote);
    out += '}';
  }
  out += R"(,"written":)";
  if (now.written) {
    out += fmt::format(R"({{"time":"{}","status":"{}")", format_time(now.written->time), name_of(now.written->status));
    number(R"(,"cvd_base":)", now.base, now.written_base);
    number(R"(,"cvd_quote":)", now.quote, now.written_quote);
    out += '}';
  } else {
    out += "null";
  }
  number(R"(,"change":{"base_1h":)", now.base, now.hour_base);
  number(R"(,"base_24h":)", now.base, now.day_base);
  number(R"(,"quote_1h":)", now.quote, now.hour_quote);
  number(R"(,"quote_24h":)", now.quote, now.day_quote);
  out += '}';
}
}  // namespace

int gravity(BarStatus status) {
  switch (status) {
    case BarStatus::live:
      return 0;
    case BarStatus::repaired:
      return 1;
    case BarStatus::history:
      return 2;
    case BarStatus::partial:
      return 3;
    case BarStatus::gap:
      return 4;
  }
  return 4;
}

void CommonUnit::add(std::string_view unit) {
  unit = coin_name(unit);
  if (units_.size() <= units_told && std::ranges::find(units_, unit) == units_.end()) units_.emplace_back(unit);
  dollars_ = dollars_ && std::ranges::find(dollars, unit) != dollars.end();
}

std::string_view CommonUnit::get() const {
  if (units_.empty()) return {};
  if (units_.size() == 1) return units_.front();
  return dollars_ ? "USD" : "";
}

std::string CommonUnit::differing() const {
  std::string out;
  for (std::size_t i = 0; i < units_.size() && i < units_told; ++i) out += (i > 0 ? ", " : "") + units_[i];
  return units_.size() > units_told ? out + ", …" : out;
}

namespace {
// What somebody who reads the numbers has to know of them. Empty: nothing.
std::string reason_of(const GroupMembers& group, const GroupNow& now, std::size_t size) {
  std::vector<std::string> parts;
  if (size > group_members_max) {
    parts.push_back(fmt::format("it has {} members, and at most {} are summed", size, group_members_max));
  }
  if (now.counted > 0 && now.base.get().empty()) {
    parts.push_back(fmt::format("no sum in coins, which differ: {}", now.base.differing()));
  }
  if (now.counted > 0 && now.quote.get().empty()) {
    parts.push_back(fmt::format("no sum in currencies of the price, which differ: {}", now.quote.differing()));
  }
  const std::vector<std::string> unmatched = group.unmatched();
  for (std::size_t i = 0; i < unmatched.size() && i < told_max; ++i) {
    parts.push_back(unmatched[i] + " matches nothing that is collected");
  }
  if (unmatched.size() > told_max) {
    parts.push_back(fmt::format("{} more match nothing either", unmatched.size() - told_max));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

void append_names(std::string& out, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size() && i < group_members_max; ++i) {
    if (i > 0) out += ',';
    append_text(out, names[i]);
  }
}
}  // namespace

void append_group(std::string& out, const GroupMembers& known, std::span<const GroupMember> members, Timestamp now,
                  Duration interval, Spark spark, bool full) {
  const Group& group = known.group();
  const std::size_t size = members.size();
  if (size > group_members_max) members = {};
  GroupNow sum;
  if (size > group_members_max) sum.state = FeedState::refused;
  for (const GroupMember& m : members) take(sum, m, now, interval);
  out += group.picked() ? R"({"instruments":)" : R"({"group":)";
  append_text(out, group.name());
  if (full) {
    out += R"(,"members":[)";
    for (const GroupMember& m : members) {
      if (out.back() != '[') out += ',';
      append_text(out, name_of_member(*m.state));
    }
    out += R"(],"not_members":[)";
    append_names(out, known.left_out());
    out += ']';
  }
  out += fmt::format(R"(,"size":{},"left_out":{},"counted":{},"live":{},"reason":)", size, known.left_out().size(),
                     sum.counted, sum.live);
  append_text(out, reason_of(known, sum, size));
  out += R"(,"base":)";
  append_text(out, sum.base.get());
  out += R"(,"quote":)";
  append_text(out, sum.quote.get());
  out += fmt::format(R"(,"state":"{}","price_of":)", name_of(sum.state.value_or(FeedState::unlisted)));
  append_text(out, sum.leader != nullptr ? name_of_member(*sum.leader->state) : "");
  out += R"(,"price":)";
  append_decimal(out, sum.leader != nullptr ? sum.leader->open->close : std::nullopt);
  out += R"(,"last_trade":)";
  append_moment(out, sum.last_trade);
  out += R"(,"proven_until":)";
  append_moment(out, sum.proven ? sum.proven_until : Timestamp{});
  append_sums(out, sum);
  if (full && spark != Spark::none) {
    const bool quote = spark == Spark::quote;
    out += R"(,"spark":[)";
    if (!(quote ? sum.quote : sum.base).get().empty()) append_spark(out, members, quote);
    out += ']';
  }
  out += '}';
}

}  // namespace cvdd::web
