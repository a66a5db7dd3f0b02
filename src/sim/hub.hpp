// What the parts of the simulated server share: who listens to which stream, and the sources that feed them.
// Everything here belongs to the server's thread.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "certificate.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/server.hpp"
#include "recording.hpp"

namespace cvdd::sim {

using Frame = std::shared_ptr<const std::string>;  // encoded once, sent to many

// One WebSocket, as the sources see it.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void push(Frame frame) = 0;  // a reader that is too slow is cut
  virtual void cut(bool reset) = 0;    // at once; `reset`: as a fault, without a farewell
  virtual void befall(LineFault fault) = 0;
  [[nodiscard]] virtual std::string_view exchange() const = 0;
  [[nodiscard]] virtual std::size_t queued() const = 0;  // bytes
  [[nodiscard]] virtual bool wraps() const = 0;
};

// The connections that listen to one topic.
struct Channel {
  std::vector<Connection*> readers;
};

// One instrument's topics and how far they were sent.
struct Feed {
  const Protocol* protocol = nullptr;
  std::vector<std::string> topics;
  std::vector<Channel*> channels;
  std::uint64_t sent_id = 0;
};

struct Hub : std::enable_shared_from_this<Hub> {
  Hub(boost::asio::io_context& context, ServerOptions settings, std::shared_ptr<Tape> source);

  void start();
  void stop();
  void drop_connections();
  [[nodiscard]] Channel& channel(const std::string& topic);
  void subscribed();  // somebody asked for streams: recordings wait until that calms down
  [[nodiscard]] Answer answer(Address& address);
  // What this exchange's weight is used up to in this minute.
  unsigned charge(const Protocol& protocol, const Address& address, unsigned weight);
  RestFault rest_fault = RestFault::none;
  Duration rest_wait;
  struct Wait {
    Timestamp told, until;
  };
  std::map<std::string_view, Wait> waits;  // by exchange: whom it asked to stay away

  boost::asio::io_context& io;
  ServerOptions options;
  std::shared_ptr<Tape> tape;  // may be null
  CertificateSet certificates;
  boost::asio::ssl::context tls{boost::asio::ssl::context::tls_server};
  boost::asio::ip::tcp::acceptor acceptor;
  std::uint16_t port = 0;
  ServerStats stats;
  bool muted = false;  // no trade is told
  bool stopped = false;
  std::set<Connection*> connections;
  std::set<boost::asio::ip::tcp::socket*> rest_sockets;  // to be closed at stop

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> print_tape();
  boost::asio::awaitable<void> play_recording();
  void print(const TapeInstrument& what, Feed& feed, std::span<const TapeTrade> trades);

  std::unordered_map<std::string, Channel> channels_;  // nodes stay where they are: feeds point at them
  std::vector<Feed> feeds_;
  Recording recording_;
  std::array<std::string, 3> instruments_;  // exchangeInfo bodies to serve, by market
  std::vector<std::string> fresh_frames_;
  boost::asio::steady_timer timer_;
  std::optional<std::chrono::steady_clock::time_point> first_subscription_, last_subscription_;
  std::int64_t minute_ = 0;
  std::map<std::string, unsigned> weights_;  // by exchange and pool
};

// Our clock, as the simulated exchange's.
[[nodiscard]] Timestamp wall_clock();

// Serves one accepted socket until it ends: REST answers, or a WebSocket.
boost::asio::awaitable<void> serve(std::shared_ptr<Hub> hub, boost::asio::ip::tcp::socket socket);

}  // namespace cvdd::sim
