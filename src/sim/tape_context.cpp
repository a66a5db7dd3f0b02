#include "cvdd/sim/tape_context.hpp"

#include <algorithm>

namespace cvdd::sim {

namespace {
// Numbers that look drawn, and are the same each time.
class Draw {
 public:
  Draw(const TapeInstrument& what, Timestamp second) : state_(0xCBF29CE484222325U) {
    for (const char c : what.instrument.symbol) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    state_ ^= static_cast<std::uint64_t>(what.instrument.market) << 32U;
    state_ += static_cast<std::uint64_t>(second.us / 1'000'000) * 0x9E3779B97F4A7C15U;
  }
  // From `least` to `most`.
  std::int64_t operator()(std::int64_t least, std::int64_t most) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
    return least + static_cast<std::int64_t>((z ^ z >> 31U) % static_cast<std::uint64_t>(most - least + 1));
  }

 private:
  std::uint64_t state_;
};
constexpr Duration funding_every = seconds(8 * 3'600);
}  // namespace

TapeContext tape_context(const TapeInstrument& what, Timestamp second) {
  Draw draw(what, second);
  TapeContext out;
  const std::int64_t price = std::max<std::int64_t>(100, what.start_price_ticks),
                     width = std::max<std::int64_t>(1, price / 500);
  const std::int64_t sizes = 20 * std::max<std::int64_t>(1, what.typical_size_steps);
  const std::int64_t middle = price + draw(-width, width);
  if (draw(1, 50) > 1) out.bid_ticks = middle - draw(1, 3), out.bid_steps = draw(1, sizes);
  if (draw(1, 50) > 1) out.ask_ticks = middle + draw(1, 3), out.ask_steps = draw(1, sizes);
  out.mark_ticks = middle + draw(-2, 2);
  out.index_ticks = middle + draw(-5, 5);
  out.funding_hundred_millionths = draw(-40'000, 40'000);
  out.funding_applies = bar_start(second, funding_every) + funding_every;
  out.open_steps = draw(0, 20) == 0 ? 0 : sizes * draw(100, 900);
  if (draw(1, 25) == 1) out.order = {draw(0, 1) == 1, middle + draw(-20, 20), draw(1, sizes)};
  return out;
}

}  // namespace cvdd::sim
