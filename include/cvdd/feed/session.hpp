// One WebSocket connection for its whole life: connect, subscribe, read, judge, reconnect. A coroutine on the io
// thread; everything it decides with (Subscriptions, ConnectionWatch, Liveness,
// Backoff, Intake) is pure and tested without it.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"
#include "cvdd/base/flood_limit.hpp"
#include "cvdd/feed/connection_watch.hpp"
#include "cvdd/feed/connector.hpp"
#include "cvdd/feed/delivery.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/feed/liveness.hpp"
#include "cvdd/feed/subscriptions.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/system/clock.hpp"

namespace cvdd {

struct SessionContext {
  std::function<std::unique_ptr<Transport>()> make_transport;
  Clock* clock = nullptr;
  const ExchangeTime* time = nullptr;  // of the market
  HostSelector* hosts = nullptr;       // of the market; shared by its sessions
  Intake* intake = nullptr;            // of the market; shared by its sessions
  ExchangeGate* gate = nullptr;        // of the exchange; shared by all its connections
  std::shared_ptr<ChannelWriter> writer;
  CoalescedWakeup* wakeup = nullptr;
  // The host that another connection with the same instruments uses: if there is a choice, not that one.
  std::function<std::optional<std::size_t>()> avoid_host;
  // The exchange does not serve this instrument, in its own words. Tried again every `refused_pause`.
  std::function<void(const Instrument&, const std::string&)> on_refused;
  // The exchange says that its list of instruments is another now.
  std::function<void()> on_list_changed;
};

struct SessionSettings {
  std::string name;          // "binance spot #1", for the log
  std::uint32_t number = 1;  // of the connection within its market, from 1
  std::vector<Url> hosts;    // tried in order
  Stream stream = Stream::aggregate;
  LivenessLimits limits;
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds renew_after{0};  // 0: never by age
  Duration in_flight = seconds(2);           // a trade arrives no later than this after it was made (close_delay)
  std::uint64_t seed = 0;                    // of the jitter
};

struct SessionCounters {
  std::uint64_t connects = 0, failures = 0, messages = 0;
  EndCounts ends{};
};

class Session {
 public:
  Session(SessionContext context, SessionSettings settings);

  // Runs until stop(). Owned by the caller, who keeps it alive until this returns.
  asio::awaitable<void> run();
  void stop();
  // From now on these too, and those no more. What is not named is not touched: no reconnect, no trade lost.
  void add(std::span<const Instrument* const> instruments);
  void remove(std::span<const Instrument* const> instruments);

  // So many messages with trades are usual in five seconds, as an earlier run has seen.
  void expect_messages(std::uint32_t messages) { watch_.expect(messages); }
  // How long the data may be silent before the connection counts as mute; for the connections to come.
  void set_silence(std::chrono::milliseconds limit) { settings_.limits.silence = settings_.limits.first_frame = limit; }

  // The exchange has nothing newer than what was heard: it is quiet, not mute.
  void vouch();
  // Every half second or so: whether it has been silent for longer than can be chance.
  [[nodiscard]] bool lulled();
  // Says of each of its instruments how far its trades are here. Once all that had arrived has been read; not while
  // its queue is full.
  void watch();
  // The exchange's time was thought to be `was`, and is `is`.
  void clock_moved(Timestamp was, Timestamp is);
  // Asks for a sign of life if nothing was heard since `end`, so that there is one after the end of a bar.
  void nudge(Timestamp end);
  // Quiet for so long that it will count as mute before long.
  [[nodiscard]] bool suspicious() const {
    return liveness_ && !subscriptions_.waiting() && liveness_->suspicious(context_.clock->steady());
  }
  // This instrument's feed is deaf: out and in again.
  void resubscribe(const Instrument& instrument);
  // The whole connection is: it ends as mute, and a new one is made.
  void condemn() {
    condemned_ = true;
    write_timer_->cancel();
  }
  [[nodiscard]] std::size_t host() const { return connector_.host(); }

  // Records from elsewhere (history) into this connection's queue, behind all that it has received: how many there was
  // room for. 0 while its own are waiting for room.
  [[nodiscard]] std::size_t inject(std::span<const Record> records) { return delivery_.inject(records); }

