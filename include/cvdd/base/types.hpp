// The words of the field: instrument, trade, aggressor, market, record, bar. Plain values; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/base/decimal.hpp"

namespace cvdd {

// Microseconds since 1970-01-01T00:00:00Z. An exchange's trade time or our clock; never a duration.
struct Timestamp {
  std::int64_t us = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
// A length of time in microseconds.
struct Duration {
  std::int64_t us = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};
constexpr Timestamp operator+(Timestamp t, Duration d) { return {t.us + d.us}; }
constexpr Timestamp operator-(Timestamp t, Duration d) { return {t.us - d.us}; }
constexpr Duration operator-(Timestamp a, Timestamp b) { return {a.us - b.us}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }

// Start of the bar that holds `t`: floor to a multiple of `interval` since the epoch (UTC; no leap seconds).
constexpr Timestamp bar_start(Timestamp t, Duration interval) {
  std::int64_t rest = t.us % interval.us;
  return {t.us - (rest < 0 ? rest + interval.us : rest)};
}

// What a trade's size means (the CSV's column `market`). Binance USD-M is linear, COIN-M inverse.
enum class Market : std::uint8_t { spot, linear, inverse, option };
[[nodiscard]] std::string_view name_of(Market market);
[[nodiscard]] std::optional<Market> market_from(std::string_view name);

// Who crossed the spread. `unknown`: the exchange does not tell; such volume goes to `other_*`.
enum class Aggressor : std::uint8_t { buyer, seller, unknown };

// What an exchange's trade ids can prove.
enum class Ids : std::uint8_t {
  sequence,  // consecutive numbers: a hole is seen, its size known
  opaque,    // names without an order: a trade counts once, but nobody sees what is missing
};

// One tradable thing on one exchange, as its REST answer describes it.
struct Instrument {
  // Number given by the daemon; index into its tables; stable while it runs. 0-based.
  std::uint32_t id = 0;
  Market market = Market::spot;
  Ids ids = Ids::sequence;
  bool trading = true;  // false: listed, but not open for trading
  // Spot, linear, option: base units per unit of size; inverse: quote units (USD) per unit of size.
  Decimal contract_size{1, 0};
  // All that a trade needs is above.
  std::string exchange;  // "binance"
  std::string symbol;    // the exchange's own spelling: "BTCUSDT", "BTCUSD_PERP"
  std::string base;      // "BTC"
  std::string quote;     // "USDT"
  std::string settle;    // margin asset; empty for spot
  Timestamp listed;      // since when it has been listed, as the exchange says; 0: it does not
};

// Which of an instrument's id series a trade belongs to. Series are never mixed in one CVD.
enum class Series : std::uint8_t { aggregate, single, block };

// An id as the exchange gave it, where it is not just the number that orders the trades: "ETH-284830839", a UUID. Rows
// print it where ids have no order; empty: the number is the id.
struct IdText {
  static constexpr std::size_t size_max = 40;
  std::array<char, size_max> chars{};  // zeros behind the text
  // Empty if `text` is longer than size_max.
  [[nodiscard]] static std::optional<IdText> from(std::string_view text);
  [[nodiscard]] std::string_view view() const;
  [[nodiscard]] bool empty() const { return chars[0] == 0; }
};

// One message of a tape, converted: sizes in base and quote units, side by the taker.
struct Trade {
  Trade() {}  // NOLINT: a default one would be filled with zeros first, each time
  const Instrument* instrument = nullptr;
  Timestamp time;                // the exchange's trade time
  std::uint64_t id = 0;          // orders the instrument's trades within a series; of opaque ids, the lower half
  std::uint64_t id_high = 0;     // of opaque ids, the upper half
  IdText name;                   // the id as given, if it is not `id`
  std::uint32_t fills = 1;       // how many matches this message covers (aggregates: l - f + 1) …
  std::uint64_t first_fill = 0;  // … and the number of the first, where it has one that is not its id; 0: it has none
  bool merged = false;           // … and each of them has an id of its own: id - fills + 1 … id
  Aggressor aggressor = Aggressor::unknown;
  Series series = Series::aggregate;
  bool placeholder = false;  // only an id, no volume (Binance X = NA): counts for the sequence alone
  bool in_cvd = true;        // false: volume goes to other_* (block, insurance fund, ADL, side unknown)
  bool snapshot = false;     // sent because we subscribed, and older than that: of use only where ids go on from before
  Decimal price;             // quote per base, > 0
  Decimal base;              // base units, > 0
  Decimal quote;             // quote units, > 0

