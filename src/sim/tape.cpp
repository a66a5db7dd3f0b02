#include "cvdd/sim/tape.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <unordered_map>

namespace cvdd::sim {
namespace {

constexpr std::size_t remembered_per_tape = 2'000'000;

// splitmix64: small, well mixed and the same on every machine, unlike the standard distributions.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // 0 … bound - 1. The bias of the remainder is far below anything a simulated market could show.
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }
  // 0, 1, 2 … with probability 1/2, 1/4, 1/8 …
  int coin_run(int most) { return std::min(most, std::countr_one(next())); }

 private:
  std::uint64_t state_;
};

// FNV-1a, so that an instrument's trades do not depend on which others there are.
std::uint64_t seed_of(std::uint64_t seed, const Instrument& instrument) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ (seed * 0x9E3779B97F4A7C15ULL);
  auto mix = [&hash](unsigned char c) { hash = (hash ^ c) * 0x100000001B3ULL; };
  for (char c : instrument.exchange) mix(static_cast<unsigned char>(c));
  mix(static_cast<unsigned char>(instrument.market));
  for (char c : instrument.symbol) mix(static_cast<unsigned char>(c));
  return hash;
}

std::string key_of(std::string_view exchange, Market market, std::string_view symbol) {
  std::string key(exchange);
  key.append(1, static_cast<char>('0' + static_cast<int>(market)));
  key += symbol;
  return key;
}

