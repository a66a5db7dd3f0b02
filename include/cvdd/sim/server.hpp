// The simulated exchanges: a real TLS server (WebSocket and REST on one port) with a certificate authority made at
// start. It speaks each exchange's protocol from a Tape, or plays recordings verbatim. Runs on its own io_context
// thread or on the caller's; everything else about it is that thread's alone.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/sim/tape.hpp"

namespace cvdd::sim {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                      // 0: any free one
  std::vector<std::string> recordings;         // files to play instead of the tape
  std::vector<std::string> instruments_files;  // exchangeInfo bodies to serve instead of the tape's (.gz too)
  double recording_speed = 1.0;                // 0: as fast as the clients read
  std::uint32_t streams_per_connection = 1024;
  Duration lifetime = {86'400'000'000};  // a connection is closed at this age
  Duration ping_every = seconds(20);
};

// What can befall a WebSocket.
enum class LineFault : std::uint8_t {
  reset,    // RST
  end,      // a farewell, then FIN
  silent,   // half-open: nothing is answered any more, and nothing is closed
  mute,     // alive, answers everything, and brings no more trades
  swallow,  // the next frame is lost
  repeat,   // the next twenty come twice
  swap,     // the next ten change places with the one after them
  count_,
};

// How REST answers.
enum class RestFault : std::uint8_t {
  none,
  too_many,  // 429 with Retry-After; who asks again before that is counted as impolite
  banned,    // 418 with Retry-After, likewise
  broken,    // 503
  slow,      // one byte a second
  half,      // the connection ends in the middle of the answer
  nonsense,  // JSON of another kind
  count_,
};

// Counters for tests; read them on the server's thread or after it stopped.
struct ServerStats {
  std::uint64_t connections = 0;
  std::uint64_t trades_sent = 0;
  std::uint64_t requests = 0;  // WebSocket requests
  std::uint64_t rest_requests = 0;
  std::uint64_t limit_violations = 0;  // too many messages a second, too many streams
  std::uint64_t overweight = 0;        // requests beyond an exchange's weight for a minute
  std::uint64_t impolite = 0;          // requests that came although they were told to wait
  std::string rude;                    // the last of them: what it asked for, and how long after it was told
  std::uint64_t rest_refused = 0;      // spoilt by a RestFault
};

class Server {
 public:
  // `tape` may be nullptr with recordings. Throws std::runtime_error with the reason if it cannot listen.
  Server(boost::asio::io_context& io, ServerOptions options, std::shared_ptr<Tape> tape);
  ~Server();
  void start();
  void stop();              // closes everything; call on the server's thread
  void drop_connections();  // cuts every WebSocket, as a fault; on the server's thread
  // One WebSocket of each exchange; `choice` says which. On the server's thread. How many it befell.
  std::size_t trouble(LineFault fault, std::uint64_t choice);
  // No trade is told any more, on any connection, also those to come; everything else goes on.
  void fall_mute();
  // From now on; `wait` is what Retry-After says, in whole seconds. On the server's thread.
  void trouble_rest(RestFault fault, Duration wait);
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const std::string& ca_pem() const;  // the certificate authority to trust
  // The configuration lines ([exchange.NAME.MARKET] with ws and rest) that point a daemon here.
  [[nodiscard]] std::string config_toml() const;
  [[nodiscard]] const ServerStats& stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cvdd::sim
