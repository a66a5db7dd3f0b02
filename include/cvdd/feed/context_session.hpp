// One WebSocket for what stands beside the trades. A connection of its own: whatever becomes of it, the trades' ones
// see nothing of it. A coroutine on the io thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"
#include "cvdd/feed/connector.hpp"
#include "cvdd/feed/context_intake.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/subscriptions.hpp"

namespace cvdd {

struct ContextSessionContext {
  ConnectorContext connection;
  const ExchangeTime* time = nullptr;
  ContextIntake* intake = nullptr;
  // The exchange does not serve this kind of this instrument, in its own words.
  std::function<void(const Subscription&, const std::string& why)> on_refused;
  std::uint64_t seed = 0;  // of the jitter
};

class ContextSession {
 public:
  explicit ContextSession(ContextSessionContext context);

  // Runs until stop(). Owned by the caller, who keeps it alive until this returns.
  asio::awaitable<void> run();
  void stop();
  // All of the instrument's channels on this connection. None is a channel of trades, or asked for by REST.
  void add(const Instrument& instrument, std::span<const DataChannel* const> channels);
  void remove(const Instrument& instrument);

  [[nodiscard]] std::size_t subscriptions() const { return wanted_.size(); }
  [[nodiscard]] bool carries(const Instrument& instrument) const;
  [[nodiscard]] bool refers_to(const Instrument& instrument) const;
  [[nodiscard]] bool live() const { return connected_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::uint64_t connects() const { return connects_; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  asio::awaitable<void> wait_for_turn();
  asio::awaitable<void> converse();
  asio::awaitable<void> read_messages();
  asio::awaitable<void> write_requests();
  asio::awaitable<void> pause(std::chrono::milliseconds time);
  [[nodiscard]] std::string next_text(Time now, bool& ping);
  [[nodiscard]] bool take(std::string_view message, Timestamp received);
  [[nodiscard]] bool acknowledge(const Ack& ack);
  void lose_all();
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] const Exchange& exchange() const { return *context_.connection.exchange; }
  [[nodiscard]] Clock& clock() const { return *context_.connection.clock; }

  ContextSessionContext context_;
  Connector connector_;
  Subscriptions subscriptions_;
  std::vector<Subscription> wanted_;
  SymbolTable symbols_;
  Parsed parsed_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Timer> timer_, write_timer_;
  Backoff backoff_;
  std::deque<std::string> replies_;  // to what the exchange asks
  Time last_probe_{}, last_ping_{}, last_frame_{}, last_value_{};
  std::string why_;    // the connection ended because
  bool mute_ = false;  // … its values had stopped before its frames did
  bool connected_ = false, brought_ = false, stopping_ = false, ended_ = false;
  std::uint64_t connects_ = 0;
};

}  // namespace cvdd
