// A market's connections while the daemon runs: does what the pool and the silence monitor say. io thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connection_pool.hpp"
#include "cvdd/daemon/market_runner.hpp"
#include "silence_monitor.hpp"

namespace cvdd {

struct ConnectionsContext {
  const MarketContext* market = nullptr;
  const Exchange* exchange = nullptr;
  Intake* intake = nullptr;
  std::shared_ptr<ExchangeTime> time;
  std::shared_ptr<Latency> receipt_to_ledger;
  std::vector<Url> hosts;
  Stream stream = Stream::aggregate;
  std::size_t per_connection = 0;  // instruments, at most
  std::uint32_t redundancy = 1;
  std::string name;  // of the market, for the log
  // Asks history for the newest trade; `lull`: because the whole connection is silent. Null: there is no history.
  std::function<void(const Instrument&, bool lull)> ask;
  // History has nothing newer of it than what was heard.
  std::function<void(const Instrument&)> on_quiet;
  std::function<void(const Instrument&, const std::string& why)> on_refused;
  std::function<void()> on_list_changed;  // the exchange says so
  // How many messages of these an earlier run saw in five quiet seconds; 0: that is not known.
  std::function<std::uint32_t(std::span<const Instrument* const>)> usual_messages;
};

class MarketConnections {
 public:
  explicit MarketConnections(ConnectionsContext context);

  void begin(std::span<const Instrument* const> instruments) { perform(pool_.begin(instruments)); }
  void end(std::span<const Instrument* const> instruments) { perform(pool_.end(instruments)); }
  void stop();

  // Every half second: who takes over, who is renewed by age, who has ended.
  void tend();
  // As often: which connections are silent for longer than can be chance.
  void look_for_lulls();
  // Every few seconds: which instruments are.
  void look_for_quiet();
  // What history has answered to `ask`.
  void answered(const Instrument& instrument, Answered answer);

  // See MarketRunner.
  void watch();
  // The exchange's time was thought to be `was`, and is `is`.
  void clock_moved(Timestamp was, Timestamp is);
  void nudge(Timestamp end);
  // See HistoryContext::inject.
  [[nodiscard]] std::size_t inject(const Instrument& instrument, std::span<const Record> records);

  // Every instrument that is collected, and its connection's number.
  // Some connection carries it, or has not done with it yet.
  [[nodiscard]] bool refers_to(const Instrument& instrument) const;
  [[nodiscard]] const std::map<const Instrument*, std::uint32_t>& carried() const { return pool_.carried(); }
  [[nodiscard]] bool carries(const Instrument& instrument) const { return carried().contains(&instrument); }
  [[nodiscard]] FeedState feed_state(const Instrument& instrument) const;
  // Why an instrument's connection last ended, or was not made.
  [[nodiscard]] std::string last_reason(const Instrument& instrument) const;
  // Adds what is known of connections; their exchange and market are left open.
  void look(std::vector<ConnectionState>& out) const;
  void look(MarketState& out) const;
  [[nodiscard]] std::uint64_t backpressure_us() const;
  [[nodiscard]] std::uint64_t renewed() const { return pool_.renewed(); }
  [[nodiscard]] std::uint64_t stalls() const { return silence_.stalls(); }

 private:
  void perform(const ConnectionPool::Steps& steps);
  void open(const ConnectionPool::Step& step);
  [[nodiscard]] std::unique_ptr<Session> make_session(std::uint32_t number, std::shared_ptr<ChannelWriter> writer);
  [[nodiscard]] std::shared_ptr<ChannelWriter> make_writer() const;
  [[nodiscard]] Session& of(const Instrument& instrument) const { return *sessions_.at(carried().at(&instrument)); }
  void set_limits(Session& session) const;
  void found_mute(Session& session) const;
  void forget_ended();

  ConnectionsContext context_;
  ConnectionPool pool_;
  SilenceMonitor silence_;
  HostSelector hosts_;
  // A session without instruments has been told to end; it stays here, so that its coroutine may return in peace.
  std::map<std::uint32_t, std::unique_ptr<Session>> sessions_;
  std::uint64_t backpressure_before_us_ = 0;  // of sessions that are gone
  EndCounts ends_before_{};
  std::size_t queue_max_before_ = 0;
};

}  // namespace cvdd
