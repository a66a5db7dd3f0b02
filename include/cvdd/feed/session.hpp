// One WebSocket connection for its whole life: connect, subscribe, read, judge, reconnect. A coroutine on the io
// thread; everything it decides with (Liveness, Backoff, TokenBucket, Intake) is pure and tested without it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/backoff.hpp"
#include "cvdd/base/rate_limit.hpp"
#include "cvdd/feed/exchange_time.hpp"
#include "cvdd/feed/feed_status.hpp"
#include "cvdd/feed/host_selector.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/feed/liveness.hpp"
#include "cvdd/feed/reach.hpp"
#include "cvdd/feed/silence_detector.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/pipeline/coalesced_wakeup.hpp"
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
  std::uint64_t connects = 0, failures = 0, backpressure_waits = 0;
  std::uint64_t backpressure_us = 0;  // not read because its queue was full
  std::uint64_t messages = 0;
  std::size_t queue_max = 0;  // records that waited in its queue
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
  void expect_messages(std::uint32_t messages) { silence_.expect(messages); }
  // How long the data may be silent before the connection counts as mute; for the connections to come.
  void set_silence(std::chrono::milliseconds limit) { settings_.limits.silence = settings_.limits.first_frame = limit; }

  // The exchange has nothing newer than what was heard: it is quiet, not mute.
  void vouch();
  // Every half second or so: whether it has been silent for longer than can be chance (SilenceDetector). It vouches for
  // nobody then, until it speaks, somebody vouches for it, or it ends.
  [[nodiscard]] bool lulled();
  // Says of each of its instruments how far its trades are here. Once all that had arrived has been read; not while
  // its queue is full.
  void watch();
  // The exchange's time was `was` by our idea, and is `is`; trades had borne it out until `agreed` (0: never). What was
  // said by it since then is in doubt.
  void clock_set(Timestamp was, Timestamp is, Timestamp agreed);
  // Asks for a sign of life if nothing was heard since `end`, so that there is one after the end of a bar.
  void nudge(Timestamp end);
  // Quiet for so long that it will count as mute before long.
  [[nodiscard]] bool suspicious() const {
    return liveness_ && requests_.empty() && liveness_->suspicious(context_.clock->steady());
  }
  // This instrument's feed is deaf: out and in again.
  void resubscribe(const Instrument& instrument);
  void avoid_host_of(std::function<std::optional<std::size_t>()> other) { context_.avoid_host = std::move(other); }
  // The whole connection is: it ends as mute, and a new one is made.
  void condemn() {
    condemned_ = true;
    write_timer_->cancel();
  }
  [[nodiscard]] std::size_t host() const { return host_; }

  // Records from elsewhere (history) into this connection's queue, behind all that it has received: how many there was
  // room for. 0 while its own are waiting for room.
  [[nodiscard]] std::size_t inject(std::span<const Record> records);

  // Whether everything asked for is acknowledged and trades come: it can take over from another connection.
  [[nodiscard]] bool delivers() const {
    if (!liveness_ || asking() || !requests_.empty()) return false;
    // On a quiet market the acknowledgement must do.
    return liveness_->any_data() || context_.clock->steady() >= liveness_->last_data() + quiet_takeover;
  }
  // Whether the exchange will close it before long: by its age, or because it said so.
  [[nodiscard]] bool wants_renewal() const {
    return liveness_.has_value() && (closing_soon_ || context_.clock->steady() >= renew_at_);
  }
  // The queue for a connection that takes over from this one, or carries the same.
  [[nodiscard]] const std::shared_ptr<ChannelWriter>& writer() const { return context_.writer; }
  [[nodiscard]] const std::vector<const Instrument*>& collected() const { return instruments_; }

  [[nodiscard]] bool live() const { return live_; }
  // For who looks on: everything but exchange and market.
  [[nodiscard]] ConnectionState state() const;
  // Of one of its instruments, which is not confirmed.
  [[nodiscard]] FeedState feed_state(const Instrument& instrument) const;
  [[nodiscard]] bool stopping() const { return stopping_; }
  // run() has returned: nothing refers to it any more.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::size_t instruments() const { return instruments_.size(); }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }

 private:
  enum class RequestKind : std::uint8_t { subscribe, unsubscribe, probe };
  struct Request {
    RequestKind kind;
    std::vector<const Instrument*> instruments;  // not answered for yet
    std::uint64_t id = 0;
    Liveness::Time sent{};
  };
  asio::awaitable<void> connect_again_and_again();
  asio::awaitable<bool> connect();
  asio::awaitable<void> converse();
  asio::awaitable<void> write_requests();
  void begin_asking();
  [[nodiscard]] bool asking() const { return !to_subscribe_.empty() || !to_unsubscribe_.empty() || !apart_.empty(); }
  [[nodiscard]] bool wants_probe(Liveness::Time now) const;
  [[nodiscard]] std::uint64_t remember(Request request);
  [[nodiscard]] std::string next_request();
  asio::awaitable<void> read_messages();
  asio::awaitable<void> deliver();
  [[nodiscard]] bool deliver_at_once();
  void push_records();
  asio::awaitable<void> pause(std::chrono::milliseconds time);
  [[nodiscard]] bool take_all(std::span<const std::string_view> messages, Liveness::Time now);
  [[nodiscard]] bool answer(const Parsed& parsed);
  void note_silence();
  void note_end(const boost::system::error_code& error, Liveness::Time now);
  [[nodiscard]] bool acknowledge(const Ack& ack);
  [[nodiscard]] std::deque<Request>::iterator request_of(const Ack& ack);
  [[nodiscard]] bool settle(Request request, const Ack& ack);
  [[nodiscard]] bool part(const std::vector<const Instrument*>& instruments, const std::string& error);
  [[nodiscard]] bool refuse(const std::vector<const Instrument*>& instruments, const std::string& error, bool named);
  void ask_again(std::vector<const Instrument*> instruments);
  void ask_refused_again();
  [[nodiscard]] std::string topic_of(const Instrument& instrument) const;
  void lose_all();
  // How often the instruments should have traded since they did, and each of those whose ids are a sequence.
  struct Owed {
    double all = 0;
    std::vector<std::pair<std::uint32_t, double>> by_ids;
  };
  [[nodiscard]] Owed owed(Timestamp now) const;
  void end_doubt(const Owed& owed, std::size_t before, Timestamp received, Liveness::Time now);
  void retract();
  [[nodiscard]] Timestamp last_frame() const;  // by the exchange's clock
  void push_marks();
  [[nodiscard]] std::string heed_refusal();
  void update_waiting();

  SessionContext context_;
  SessionSettings settings_;
  std::vector<const Instrument*> instruments_;
  std::unique_ptr<Transport> transport_;
  std::optional<Liveness> liveness_;
  SilenceDetector silence_;
  bool doubting_ = false;
  bool nudged_ = false;
  Heard heard_;                   // on this connection
  Timestamp vouched_;             // how far it last said that trades are here
  std::deque<Request> requests_;  // without an answer yet; bounded by batches + a probe in its time
  std::uint64_t next_request_ = 1;
  // What this connection is still to be told. Bounded by the instruments there are.
  std::deque<const Instrument*> to_subscribe_, to_unsubscribe_;
  std::deque<std::vector<const Instrument*>> apart_;  // to be subscribed too, each in a request of its own
  std::vector<const Instrument*> refused_;
  std::deque<std::string> replies_;  // to what the exchange asks
  Liveness::Time last_probe_{}, ask_after_{}, ask_refused_again_ = Liveness::Time::max();
  std::size_t refusals_ = 0;  // of whole requests, on this connection
  bool accepted_any_ = false, refused_all_ = false, condemned_ = false;
  static constexpr Duration refused_pause = seconds(600), unnamed_pause = seconds(60);
  static constexpr std::chrono::seconds quiet_takeover{30};
  std::vector<Record> marks_;    // of instruments that ended, when the queue had no room for them
  std::vector<Record> records_;  // of the messages that one read brought
  std::unique_ptr<Timer> timer_, write_timer_;
  Backoff backoff_;
  std::size_t host_ = 0;
  bool other_path_ = false;  // see HostSelector
  std::string why_;          // the connection ended because
  EndCause cause_ = EndCause::network;
  std::string last_end_;  // why the last one ended or was not made
  std::chrono::steady_clock::time_point connected_at_{};
  bool mute_ = false;  // … its data had stopped before its frames did
  bool live_ = false, stopping_ = false, closing_soon_ = false, ended_ = false;
  std::chrono::steady_clock::time_point renew_at_ = std::chrono::steady_clock::time_point::max();
  std::string last_failure_;
  SessionCounters counters_;
};

}  // namespace cvdd