  // The first of the ids that it covers.
  [[nodiscard]] std::uint64_t first_id() const { return merged ? id - fills + 1 : id; }
};

// One bar as the exchange itself sums it up, with the takers' share. Fills are not told apart by side.
struct Candle {
  Timestamp time;  // its start
  Decimal open, high, low, close;
  std::uint64_t fills = 0;
  Decimal base, quote, buy_base, buy_quote;  // all volume, and what buyers took of it
};

// How exactly an exchange's candle can be compared.
struct CandleFacts {
  bool takers = false;          // it tells what buyers took, and how many fills there were
  bool base_exact = true;       // false: rounded, so quote volume alone is compared
  bool quote_exact = true;      // false: there is no quote volume, or it is rounded by more than a digit per fill
  bool quiet_left_out = false;  // a bar without a trade has no candle; else one that is missing tells nothing
};

// What travels from the io thread to the aggregator, trades and marks in one order.
enum class RecordKind : std::uint8_t {
  trade,         // volume of the CVD
  other,         // volume beside the CVD; does not move prices
  placeholder,   // an id without volume
  subscribed,    // the subscription was confirmed at `time`
  lost,          // nothing is known since `time` (connection lost or mute), until it is subscribed again; `count` > 0:
                 // of the `count` us since `time` alone; `id` 1: maybe nothing was lost
  hole,          // `count` ids from `id` on are missing before the next trade; `time` is that next trade's
  unsubscribed,  // the instrument ended at `time`
  verdict,  // of the exchange's history. count 0: nothing is missing up to `id`; else: nothing more is to be had of
            // the hole that holds `id`
  name,     // the id to print for the trade that comes next
  candles,  // the candles given for this instrument take effect; `count` ids from `id` on are in them. Where its rows
            // wait for them (hold), the bar that begins at `time` is whole (0: none), and its rows begin.
  watched,  // what was traded before `time` has been received, as far as the instrument's connection can tell; with
            // `count` 1: and no more than that, whatever was said before
  contradicted,  // a trade of the time [`time`, `time` + `count` us] is not counted and no true copy of one that is, or
                 // the exchange's own figures are not ours
  proven,        // the exchange's own figures say that the bars that begin in [`time`, `time` + `count` us) are whole
  remake,        // the bars that begin in [`time`, `time` + `count` us) are made again: the `id` trades that come as
                 // `again` are all that they have
  again,         // one of them …
  again_other,   // … whose volume is beside the CVD
};

// 64 bytes, one cache line: price as 64-bit, base and quote as 128-bit mantissas, the rest packed.
class Record {
 public:
  Record() = default;
  // A mark without volume.
  static Record mark(RecordKind kind, std::uint32_t instrument, Timestamp time, std::uint64_t id = 0,
                     std::uint64_t count = 0);
  // A trade; empty if its numbers do not fit (price beyond 64 bits, time before 1970 or after 2250).
  static std::optional<Record> from(const Trade& trade);
  // The same trade as a part of bars that are made again.
  [[nodiscard]] Record as_again() const;
  // What a trade's id reads like, to be followed by its record.
  static Record name(const IdText& text, std::uint32_t instrument);

  [[nodiscard]] RecordKind kind() const { return static_cast<RecordKind>(kind_); }
  [[nodiscard]] std::uint32_t instrument() const { return static_cast<std::uint32_t>(instrument_); }
  [[nodiscard]] Timestamp time() const { return {static_cast<std::int64_t>(time_us_)}; }
  [[nodiscard]] std::uint64_t id() const { return id_; }  // 0: it has no order, or one of its own
  // The first of the ids that this record covers.
  [[nodiscard]] std::uint64_t first_id() const { return merged_ != 0 ? id_ - fills_ + 1 : id_; }
  [[nodiscard]] std::uint32_t fills() const { return static_cast<std::uint32_t>(fills_); }
  [[nodiscard]] IdText name() const;
  [[nodiscard]] std::uint64_t count() const { return static_cast<std::uint64_t>(base_); }  // of a hole
  [[nodiscard]] Aggressor aggressor() const { return static_cast<Aggressor>(aggressor_); }
  [[nodiscard]] Decimal price() const { return {price_, static_cast<unsigned>(price_scale_)}; }
  [[nodiscard]] Decimal base() const { return {base_, static_cast<unsigned>(base_scale_)}; }
  [[nodiscard]] Decimal quote() const { return {quote_, static_cast<unsigned>(quote_scale_)}; }

 private:
  Int128 base_ = 0;
  Int128 quote_ = 0;
  std::int64_t price_ = 0;
  std::uint64_t id_ = 0;
  std::uint64_t time_us_ : 53 = 0;
  std::uint64_t kind_ : 4 = 0;
  std::uint64_t aggressor_ : 2 = 0;
  std::uint64_t price_scale_ : 5 = 0;
  std::uint64_t fills_ : 32 = 0;
  std::uint64_t instrument_ : 19 = 0;
  std::uint64_t merged_ : 1 = 0;
  std::uint64_t base_scale_ : 6 = 0;
  std::uint64_t quote_scale_ : 6 = 0;
};
static_assert(sizeof(Record) == 64);

// Status of a bar (CSV column `status`), in the order of precedence when several apply.
enum class BarStatus : std::uint8_t { gap, partial, history, repaired, live };
[[nodiscard]] std::string_view name_of(BarStatus status);
[[nodiscard]] std::optional<BarStatus> bar_status_from(std::string_view name);

// One line of the CSV, as values (spec: docs/csv.md). Prices are absent before an instrument's first trade.
struct Row {
  Timestamp time;
  std::string exchange;
  Market market = Market::spot;
  std::string symbol;
  std::uint32_t rev = 0;
  BarStatus status = BarStatus::live;
  std::optional<Decimal> open, high, low, close;
  std::uint64_t buys = 0, sells = 0;
  Decimal buy_base, sell_base, buy_quote, sell_quote;
  Decimal delta_base, delta_quote, cvd_base, cvd_quote, other_base, other_quote;
  std::string first_id, last_id;             // as the exchange gave them; empty without a trade
  std::optional<std::uint64_t> missing = 0;  // empty: a hole of unknown size, printed "?"
};

// The number that a row's id is; empty if it is none, or is too large to be one of a sequence.
[[nodiscard]] std::optional<std::uint64_t> sequence_id(std::string_view text);

}  // namespace cvdd
