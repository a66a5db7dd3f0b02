// How far a connection has brought the trades of its instruments: what was heard on it, whether its silence can be
// chance, what it vouches for, and what is lost with it. Pure: times come in, marks go out. One per connection; io
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cvdd/feed/intake.hpp"
#include "cvdd/feed/reach.hpp"
#include "cvdd/feed/silence_detector.hpp"

namespace cvdd {

class ConnectionWatch {
 public:
  using Time = SilenceDetector::Time;
  using Instruments = std::span<const Instrument* const>;
  // `feed`: the connection's number. `in_flight`: a trade arrives no later than this after it was made.
  ConnectionWatch(Intake& intake, std::uint32_t feed, Duration in_flight)
      : intake_(intake), feed_(feed), in_flight_(in_flight) {}

  // A connection was made.
  void begin(Time now);
  // So many messages with trades are usual in five seconds, as an earlier run has seen.
  void expect(std::uint32_t messages) { silence_.expect(messages); }

  // Around the messages of one read, which came at `received` by the exchange's clock: before them, for each that has
  // trades, and behind them if any had. What must be said because of them goes into `records`, among which theirs begin
  // at `first`.
  void before_reading(Instruments instruments, Timestamp received, Time now);
  void heard(std::span<const Trade> trades, Timestamp received);
  void after_reading(Instruments instruments, std::size_t first, Timestamp received, Time now,
                     std::vector<Record>& records);

  // Every half second or so: whether it has been silent for longer than can be chance. `settled`: all that it asked for
  // is answered; before, its silence means nothing. It vouches for nobody then, until it speaks, somebody vouches for
  // it, or it ends.
  [[nodiscard]] bool lulled(bool settled, Time now);
  [[nodiscard]] bool doubting() const { return doubting_; }
  // Nothing was traded before `now` that it has not brought.
  void vouched(Time now);

  // Says how far its instruments' trades are here. `frame`: when anything at all came last; `time`: now; both by the
  // exchange's clock.
  void watched(Instruments instruments, Timestamp frame, Timestamp time, Time now, std::vector<Record>& marks);

  // The exchange's time was thought to be `was`, and is `is`: what was said of later than that is taken back.
  void clock_moved(Instruments instruments, Timestamp was, Timestamp is, std::vector<Record>& marks);

  // It has ended, and was complete up to `until`, as far as its frames tell. `mute`: its data had stopped before they
  // did.
  void lose(Instruments instruments, Timestamp until, bool mute, Timestamp time, std::vector<Record>& records);

 private:
  // How often the instruments should have traded since they did, and each of those whose ids are a sequence.
  struct Owed {
    double all = 0;
    std::vector<std::pair<std::uint32_t, double>> by_ids;
  };
  [[nodiscard]] Owed owed(Instruments instruments, Timestamp now) const;
  void end_doubt(Instruments instruments, std::size_t first, Timestamp received, Time now,
                 std::vector<Record>& records);
  [[nodiscard]] bool went_on(std::span<const Record> records) const;
  [[nodiscard]] bool lags() const { return heard_.received - heard_.event > in_flight_; }

  Intake& intake_;
  std::uint32_t feed_;
  Duration in_flight_;
  SilenceDetector silence_;
  Heard heard_;        // on this connection
  Timestamp vouched_;  // how far it last said that trades are here
  Timestamp closed_;   // bars that end by then were due when it last said so
  bool doubting_ = false;
  bool doubted_ = false;    // when the messages came that are being read …
  Owed owed_;               // … and what they had to bring to be believed
  std::uint32_t news_ = 0;  // messages of this read that came of themselves
};

}  // namespace cvdd
