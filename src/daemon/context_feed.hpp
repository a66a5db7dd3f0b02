// What a market keeps beside its trades: which channels that takes, on which connections, and by which questions. It
// has no part in what the trades' connections do. io thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/daemon/market_runner.hpp"
#include "cvdd/feed/context_poller.hpp"
#include "cvdd/feed/context_session.hpp"

namespace cvdd {

struct ContextFeedContext {
  const MarketContext* market = nullptr;
  const Exchange* exchange = nullptr;
  std::shared_ptr<ExchangeTime> time;
  std::vector<Url> ws_hosts, rest_hosts;
  Stream stream = Stream::aggregate;
  std::function<void(const HttpResponse&, std::string&)> heed;
  std::string name;  // of the market, for the log
};

class ContextFeed {
 public:
  explicit ContextFeed(ContextFeedContext context);

  // What is kept of these from now on. Of kinds that the market does not have nothing is.
  void begin(std::span<const Instrument* const> instruments, DataKinds kinds);
  void end(std::span<const Instrument* const> instruments);
  void stop();
  // When a bar is due, and all that had arrived by then has been read.
  void flush() { intake_.flush(context_.time->now()); }

  [[nodiscard]] bool refers_to(const Instrument& instrument) const;
  [[nodiscard]] const ContextIntake& intake() const { return intake_; }

 private:
  using Channels = std::vector<const DataChannel*>;
  // Channels of one WebSocket target.
  [[nodiscard]] std::map<std::string, Channels> channels_of(DataKinds kinds) const;
  [[nodiscard]] ContextSession& session_with_room(const std::string& target, std::size_t channels);
  [[nodiscard]] std::unique_ptr<ContextSession> make_session(const std::string& target);
  [[nodiscard]] ContextPoller& poller_of(const DataChannel& channel);
  void report_refused(const Subscription& what, const std::string& why);

  ContextFeedContext context_;
  std::shared_ptr<ContextRing> ring_;
  ContextIntake intake_;
  HostSelector hosts_;
  std::map<std::string, std::vector<std::unique_ptr<ContextSession>>> sessions_;  // by target
  std::map<const DataChannel*, std::unique_ptr<ContextPoller>> pollers_;
  std::map<const Instrument*, DataKinds> kept_;
  std::size_t refusals_told_ = 0, made_ = 0;
};

}  // namespace cvdd
