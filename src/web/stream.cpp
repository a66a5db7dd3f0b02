#include "stream.hpp"

#include <utility>

#include "json.hpp"

namespace cvdd::web {

namespace {
constexpr std::size_t rows_per_message = 500, names_per_message = 500;

// One message for all who want all, and one for each of the others: `item(i)` appends what is told of the i-th, or
// nothing.
template <class Wants, class Item>
void tell_some(const Streams& streams, const std::string& head, std::size_t from, std::size_t to, Wants wants,
               Item item) {
  const auto message = [&](const StreamClient* only) {
    auto out = std::make_shared<std::string>(head);
    bool any = false;
    for (std::size_t i = from; i < to; ++i) {
      if (only != nullptr && !wants(*only, i)) continue;
      if (std::exchange(any, true)) *out += ',';
      item(*out, i);
    }
    *out += "]}";
    return any ? out : nullptr;
  };
  std::shared_ptr<const std::string> all;
  for (const auto& stream : streams) {
    if (stream->gone()) continue;
    if (stream->wants_all()) {
      if (!all) all = message(nullptr);
      if (all) stream->tell(all);
    } else if (auto own = message(stream.get())) {
      stream->tell(std::move(own));
    }
  }
}
}  // namespace

bool Told::changes(const InstrumentState& state, const Known& now) {
  const auto note = [&](auto& known, const auto& key) {
    const auto [entry, first] = known.try_emplace(key, now);
    if (first) return true;
    if (entry->second == now) return false;
    entry->second = now;
    return true;
  };
  if (state.instrument != nullptr) return note(listed, state.instrument);
  return note(unlisted, Board::Key{{state.exchange, state.market}, state.symbol});
}

void Told::forget_gone(const Snapshot& snapshot) {
  std::unordered_map<const Instrument*, Known> left;
  std::map<Board::Key, Known> left_unlisted;
  for (const InstrumentState& state : snapshot.states) {
    if (state.instrument != nullptr) {
      if (auto known = listed.extract(state.instrument)) left.insert(std::move(known));
    } else if (auto known = unlisted.extract({{state.exchange, state.market}, state.symbol})) {
      left_unlisted.insert(std::move(known));
    }
  }
  listed = std::move(left);
  unlisted = std::move(left_unlisted);
}

void tell_rows(const Streams& streams, std::span<const Row> rows) {
  for (std::size_t from = 0; from < rows.size(); from += rows_per_message) {
    tell_some(
        streams, R"({"type":"bars","rows":[)", from, std::min(rows.size(), from + rows_per_message),
        [&](const StreamClient& s, std::size_t i) {
          return s.wants_rows(rows[i].exchange, rows[i].market, rows[i].symbol);
        },
        [&](std::string& out, std::size_t i) { append_row_json(out, rows[i], false); });
  }
}

void tell_list(const Streams& streams, const Live::Changes& changes, Timestamp time) {
  std::vector<std::pair<bool, const Board::Key*>> news;  // whether it came
  for (const Board::Key& key : changes.gone) news.emplace_back(false, &key);
  for (const Board::Key& key : changes.come) news.emplace_back(true, &key);
  std::string head = R"({"type":"list","time":)";
  append_moment(head, time);
  for (std::size_t from = 0; from < news.size();) {
    const bool came = news[from].first;
    std::size_t to = from;
    while (to < news.size() && to < from + names_per_message && news[to].first == came) ++to;
    tell_some(
        streams, head + (came ? R"(,"come":[)" : R"(,"gone":[)"), from, to,
        [&](const StreamClient& s, std::size_t i) {
          const auto& [where, symbol] = *news[i].second;
          return s.want() != nullptr || s.wants(where.first, where.second, symbol);
        },
        [&](std::string& out, std::size_t i) {
          const auto& [where, symbol] = *news[i].second;
          out += '{';
          append_name(out, where.first, where.second, symbol);
          out += '}';
        });
    from = to;
  }
}

void tell_names(const Streams& streams, const std::vector<std::string>& groups, Timestamp time) {
  auto message = std::make_shared<std::string>(R"({"type":"list","time":)");
  append_moment(*message, time);
  *message += R"(,"groups":[)";
  for (const std::string& name : groups) {
    if (message->back() != '[') *message += ',';
    append_text(*message, name);
  }
  *message += "]}";
  for (const auto& stream : streams) {
    if (stream->want() != nullptr || stream->wants_all()) stream->tell(message);
  }
}

std::string items_head(Spark spark, Timestamp time) {
  std::string out = R"({"type":"instruments","spark":")";
  out += spark == Spark::base ? "base" : spark == Spark::quote ? "quote" : "0";
  out += R"(","time":)";
  append_moment(out, time);
  return out + R"(,"instruments":[)";
}

