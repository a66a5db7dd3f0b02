// How instruments, connections and markets are doing, as values: for health, metrics and the page. io thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/feed/intake.hpp"

namespace cvdd {

enum class FeedState : std::uint8_t { unlisted, connecting, subscribing, refused, live, count_ };
[[nodiscard]] std::string_view name_of(FeedState state);

struct InstrumentState {
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  const Instrument* instrument = nullptr;  // null: unlisted
  FeedState state = FeedState::unlisted;
  std::string reason;                     // of what is not live; may be empty
  std::optional<Timestamp> proven_until;  // bars before have their final proof; empty: none has, or none is asked for
  std::string_view unproven = {};         // why that moment stands still, in a word; empty: it does not
};

struct ConnectionState {
  std::string name;  // "binance spot #1"
  std::string exchange;
  Market market = Market::spot;
  std::string host;
  std::string_view state;  // "connecting", "subscribing", "live", "mute"
  std::size_t instruments = 0;
  std::chrono::steady_clock::time_point since{}, last_message{};  // zero: not connected
  std::uint64_t connects = 0, failures = 0, messages = 0;
  std::string last_reason;
};

// Why a connection ended, or was not made.
enum class EndCause : std::uint8_t { closed, mute, silent, network, refused, renewed, count_ };
[[nodiscard]] std::string_view name_of(EndCause cause);
using EndCounts = std::array<std::uint64_t, static_cast<std::size_t>(EndCause::count_)>;

struct MarketState {
  std::string exchange;
  Market market = Market::spot;
  const IntakeCounters* counters = nullptr;
  std::array<std::size_t, static_cast<std::size_t>(FeedState::count_)> instruments{};
  EndCounts ends{};
  std::size_t connections = 0;
  std::uint64_t stalls = 0, backpressure_us = 0;
  std::uint64_t audited = 0, audit_mismatches = 0, remade = 0;  // bars
  std::optional<Duration> proven_lag;  // how long ago the oldest bar without a final proof began, of all instruments
  std::uint64_t rest_requests = 0;
  std::map<unsigned, std::uint64_t> rest_refusals;    // by HTTP status
  std::size_t queue = 0, queue_max = 0;               // records in the fullest queue: now, and ever
  std::size_t history_used = 0, history_allowed = 0;  // requests of the last minute, and as many as there may be
  Duration banned;                                    // the exchange wants us to stay away for so long
  Duration clock_ahead;                               // local clock less the exchange's
  Timestamp last_trade_heard;                         // when, by the exchange's clock; 0: never
};

}  // namespace cvdd
