// The WebSocket clients of /api/v1/stream, and what they are told. io thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "live.hpp"
#include "query.hpp"

namespace cvdd::web {

class StreamClient {
 public:
  // `names`: of these alone; empty: of all.
  StreamClient(boost::beast::tcp_stream stream, std::optional<std::vector<InstrumentName>> names);
  // Until the client goes, or is dropped. Shared: whoever has it may tell it something.
  boost::asio::awaitable<void> run(boost::beast::http::request<boost::beast::http::empty_body> request);
  // One message; a client that has too much waiting is dropped: 4 MiB of what all are told, or 512 KiB of its own.
  void tell(std::shared_ptr<const std::string> message);
  void drop();
  [[nodiscard]] bool gone() const { return gone_; }
  // Nothing was told to it of open bars yet: it is told of all of them once.
  bool fresh = true;
  [[nodiscard]] bool wants_all() const { return !names_; }
  [[nodiscard]] bool wants(std::string_view exchange, Market market, std::string_view symbol) const;

  static constexpr std::size_t waiting_max = std::size_t{4} << 20, own_waiting_max = std::size_t{512} << 10;

 private:
  boost::asio::awaitable<void> write();
  boost::asio::awaitable<void> listen();

  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  std::optional<std::set<InstrumentName, InstrumentName::Before>> names_;
  std::deque<std::shared_ptr<const std::string>> waiting_;
  std::size_t waiting_bytes_ = 0;
  boost::asio::steady_timer more_;
  bool gone_ = false;
};

// What all streams know of each instrument: only what changed is told again.
struct Known {
  FeedState state = FeedState::unlisted;
  Timestamp bar, last_trade;
  Decimal cvd_base, cvd_quote;
  std::uint64_t fills = 0;
  bool operator==(const Known&) const = default;
};
struct Told {
  std::unordered_map<const Instrument*, Known> listed;
  std::map<Board::Key, Known> unlisted;
  // Whether it is news; from now on it is not.
  [[nodiscard]] bool changes(const InstrumentState& state, const Known& now);
};

using Streams = std::vector<std::shared_ptr<StreamClient>>;
void tell_rows(const Streams& streams, std::span<const Row> rows);
// Which instruments are new, and which are collected no more; nothing if none is.
void tell_list(const Streams& streams, const Live::Changes& changes, Timestamp time);
// Of the instruments [from, to) of the snapshot: those that changed, and all of them to the fresh ones.
void tell_open(const Streams& streams, const Streams& fresh, const Snapshot& snapshot, std::size_t from, std::size_t to,
               Told& told);

}  // namespace cvdd::web