bool append_items(std::string& out, const InstrumentNames& names, Spark spark, const Snapshot& snapshot,
                  std::size_t from, std::size_t to, const Board& board) {
  bool any = false;
  for (std::size_t i = from; i < to; ++i) {
    const InstrumentState& state = snapshot.states[i];
    if (!names.contains(std::tuple(std::string_view(state.exchange), state.market, std::string_view(state.symbol)))) {
      continue;
    }
    if (out.back() != '[') out += ',';
    append_instrument(out, state, snapshot.since[i], snapshot.open_of(state),
                      board.find({{state.exchange, state.market}, state.symbol}), snapshot.time, board.interval(),
                      spark);
    any = true;
  }
  return any;
}

namespace {
// How many members a group has, and how many are left out, of what is told of it.
std::string_view size_of(std::string_view text) {
  const auto at = text.find(R"(,"size":)");
  return text.substr(at, text.find(R"(,"counted":)", at + 1) - at);
}
}  // namespace

bool append_group_news(std::string& items, StreamClient& client, const GroupAsked& asked, Spark spark, Groups& groups,
                       const Snapshot& snapshot, const Board& board, GroupsTold& told) {
  const auto* const listed = std::get_if<std::string>(&asked);
  const std::string name =
      listed != nullptr ? "group " + *listed : Group{std::get<std::vector<InstrumentName>>(asked)}.name();
  std::string now;
  if (!groups.append_short(now, asked, snapshot, board, client.members)) return false;
  const auto before = client.groups_told.find(name);
  const bool fresh = before == client.groups_told.end() || size_of(before->second) != size_of(now);
  const bool news = fresh || before->second != now;
  if (news && !items.empty()) items += ',';
  if (fresh) {
    groups.append(items, asked, snapshot, board, spark);
  } else if (news) {
    items += now;
  }
  told[name] = std::move(now);
  return news;
}

namespace {
Known known_of(const InstrumentState& state, const OpenBar* open) {
  if (open == nullptr) return {state.state, {}, {}, {}, {}, 0};
  return {state.state, open->time, open->last_trade, open->cvd_base, open->cvd_quote, open->buys + open->sells};
}

// Everything that the instruments are sorted and filtered by.
void append_short(std::string& out, const InstrumentState& state, const OpenBar* open,
                  std::optional<BarStatus> written) {
  out += '[';
  append_text(out, state.exchange + ":" + std::string(name_of(state.market)) + ":" + state.symbol);
  out += ",\"";
  out += name_of(state.state);
  out += '"';
  if (written) {
    out += ",\"";
    out += name_of(*written);
    out += '"';
  } else {
    out += ",null";
  }
  const auto number = [&](const std::optional<Decimal>& value) {
    out += ',';
    append_decimal(out, value);
  };
  number(open != nullptr ? open->close : std::nullopt);
  for (const auto sum : {&OpenBar::delta_base, &OpenBar::delta_quote, &OpenBar::cvd_base, &OpenBar::cvd_quote}) {
    number(open != nullptr ? std::optional<Decimal>(open->*sum) : std::nullopt);
  }
  out += ']';
}
}  // namespace

void tell_rest(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               const Board& board, Told& told) {
  std::string head = R"({"type":"rest","time":)";
  append_moment(head, snapshot.time);
  auto changed = std::make_shared<std::string>(head + R"(,"values":[)"), all = std::make_shared<std::string>(*changed);
  const auto add = [](std::string& out, const std::string& item) {
    if (out.back() != '[') out += ',';
    out += item;
  };
  for (std::size_t i = from; i < to; ++i) {
    const InstrumentState& state = snapshot.states[i];
    const OpenBar* const open = snapshot.open_of(state);
    const Board::Track* const track = board.find({{state.exchange, state.market}, state.symbol});
    Known now = known_of(state, open);
    if (track != nullptr && track->newest) now.written = track->newest->status;
    std::string item;
    append_short(item, state, open, now.written);
    if (told.changes(state, now)) add(*changed, item);
    if (!fresh.empty()) add(*all, item);
  }
  const auto tell = [](const Streams& whom, const std::shared_ptr<std::string>& message) {
    if (message->back() == '[') return;
    *message += "]}";
    for (const auto& stream : whom) stream->tell(message);
  };
  tell(streams, changed);
  tell(fresh, all);
}

void tell_open(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               Told& told) {
  std::vector<std::size_t> changed, all;
  for (std::size_t i = from; i < to; ++i) {
    const InstrumentState& state = snapshot.states[i];
    if (told.changes(state, known_of(state, snapshot.open_of(state)))) changed.push_back(i);
    if (!fresh.empty()) all.push_back(i);
  }
  std::string head = R"({"type":"open","time":)";
  append_moment(head, snapshot.time);
  head += R"(,"bars":[)";
  const auto tell = [&](const Streams& whom, const std::vector<std::size_t>& what) {
    tell_some(
        whom, head, 0, what.size(),
        [&](const StreamClient& s, std::size_t i) {
          const InstrumentState& state = snapshot.states[what[i]];
          return s.wants(state.exchange, state.market, state.symbol);
        },
        [&](std::string& out, std::size_t i) {
          const InstrumentState& state = snapshot.states[what[i]];
          append_open(out, state, snapshot.since[what[i]], snapshot.open_of(state));
        });
  };
  tell(streams, changed);
  tell(fresh, all);
}

}  // namespace cvdd::web