  // Whether everything asked for is acknowledged and trades come: it can take over from another connection.
  [[nodiscard]] bool delivers() const {
    if (!liveness_ || subscriptions_.asking() || subscriptions_.waiting()) return false;
    // On a quiet market the acknowledgement must do.
    return liveness_->any_data() || context_.clock->steady() >= liveness_->last_data() + quiet_takeover;
  }
  // Whether the exchange will close it before long: by its age, or because it said so.
  [[nodiscard]] bool wants_renewal() const {
    return liveness_.has_value() && (closing_soon_ || context_.clock->steady() >= renew_at_);
  }
  // The queue for a connection that takes over from this one, or carries the same.
  [[nodiscard]] const std::shared_ptr<ChannelWriter>& writer() const { return delivery_.writer(); }
  [[nodiscard]] const std::vector<const Instrument*>& collected() const { return instruments_; }

  // Messages without a trade, or other data that was asked for: some exchanges send all that they have, none so much.
  static constexpr std::uint32_t useless_messages_max = 16'384;  // in a second; more of them end the connection

  [[nodiscard]] bool live() const { return live_; }
  // For who looks on: everything but exchange and market.
  [[nodiscard]] ConnectionState state() const;
  // Of one of its instruments, which is not confirmed.
  [[nodiscard]] FeedState feed_state(const Instrument& instrument) const;
  [[nodiscard]] bool refers_to(const Instrument& instrument) const {
    return std::ranges::count(instruments_, &instrument) > 0 || subscriptions_.refers_to(instrument);
  }
  [[nodiscard]] bool stopping() const { return stopping_; }
  // run() has returned: nothing refers to it any more.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::size_t instruments() const { return instruments_.size(); }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }
  // How it waited for room in its queue.
  [[nodiscard]] const Delivery& delivery() const { return delivery_; }

 private:
  asio::awaitable<void> connect_again_and_again();
  asio::awaitable<bool> connect();
  asio::awaitable<void> converse();
  asio::awaitable<void> write_requests();
  void begin_asking();
  [[nodiscard]] bool wants_probe(Liveness::Time now) const;
  [[nodiscard]] std::uint64_t remember_probe();
  [[nodiscard]] Subscription trades_of(const Instrument& instrument) const;
  asio::awaitable<void> read_messages();
  asio::awaitable<void> pause(std::chrono::milliseconds time);
  [[nodiscard]] bool take_all(std::span<const std::string_view> messages, Liveness::Time now);
  [[nodiscard]] bool answer(const Parsed& parsed);
  void note_end(const boost::system::error_code& error, Liveness::Time now);
  [[nodiscard]] bool acknowledge(const Ack& ack);
  void lose_all();
  [[nodiscard]] Timestamp was(Liveness::Time moment) const;
  void update_waiting();

  SessionContext context_;
  SessionSettings settings_;
  std::vector<const Instrument*> instruments_;
  std::unique_ptr<Transport> transport_;
  std::optional<Liveness> liveness_;
  Connector connector_;
  Subscriptions subscriptions_;
  ConnectionWatch watch_;
  Delivery delivery_;
  bool nudged_ = false;
  std::deque<std::string> replies_;  // to what the exchange asks
  FloodLimit useless_messages_{useless_messages_max};
  Liveness::Time last_probe_{}, last_ping_{};
  Duration stay_away_;  // before the next connection is made, if all of this one was refused
  bool condemned_ = false;
  static constexpr std::chrono::seconds quiet_takeover{30};
  std::unique_ptr<Timer> timer_, write_timer_;
  Backoff backoff_;
  std::string why_;  // the connection ended because
  EndCause cause_ = EndCause::network;
  std::string last_end_;  // why the last one ended or was not made
  std::chrono::steady_clock::time_point connected_at_{};
  bool mute_ = false;  // … its data had stopped before its frames did
  bool live_ = false, stopping_ = false, closing_soon_ = false, ended_ = false;
  std::chrono::steady_clock::time_point renew_at_ = std::chrono::steady_clock::time_point::max();
  SessionCounters counters_;
};

}  // namespace cvdd
