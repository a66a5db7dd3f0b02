// What a connection is subscribed to, and what the exchange is still to be told: requests batch by batch, answers,
// refusals, and who is asked for again. Keyed by instrument and channel, so that an answer about one kind of data says
// nothing of another. Pure: times come in. One per connection; io thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cvdd/base/rate_limit.hpp"
#include "cvdd/exchanges/exchange.hpp"

namespace cvdd {

// One channel's data of one instrument; neither is null.
struct Subscription {
  const Instrument* instrument = nullptr;
  const DataChannel* channel = nullptr;
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

class Subscriptions {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Refused {
    Subscription what;
    std::string why;  // in the exchange's words
  };
  // What an answer changed.
  struct Changes {
    std::vector<Subscription> confirmed;
    std::vector<Refused> refused;  // each once, until it is asked for again
    bool more_to_ask = false;      // the answer made something be asked for once more
    std::string useless;           // why the connection is of no use any more; empty: it is of use
    Duration stay_away;            // if it is useless: how long another one would be, too
  };

  explicit Subscriptions(const Exchange& exchange) : exchange_(exchange) {}

  // A connection was made: all that is wanted is to be asked for. What an earlier one was told is forgotten.
  void begin();
  // It has ended; what is added or removed now waits for the next.
  void end() { connected_ = false; }

  void add(const Subscription& what);
  // No-op if it is not wanted.
  void remove(const Subscription& what);
  // Out and in again.
  void renew(const Subscription& what);

  // The next message, as far as the exchange's hourly limit allows one; empty: nothing has to be said yet.
  [[nodiscard]] std::string next(Time now);
  // Whether next() would have something to say.
  [[nodiscard]] bool due(Time now) const { return asking() && now >= ask_after_; }
  // A sign of life is about to be asked for; the id of that request.
  [[nodiscard]] std::uint64_t probe(Time now);
  // A probe was answered, nobody says which.
  void probe_answered();
  [[nodiscard]] Changes acknowledge(const Ack& ack, Time now);
  // What was refused long enough ago is asked for again.
  void ask_refused_again(Time now);

  // Whether the exchange is still to be told something.
  [[nodiscard]] bool asking() const { return !to_subscribe_.empty() || !to_unsubscribe_.empty() || !apart_.empty(); }
  // Whether a request has no answer yet.
  [[nodiscard]] bool waiting() const { return !requests_.empty(); }
  // Nothing is to be said, and at most probes wait for their answers.
  [[nodiscard]] bool settled() const;
  // When the oldest request was sent that has no answer and whose silence says that the connection is broken: what is
  // no trade may be late without that. Empty: there is none.
  [[nodiscard]] std::optional<Time> waiting_since() const;
  [[nodiscard]] bool is_refused(const Subscription& what) const;
  // Whether anything that is wanted, was asked for or is to be said is about it.
  [[nodiscard]] bool refers_to(const Instrument& instrument) const;

  // A refusal that names nobody may be of the whole exchange, and is not believed for long.
  static constexpr Duration refused_pause = seconds(600), unnamed_pause = seconds(60);
  static constexpr std::chrono::seconds temporary_pause{10};
  // An answer that names more is looked through first: a message has room for millions.
  static constexpr std::size_t topics_max = 4'096;
  // Whole requests of trades that are refused on a connection that was granted nothing.
  static constexpr std::size_t refusals_max = 12;

 private:
  enum class Kind : std::uint8_t { subscribe, unsubscribe, probe };
  using List = std::vector<Subscription>;
  struct Request {
    Kind kind = Kind::probe;
    List what;  // not answered for yet; of one channel
    std::uint64_t id = 0;
    Time sent{};
  };
  [[nodiscard]] bool hour_allows(Time now);
  [[nodiscard]] List take(std::deque<Subscription>& queue) const;
  [[nodiscard]] std::string text_of(Verb verb, const List& what) const;
  [[nodiscard]] Ack without_strangers(const Ack& ack) const;
  [[nodiscard]] Changes take(const Ack& ack, Time now);
  std::uint64_t remember(Kind kind, List what, Time now);
  [[nodiscard]] std::deque<Request>::iterator request_of(const Ack& ack);
  void settle(Request request, const Ack& ack, Time now, Changes& changes);
  void answer_for(const List& named, const Ack& ack, Time now, Changes& changes);
  void ask_apart(List what, Changes& changes);
  void part(const List& what, const std::string& error, Changes& changes);
  void refuse(const List& what, const std::string& error, bool named, Time now, Changes& changes);

  const Exchange& exchange_;
  bool connected_ = false;
  List wanted_;
  // What is still to be said. Bounded by what is wanted.
  std::deque<Subscription> to_subscribe_, to_unsubscribe_;
  std::deque<List> apart_;  // to be subscribed too, each in a request of its own
  List refused_;
  std::deque<Request> requests_;  // without an answer yet; bounded by batches, and a probe in its time
  std::uint64_t next_id_ = 1;     // never used twice, also not by the next connection
  Time ask_after_{}, ask_refused_at_ = Time::max();
  std::size_t refusals_ = 0;  // of whole requests, on this connection
  bool accepted_any_ = false;
  std::optional<TokenBucket> hour_;  // empty: no such limit
  bool hour_reserved_ = false;       // for the request that comes next
};

}  // namespace cvdd
