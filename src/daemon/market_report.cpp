// What a market says to the log: of trades that can't be counted, of symbols that are left out or refused.
#include <spdlog/spdlog.h>

#include "cvdd/daemon/market_runner.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::seconds tell_every{60};
constexpr std::size_t told_of_max = 200;  // symbols
}  // namespace

// One line when it begins, and one a minute while it goes on: their bars are gaps, and somebody should know why.
void MarketRunner::tell_contradictions() {
  const std::uint64_t count = intake_.counters().contradictions;
  if (count == contradictions_told_ || context_.clock->steady() < next_tell_) return;
  std::string kinds;
  for (std::size_t kind = 0; kind < intake_.counters().refused.size(); ++kind) {
    const std::uint64_t refused = intake_.counters().refused[kind];
    if (refused > 0) kinds += " " + std::string(name_of(static_cast<Refusal>(kind))) + "=" + std::to_string(refused);
  }
  spdlog::error("trades came that can't be counted, their bars are gaps market=\"{}\" trades={} refused=\"{}\"", name(),
                count - contradictions_told_, kinds.empty() ? "none" : kinds.substr(1));
  contradictions_told_ = count;
  next_tell_ = context_.clock->steady() + tell_every;
}

void MarketRunner::report_unknown(const std::vector<UnknownSymbol>& unknown) {
  unlisted_.clear();
  for (const UnknownSymbol& u : unknown) unlisted_[u.symbol] = u.reason;
  for (const UnknownSymbol& u : unknown) {
    if (reported_.contains(u.symbol)) continue;  // read again every few minutes: old news is no news
    unlisted_pause_.reset();
    if (!may_tell_of(u.symbol)) continue;
    std::string near;
    for (const std::string& n : u.near) near += (near.empty() ? "" : ", ") + n;
    spdlog::error("symbol left out market=\"{}\" symbol={} reason=\"{}\"{}", name(), u.symbol, u.reason,
                  near.empty() ? near : " near=\"" + near + "\"");
  }
}

// A list of nonsense, or an exchange that refuses all there is, must not fill the log: so many, and then one line.
bool MarketRunner::may_tell_of(const std::string& symbol) {
  if (!reported_.insert(symbol).second) return false;
  if (reported_.size() == told_of_max) {
    spdlog::error("more symbols are left out or refused than are told of here, cvdd status has them market=\"{}\"",
                  name());
  }
  return reported_.size() < told_of_max;
}

void MarketRunner::report_refused(const Instrument& instrument, const std::string& why) {
  refusals_[instrument.symbol] = why;
  if (!may_tell_of(instrument.symbol)) return;
  spdlog::error("symbol refused by the exchange, tried again every ten minutes market=\"{}\" symbol={} reason=\"{}\"",
                name(), instrument.symbol, why);
}

}  // namespace cvdd
