// Makes a session's connections: when it is its turn, to which host, by which path; and heeds what a refusal asks. io
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/rate_limit.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/feed/host_selector.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

struct ConnectorContext {
  std::function<std::unique_ptr<Transport>()> make_transport;
  Clock* clock = nullptr;
  HostSelector* hosts = nullptr;  // of the market; shared by its sessions
  ExchangeGate* gate = nullptr;   // of the exchange; shared by all its connections
  // The host that another connection with the same instruments uses: if there is a choice, not that one. May be null.
  std::function<std::optional<std::size_t>()> avoid_host;
  const Exchange* exchange = nullptr;
  Stream stream = Stream::aggregate;
  std::string ws_target;  // empty: the exchange's for this stream
  std::vector<Url> urls;  // of the hosts, tried in order
  std::chrono::milliseconds timeout{15'000};
  std::string name;  // of the session, for the log
};

class Connector {
 public:
  explicit Connector(ConnectorContext context) : context_(std::move(context)) {}

  // Takes a turn among all connections of the exchange: how long to wait for it.
  [[nodiscard]] std::chrono::milliseconds take_turn();
  // Whether it came too late (the machine was frozen). All that did would connect at once: another one is needed.
  [[nodiscard]] bool overslept() const;

  struct Attempt {
    std::unique_ptr<Transport> transport;  // null: it failed
    bool refused = false;                  // … because the exchange refused it
    std::string why;                       // … in words
  };
  // `instruments`: how many, for the log.
  asio::awaitable<Attempt> connect(std::size_t instruments);

  // The connection brought trades.
  void good() { context_.hosts->good(host_); }
  // It ended without having brought any.
  void failed() { context_.hosts->failed(host_, context_.clock->steady()); }
  // Acknowledged, and not a word: where another path may carry the same, the next connection takes that.
  void silent();

  [[nodiscard]] std::size_t host() const { return host_; }
  [[nodiscard]] std::string host_name() const {
    return host_ < context_.urls.size() ? context_.urls[host_].host : std::string();
  }

 private:
  [[nodiscard]] std::string heed(const Transport& transport);
  [[nodiscard]] std::string target(bool other) const {
    if (!context_.ws_target.empty()) return context_.ws_target;
    return (other ? context_.exchange->other_ws_target : context_.exchange->ws_target)(context_.stream);
  }

  ConnectorContext context_;
  std::chrono::steady_clock::time_point turn_{};
  std::size_t host_ = 0;
  bool other_path_ = false;   // see HostSelector
  std::string last_failure_;  // the log knows it
};

}  // namespace cvdd