// One instrument's market: everything it will ever print follows from this state.
class Source {
 public:
  Source(std::uint64_t seed, Timestamp start, const TapeInstrument& what)
      : random_(seed_of(seed, what.instrument)),
        start_price_(std::max<std::int64_t>(what.start_price_ticks, 1)),
        typical_size_(std::max<std::int64_t>(what.typical_size_steps, 8)),
        mean_gap_us_(60'000'000 / std::max<std::int64_t>(what.trades_per_minute, 1)),
        mid_(start_price_),
        numbering_(what.numbering),
        blocks_(what.blocks) {
    constexpr std::int64_t ms = 1'000;
    clock_us_ = (start.us + ms - 1) / ms * ms;
    next_id_ = 1'000'000 + static_cast<std::uint64_t>(random_.below(1'000'000'000));
    next_fill_ = next_id_ * 2 + static_cast<std::uint64_t>(random_.below(1'000'000));
    make();
  }
  [[nodiscard]] const TapeTrade& upcoming() const { return upcoming_; }
  // Prepares the trade after the upcoming one. Never asks for the time, so slicing cannot matter.
  void step() {
    if (burst_left_ > 0) {
      --burst_left_;
      clock_us_ += random_.below(3) == 0 ? random_.below(2'000) : 0;
    } else {
      clock_us_ += gap();
      seller_ = random_.one_in(8) ? !seller_ : random_.below(2) == 0;
      if (random_.one_in(24)) burst_left_ = 1 + random_.below(6);
      if (random_.one_in(600)) burst_left_ = 10 + random_.below(40);
      walk();
    }
    make();
  }

 private:
  // Roughly exponential, with exactly the wanted mean: a run of coins plus a uniform rest has mean 3/2.
  std::int64_t gap() {
    std::int64_t units = random_.coin_run(12) * 65'536LL + random_.below(65'536);
    return mean_gap_us_ * units / 98'304;
  }
  void walk() {
    std::int64_t scale = std::max<std::int64_t>(1, mid_ / 40'000) << random_.coin_run(5);
    mid_ += random_.below(2 * scale + 1) - scale;
    mid_ += (start_price_ - mid_) / 5'000;  // a weak pull home keeps long runs in a believable range
    mid_ = std::clamp(mid_, std::max<std::int64_t>(1, start_price_ / 4), start_price_ * 4);
  }
  void make() {
    TapeTrade& t = upcoming_;
    constexpr std::int64_t ms = 1'000;
    t.time = {clock_us_ / ms * ms};
    t.id = next_id_++;
    auto fills = static_cast<std::uint64_t>(random_.one_in(3) ? 1 + random_.below(4) : 1);
    if (numbering_ == Numbering::singles) fills = 1;
    t.first_fill = next_fill_;
    t.last_fill = next_fill_ + fills - 1;
    next_fill_ += fills;
    if (numbering_ != Numbering::aggregates) t.id = t.last_fill;
    t.block = blocks_ && random_.one_in(50);
    t.buyer_is_maker = seller_;
    if (burst_left_ > 0) mid_ = std::max<std::int64_t>(1, mid_ + (seller_ ? -1 : 1));  // a sweep walks the book
    t.price_ticks = std::max<std::int64_t>(1, seller_ ? mid_ : mid_ + 1);
    std::int64_t size = typical_size_ * (1 + random_.below(1'024)) / 512;
    t.size_steps = std::max<std::int64_t>(size << random_.coin_run(8), static_cast<std::int64_t>(fills));
  }

  Generator random_;
  std::int64_t start_price_, typical_size_, mean_gap_us_, mid_;
  Numbering numbering_;
  bool blocks_;
  std::int64_t clock_us_ = 0, burst_left_ = 0;
  std::uint64_t next_id_ = 0, next_fill_ = 0;
  bool seller_ = false;
  TapeTrade upcoming_;
};

// The newest `limit` trades; cut in batches so that forgetting stays cheap.
struct Memory {
  std::vector<TapeTrade> trades;
  void add(const TapeTrade& trade, std::size_t limit) {
    if (trades.size() >= limit + limit / 4 + 1)
      trades.erase(trades.begin(), trades.end() - static_cast<std::ptrdiff_t>(limit - 1));
    trades.push_back(trade);
  }
  [[nodiscard]] std::span<const TapeTrade> newest(std::size_t limit) const {
    return std::span(trades).last(std::min(limit, trades.size()));
  }
};

}  // namespace

struct Tape::State {
  std::vector<TapeInstrument> instruments;
  std::unordered_map<std::string, std::size_t> index;
  std::vector<Source> sources;
  std::vector<Memory> memories;
  std::size_t limit = remembered_per_tape;
  Timestamp now;
  Duration reach;
};

Tape::Tape(std::uint64_t seed, Timestamp start, std::vector<TapeInstrument> instruments)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.instruments = std::move(instruments);
  s.memories.resize(s.instruments.size());
  s.sources.reserve(s.instruments.size());
  s.limit = std::max<std::size_t>(64, remembered_per_tape / std::max<std::size_t>(1, s.instruments.size()));
  for (std::size_t i = 0; i < s.instruments.size(); ++i) {
    const Instrument& what = s.instruments[i].instrument;
    s.index.emplace(key_of(what.exchange, what.market, what.symbol), i);
    s.sources.emplace_back(seed, start, s.instruments[i]);
  }
  s.now = start;
}

Tape::~Tape() = default;

std::span<const TapeInstrument> Tape::instruments() const { return state_->instruments; }

std::size_t Tape::find(std::string_view exchange, Market market, std::string_view symbol) const {
  auto it = state_->index.find(key_of(exchange, market, symbol));
  return it == state_->index.end() ? npos : it->second;
}

void Tape::advance(Timestamp now) {
  State& s = *state_;
  if (now <= s.now) return;
  s.now = now;
  for (std::size_t i = 0; i < s.sources.size(); ++i) {
    for (Source& source = s.sources[i]; source.upcoming().time < now; source.step())
      s.memories[i].add(source.upcoming(), s.limit);
  }
}

std::span<const TapeTrade> Tape::trades(std::size_t instrument) const {
  return state_->memories.at(instrument).newest(state_->limit);
}

void Tape::set_reach(Duration reach) { state_->reach = reach; }

std::span<const TapeTrade> Tape::history(std::size_t instrument) const {
  const auto all = trades(instrument);
  if (state_->reach.us == 0) return all;
  const auto from = std::ranges::lower_bound(all, state_->now - state_->reach, {}, &TapeTrade::time);
  return all.last(static_cast<std::size_t>(all.end() - from));
}

TapeBar Tape::bar(std::size_t instrument, Timestamp begin, Duration interval) const {
  TapeBar bar;
  auto all = trades(instrument);
  auto from = std::ranges::lower_bound(all, begin, {}, &TapeTrade::time);
  for (; from != all.end() && from->time < begin + interval; ++from) {
    const TapeTrade& t = *from;
    if (t.block) {
      bar.trades.push_back(t);
      continue;
    }
    if (bar.first_id == 0) {
      bar.open = bar.high = bar.low = t.price_ticks;
      bar.first_id = t.id;
    }
    bar.high = std::max(bar.high, t.price_ticks);
    bar.low = std::min(bar.low, t.price_ticks);
    bar.close = t.price_ticks;
    bar.last_id = t.id;
    Int128 value = static_cast<Int128>(t.size_steps) * t.price_ticks;
    (t.buyer_is_maker ? bar.sells : bar.buys) += t.last_fill - t.first_fill + 1;
    (t.buyer_is_maker ? bar.sell_size : bar.buy_size) += t.size_steps;
    (t.buyer_is_maker ? bar.sell_value : bar.buy_value) += value;
    bar.trades.push_back(t);
  }
  return bar;
}

std::int64_t fill_size(const TapeTrade& trade, std::uint64_t fill) {
  auto fills = static_cast<std::int64_t>(trade.last_fill - trade.first_fill + 1);
  std::int64_t rest = trade.size_steps % fills;  // goes to the first fills, one step each
  return trade.size_steps / fills + (static_cast<std::int64_t>(fill - trade.first_fill) < rest ? 1 : 0);
}

}  // namespace cvdd::sim
