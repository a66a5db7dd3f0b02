// One WebSocket client of /api/v1/stream: what it wants, and what waits for it. io thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "allowance.hpp"
#include "cvdd/base/flood_limit.hpp"
#include "want.hpp"

namespace cvdd::web {

class StreamClient {
 public:
  // `names`: of these alone; empty: of all. Until it says itself what it wants.
  StreamClient(boost::beast::tcp_stream stream, Allowance& allowance, std::optional<std::vector<InstrumentName>> names);
  // Until the client goes, or is dropped. Shared: whoever has it may tell it something. `heard`: what it wants has
  // changed; the set is what it was not told of before.
  using Heard = std::function<boost::asio::awaitable<void>(const InstrumentNames& fresh)>;
  boost::asio::awaitable<void> run(boost::beast::http::request<boost::beast::http::empty_body> request, Heard heard);
  // One message; a client that has too much waiting is dropped: 4 MiB of what all are told, or 512 KiB of its own.
  void tell(std::shared_ptr<const std::string> message);
  // A sign of life, if it was told nothing since the last call and has said what it wants.
  void beat(const std::shared_ptr<const std::string>& message);
  void drop();
  [[nodiscard]] bool gone() const { return gone_; }
  // Nothing was told to it of open bars yet: it is told of all of them once. The same of the rest.
  bool fresh = true, fresh_rest = true;
  [[nodiscard]] bool wants_all() const { return !names_ && !want_; }
  [[nodiscard]] bool wants(std::string_view exchange, Market market, std::string_view symbol) const;
  // What it has said that it wants, another with each time; null: nothing yet.
  [[nodiscard]] const std::shared_ptr<const Want>& want() const { return want_; }
  // What was last told to it of each group it wants.
  std::map<std::string, std::string> groups_told;
  // Their members: of these it hears of rows.
  InstrumentNames members;
  [[nodiscard]] bool wants_rows(std::string_view exchange, Market market, std::string_view symbol) const {
    return wants(exchange, market, symbol) || members.contains(std::tuple(exchange, market, symbol));
  }

  // Pings, pongs and closings that it may send in a second: they cost as much as what it says, and wait for nothing.
  static constexpr std::uint32_t controls_max = 32;
  static constexpr std::size_t waiting_max = std::size_t{4} << 20, own_waiting_max = std::size_t{512} << 10;

 private:
  boost::asio::awaitable<void> write();
  boost::asio::awaitable<void> listen(Heard heard);
  boost::asio::awaitable<void> take(std::string_view text, const Heard& heard);
  [[nodiscard]] bool packs(const std::string& message);

  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  Allowance& allowance_;
  std::optional<InstrumentNames> names_;
  std::shared_ptr<const Want> want_;
  std::deque<std::shared_ptr<const std::string>> waiting_;
  std::size_t waiting_bytes_ = 0;
  boost::asio::steady_timer more_;
  FloodLimit controls_{controls_max};
  bool gone_ = false, told_ = false;
};

}  // namespace cvdd::web
