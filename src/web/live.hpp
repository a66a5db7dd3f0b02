// What the server knows at this moment, gathered once or twice a second: states, open bars, the board, readiness.
// io thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "board.hpp"
#include "cvdd/daemon/engine.hpp"

namespace cvdd::web {

// Instruments as they were at one moment; shared by who tells of them piece by piece.
struct Snapshot {
  Timestamp time;
  std::vector<InstrumentState> states;
  std::vector<Timestamp> since;     // of each state
  std::vector<Timestamp> not_live;  // since when each was not live; the same as `since` where it is
  RowFeed::OpenBars open_bars;      // may be null
  std::unordered_map<const Instrument*, const OpenBar*> open;
  std::size_t live = 0;
  [[nodiscard]] const OpenBar* open_of(const InstrumentState& state) const {
    const auto found = state.instrument == nullptr ? open.end() : open.find(state.instrument);
    return found == open.end() ? nullptr : found->second;
  }
};

class Live {
 public:
  Live(Engine& engine, Timestamp now) : engine_(engine), board_(engine.config().interval), now_(now) {}

  // Rows that were written since the last time. For `add`, piece by piece.
  [[nodiscard]] std::deque<RowFeed::Rows> take_rows(bool& missed);
  // To the board; kept back while the past is being read.
  void add(const RowFeed::Rows& rows, std::size_t from, std::size_t to);
  void set_past(Board past);
  [[nodiscard]] bool has_past() const { return has_past_; }

  // Looks at everything once more.
  void look(Timestamp now);
  // Which instruments there are, since the last time; those that the first look found are no news. One that its
  // exchange lists by now comes anew: its units are known. One that is in both may have gone again: the snapshot knows.
  struct Changes {
    std::vector<Board::Key> come, gone;
  };
  [[nodiscard]] Changes take_changes() { return std::exchange(changes_, {}); }
  // When the newest open bars came.
  [[nodiscard]] std::chrono::steady_clock::time_point open_bars_at() const { return open_bars_at_; }
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] const Health& health() const { return health_; }
  void set_health(const Health& health, Timestamp now) {
    if (health.backlog_rows == 0) disk_bad_since_.reset();
    if (health.backlog_rows > 0 && !disk_bad_since_) disk_bad_since_ = now;
    health_ = health;
  }
  [[nodiscard]] std::optional<Timestamp> disk_bad_since() const { return disk_bad_since_; }
  [[nodiscard]] bool disk_good() const { return health_.backlog_rows == 0; }
  // Why it is not ready, in words; empty: it is. `now`: what was looked at too long ago counts for nothing.
  [[nodiscard]] std::vector<std::string> reasons(Timestamp now) const;
  // Somebody looks: the open bars are asked for in the next minute.
  using Time = std::chrono::steady_clock::time_point;
  void show_interest(Time now) { interested_until_ = now + std::chrono::seconds(60); }
  [[nodiscard]] bool interested(Time now) const { return now < interested_until_; }

  // Seconds since the last trade of each market, and the usual gap; 0: not known yet.
  [[nodiscard]] const std::map<std::pair<std::string, Market>, std::pair<double, double>>& silence() const {
    return silence_;
  }

 private:
  // Time and trades, fading over ten minutes; a silence counts once it is over.
  struct Usual {
    double time = 0, trades = 0;
    std::uint64_t seen = 0;
    std::chrono::steady_clock::time_point since;
    bool begun = false;
  };
  void look_at_silence(std::chrono::steady_clock::time_point now);

  Engine& engine_;
  Board board_;
  bool has_past_ = false;
  struct Piece {
    RowFeed::Rows rows;
    std::size_t from, to;
  };
  std::deque<Piece> held_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
  struct Since {
    FeedState state = FeedState::unlisted;
    Timestamp state_since, not_live_since;
    std::uint64_t look = 0;  // the last that saw it
  };
  [[nodiscard]] Since& since_of(const InstrumentState& state);
  std::unordered_map<const Instrument*, Since> since_;
  std::map<Board::Key, Since> unlisted_since_;  // of what has no Instrument yet
  std::uint64_t looks_ = 0;
  void note_gone(const Snapshot& s);
  Changes changes_;
  std::optional<Timestamp> disk_bad_since_;
  std::map<std::pair<std::string, Market>, Usual> usual_;
  std::map<std::pair<std::string, Market>, std::pair<double, double>> silence_;
  Health health_;
  Time interested_until_{}, open_bars_at_{};
  Timestamp now_;
};

}  // namespace cvdd::web
