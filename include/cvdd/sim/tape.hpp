// A seeded tape: the trades that a simulated exchange prints, and the truth its clients are compared with.
// Same seed, same instruments, same start → same trades, whatever the order of the questions. Pure; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"

namespace cvdd::sim {

// Which ids an exchange gives its trades.
enum class Numbering : std::uint8_t {
  aggregates,  // messages are numbered, and the fills in them for themselves
  merged,      // fills are numbered; a message of several has the last one's number
  singles,     // one fill, one message, one number
};

struct TapeTrade;
// What is simulated of one instrument. Price and size are integers in steps.
struct TapeInstrument {
  Instrument instrument;            // as the exchange would describe it
  std::uint8_t price_decimals = 2;  // price = price_ticks / 10^price_decimals
  std::uint8_t size_decimals = 3;
  std::int64_t start_price_ticks = 0;
  std::int64_t typical_size_steps = 0;
  std::uint32_t trades_per_minute = 60;  // messages, on average; bursts come on top
  Numbering numbering = Numbering::aggregates;
  bool blocks = false;  // one trade in fifty is a block trade
  // How its exchange prints an id without order; null: as id_text does.
  std::string (*id_text)(const TapeTrade& trade) = nullptr;
};

// What one message prints. Its fills have the numbers first_fill … last_fill; `id` is the message's (see Numbering).
struct TapeTrade {
  Timestamp time;
  std::uint64_t id = 0;
  std::uint64_t first_fill = 0, last_fill = 0;
  std::int64_t price_ticks = 0;
  std::int64_t size_steps = 0;
  bool buyer_is_maker = false;  // true: the taker sold
  bool block = false;           // agreed elsewhere: on the tape, but in no CVD
};

// The truth about one bar, summed independently of the ledger (128-bit integers, no Decimal).
struct TapeBar {
  std::uint64_t buys = 0, sells = 0;                    // fills
  Int128 buy_size = 0, sell_size = 0;                   // steps
  Int128 buy_value = 0, sell_value = 0;                 // steps × ticks; all without blocks
  std::int64_t open = 0, high = 0, low = 0, close = 0;  // ticks; 0 without trades
  std::uint64_t first_id = 0, last_id = 0;
  std::vector<TapeTrade> trades;
};

class Tape {
 public:
  // `start`: time of the first trade; nothing was traded before.
  Tape(std::uint64_t seed, Timestamp start, std::vector<TapeInstrument> instruments);
  ~Tape();
  [[nodiscard]] std::span<const TapeInstrument> instruments() const;
  // Index of an instrument; npos if there is none.
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t find(std::string_view exchange, Market market, std::string_view symbol) const;
  // Makes the tape up to `now` (exclusive). Times must not go back.
  void advance(Timestamp now);
  // All trades made so far (or the last 2,000,000 per tape: oldest are forgotten), by id ascending.
  [[nodiscard]] std::span<const TapeTrade> trades(std::size_t instrument) const;
  // Those that an exchange's history still has: see set_reach.
  [[nodiscard]] std::span<const TapeTrade> history(std::size_t instrument) const;
  // How far histories reach back from now; 0, the default: as far as the tape.
  void set_reach(Duration reach);
  [[nodiscard]] TapeBar bar(std::size_t instrument, Timestamp begin, Duration interval) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Size of one single trade of an aggregate. The sizes of all its fills sum to the aggregate's, each at least one step.
[[nodiscard]] std::int64_t fill_size(const TapeTrade& trade, std::uint64_t fill);

// An instrument of a market with the price and sizes of the n-th name there is: the well-known first (BTC, ETH, …), the
// rest made up (S0012 …). Exchange, symbol and currencies are still to be filled in.
[[nodiscard]] TapeInstrument make_instrument(Market market, std::size_t n, std::uint32_t trades_per_minute);

// A trade's id as its exchange prints it: a made-up UUID where ids have no order and it prints no other.
[[nodiscard]] std::string id_text(const TapeInstrument& what, const TapeTrade& trade);

// `count` instruments of the exchange with the most of them, spread over spot, linear and inverse (BTCUSDT, ETHUSDT,
// 1000PEPEUSDT, BTCUSD_PERP of 100 USD, ETHUSD_PERP of 10 USD …).
[[nodiscard]] std::vector<TapeInstrument> make_instruments(std::size_t count, std::uint32_t trades_per_minute);

}  // namespace cvdd::sim
