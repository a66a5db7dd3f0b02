// What is sent: the tape as time goes by, or recordings played again.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "coroutines.hpp"
#include "hub.hpp"

namespace cvdd::sim {
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t playing_ahead = 1 << 20;  // bytes a player may be ahead of the slowest reader

bool full(const Channel& channel) {
  return std::ranges::any_of(channel.readers, [](const Connection* c) { return c->queued() > playing_ahead; });
}

}  // namespace

void Hub::print(const TapeInstrument& what, Feed& feed, std::span<const TapeTrade> trades) {
  if (trades.empty() || trades.back().id == feed.sent_id) return;
  if (feed.sent_id != 0) {
    const auto fresh = std::ranges::upper_bound(trades, feed.sent_id, {}, &TapeTrade::id);
    trades = trades.last(static_cast<std::size_t>(trades.end() - fresh));
  }
  feed.sent_id = trades.back().id;
  for (std::size_t topic = 0; topic < feed.topics.size(); ++topic) {
    const std::vector<Connection*>& readers = feed.channels[topic]->readers;
    if (readers.empty()) continue;
    fresh_frames_.clear();
    feed.protocol->frames(what, topic, trades, wall_clock(), fresh_frames_);
    for (const std::string& raw : fresh_frames_) {
      Frame plain, wrapped;
      for (Connection* reader : readers) {
        Frame& frame = reader->wraps() ? wrapped : plain;
        if (!frame) {
          frame = std::make_shared<const std::string>(reader->wraps() ? feed.protocol->wrapped(feed.topics[topic], raw)
                                                                      : raw);
        }
        reader->push(frame);
        ++stats.trades_sent;
      }
    }
  }
}

asio::awaitable<void> Hub::print_tape() {
  const auto self = shared_from_this();
  auto next = Clock::now();
  while (!stopped) {
    tape->advance(wall_clock());
    const auto instruments = tape->instruments();
    for (std::size_t i = 0; i < instruments.size(); ++i) print(instruments[i], feeds_[i], tape->trades(i));
    next = std::max(next + std::chrono::milliseconds(10), Clock::now());
    timer_.expires_at(next);
    co_await timer_.async_wait(quietly);
  }
}

asio::awaitable<void> Hub::play_recording() {
  const auto self = shared_from_this();
  auto sleep_until = [this](Clock::time_point when) {
    timer_.expires_at(when);
    return timer_.async_wait(quietly);
  };
  // Several connections of one client subscribe one after the other, and none should miss the beginning.
  for (;;) {
    const auto now = Clock::now();
    if (first_subscription_ && (now - *last_subscription_ >= std::chrono::milliseconds(500) ||
                                now - *first_subscription_ >= std::chrono::seconds(3)))
      break;
    co_await sleep_until(now + std::chrono::milliseconds(10));
    if (stopped) co_return;
  }
  const auto begin = Clock::now();
  std::size_t played = 0;
  std::optional<Timestamp> origin;  // of the first frame whose time is known
  for (const RecordedFrame& frame : recording_.frames) {
    if (options.recording_speed > 0 && frame.received.us > 0) {
      if (!origin) origin = frame.received;
      const auto behind = static_cast<double>((frame.received - *origin).us) / options.recording_speed;
      const auto due = begin + std::chrono::microseconds(static_cast<std::int64_t>(behind));
      if (due > Clock::now()) co_await sleep_until(due);
    }
    const Channel& to = channel(frame.topic);
    while (!stopped && full(to)) co_await sleep_until(Clock::now() + std::chrono::milliseconds(1));
    if (stopped) co_return;
    for (Connection* reader : to.readers) {
      reader->push(frame.text);
      ++stats.trades_sent;
    }
    if (++played % 256 == 0) co_await asio::post(io, asio::use_awaitable);  // let the writers write
  }
}

}  // namespace cvdd::sim
