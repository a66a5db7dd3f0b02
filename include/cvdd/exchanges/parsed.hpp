// What one message of an exchange turned out to be. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cvdd/base/market_data.hpp"
#include "cvdd/base/types.hpp"

namespace cvdd {

// Why a message was not used. Counted by kind; never stops a connection.
enum class Refusal : std::uint8_t {
  none,
  not_json,        // broken or truncated
  not_understood,  // valid JSON of an unknown kind
  bad_field,       // a field is missing or of the wrong type
  bad_number,      // price or size is no number, zero, negative, or has too many digits
  unknown_symbol,  // a trade of an instrument we did not ask for
  wrong_market,    // the message says that it belongs to another market
  overflow,        // size conversion does not fit
  count_,
};
[[nodiscard]] std::string_view name_of(Refusal refusal);

// Answer to one of our requests. `topics` are what DataChannel::topic makes of instruments.
struct Ack {
  std::uint64_t id = 0;  // the request's; 0: the answer does not say, the oldest that fits is meant
  bool ok = true;
  std::vector<std::string> topics;  // what it speaks of; empty: of all the request asked for
  // What it means for the rest of the request, if it names some.
  enum class Rest : std::uint8_t {
    open,     // another answer comes for them
    refused,  // they are not served, and no other word will come
    again,    // they went down with those it names: to be asked for once more
  } rest = Rest::open;
  std::string error;       // the exchange's own words if not ok
  bool temporary = false;  // … and the request may be good another time (too many requests, internal error)
};

// The exchange says that this is its newest trade of the instrument.
struct Newest {
  const Instrument* instrument = nullptr;
  Series series = Series::single;
  std::uint64_t id = 0;
  Timestamp time;
};

// A row that can't be used although it is of an instrument that is wanted.
struct RefusedRow {
  const Instrument* instrument = nullptr;
  Timestamp time;  // the trade's; 0: it can't be read either
};

// What one message turned out to be. Reused between calls so that nothing is allocated per message.
struct Parsed {
  std::vector<Trade> trades;
  BesideTrades beside;  // filled only by channels of other kinds
  std::vector<Newest> newest;
  std::vector<Ack> acks;
  std::string reply;               // to be sent at once; empty: nothing
  bool has_beside = false;         // there is something in `beside`
  bool pong = false;               // answers a probe, whichever
  bool closing_soon = false;       // the exchange announces that it will close the connection
  bool list_changed = false;       // instruments are not what the last list said of them
  bool ignored = false;            // understood, and not needed (tickers, order books, …)
  std::uint32_t refused_rows = 0;  // rows that were refused, the last of them for the reason below
  Refusal refusal = Refusal::none;
  std::vector<RefusedRow> refused_of;  // those of them that name an instrument that is wanted
  // Something was refused that names nobody, or too much to list it all: it may have been a trade of any instrument of
  // this connection. False with an empty `refused_of`: what was refused was nobody's trade (of an instrument that was
  // not asked for, an unreadable heartbeat).
  bool refused_of_anybody = false;
  static constexpr std::size_t refused_of_max = 1'024;
  void refuse(Refusal why) {
    // That somebody else's row came along tells less than any other reason.
    if (refusal == Refusal::none || why != Refusal::unknown_symbol) refusal = why;
    ++refused_rows;
  }
  // … of this instrument; nullptr: of nobody knows which.
  void refuse(Refusal why, const Instrument* of, Timestamp time = {}) {
    refuse(why);
    if (of == nullptr || refused_of.size() == refused_of_max) {
      refused_of_anybody = true;
    } else {
      refused_of.push_back({of, time});
    }
  }
  // Another trade, or value of another kind, to be filled; and the last one away again.
  template <class T>
  [[nodiscard]] T& add() {
    return list<T>().emplace_back();
  }
  template <class T>
  void take_back() {
    list<T>().pop_back();
  }
  // Trades, or nothing that anybody has to act on.
  [[nodiscard]] bool asks_nothing() const {
    return acks.empty() && reply.empty() && !pong && !closing_soon && !list_changed;
  }
  void clear() {
    trades.clear();
    if (has_beside) beside.clear();
    newest.clear();
    acks.clear();
    reply.clear();
    has_beside = pong = closing_soon = list_changed = ignored = refused_of_anybody = false;
    refused_of.clear();
    refused_rows = 0;
    refusal = Refusal::none;
  }

 private:
  template <class T>
  std::vector<T>& list() {
    if constexpr (std::is_same_v<T, Trade>) {
      return trades;
    } else {
      has_beside = true;
      return beside.list<T>();
    }
  }
};

}  // namespace cvdd
