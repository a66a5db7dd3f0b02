#include "stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "json.hpp"

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds handshake_max{10}, idle_max{60};
constexpr std::size_t rows_per_message = 500, names_per_message = 500;
constexpr std::size_t client_message_max = 1'024;
}  // namespace

StreamClient::StreamClient(beast::tcp_stream stream, std::optional<std::vector<InstrumentName>> names)
    : socket_(std::move(stream)), more_(socket_.get_executor()) {
  if (names) names_.emplace(names->begin(), names->end());
}

bool StreamClient::wants(std::string_view exchange, Market market, std::string_view symbol) const {
  return !names_ || names_->contains(std::tuple(exchange, market, symbol));
}

asio::awaitable<void> StreamClient::run(beast::http::request<beast::http::empty_body> request) {
  using namespace asio::experimental::awaitable_operators;
  beast::get_lowest_layer(socket_).expires_never();
  websocket::stream_base::timeout limits{handshake_max, idle_max, true};  // asks for a sign of life
  socket_.set_option(limits);
  socket_.read_message_max(client_message_max);
  socket_.auto_fragment(false);  // one message, one frame, one write
  const auto [error] = co_await socket_.async_accept(request, await_tuple);
  if (!error) co_await (write() || listen());
  drop();
}

// Whatever it says is passed over; it has to be read for pings and the end.
asio::awaitable<void> StreamClient::listen() {
  beast::flat_buffer buffer(2 * client_message_max);
  while (!gone_) {
    const auto [error, got] = co_await socket_.async_read(buffer, await_tuple);
    if (error) co_return;
    buffer.clear();
  }
}

asio::awaitable<void> StreamClient::write() {
  socket_.text(true);
  while (!gone_) {
    if (waiting_.empty()) {
      more_.expires_at(asio::steady_timer::time_point::max());
      co_await more_.async_wait(await_tuple);
      continue;
    }
    const std::shared_ptr<const std::string> message = waiting_.front();
    const auto [error, sent] = co_await socket_.async_write(asio::buffer(*message), await_tuple);
    if (error) co_return;
    waiting_bytes_ -= message->size();
    waiting_.pop_front();
  }
}

void StreamClient::tell(std::shared_ptr<const std::string> message) {
  if (gone_) return;
  waiting_bytes_ += message->size();
  waiting_.push_back(std::move(message));
  if (waiting_bytes_ > (wants_all() ? waiting_max : own_waiting_max)) return drop();
  more_.cancel();
}

void StreamClient::drop() {
  if (std::exchange(gone_, true)) return;
  more_.cancel();
  beast::get_lowest_layer(socket_).close();
}

namespace {
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

void tell_rows(const Streams& streams, std::span<const Row> rows) {
  for (std::size_t from = 0; from < rows.size(); from += rows_per_message) {
    tell_some(
        streams, R"({"type":"bars","rows":[)", from, std::min(rows.size(), from + rows_per_message),
        [&](const StreamClient& s, std::size_t i) { return s.wants(rows[i].exchange, rows[i].market, rows[i].symbol); },
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
          return s.wants(where.first, where.second, symbol);
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

void tell_open(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               Told& told) {
  std::vector<std::size_t> changed, all;
  for (std::size_t i = from; i < to; ++i) {
    const InstrumentState& state = snapshot.states[i];
    const OpenBar* open = snapshot.open_of(state);
    Known now{state.state, {}, {}, {}, {}, 0};
    if (open != nullptr) {
      now = {state.state, open->time, open->last_trade, open->cvd_base, open->cvd_quote, open->buys + open->sells};
    }
    if (told.changes(state, now)) changed.push_back(i);
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
