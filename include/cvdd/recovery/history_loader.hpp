// Brings instruments' past before the daemon listened, from the exchange's own candles: what a new one's CVD is to
// begin with, and what a long absence of the process left out. The bar in which the subscription began is made whole
// from trades. Until then the instrument's rows wait (Ledger::hold). A coroutine on the io thread, one instrument after
// the other, under the budget that it shares with the repairs.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "cvdd/recovery/history_client.hpp"

namespace cvdd {

// An instrument, and the bar that its candles are to begin with.
struct PastWanted {
  const Instrument* instrument = nullptr;
  Timestamp from;
  std::uint64_t after_id = 0;  // the newest id that the files know; 0: none
  unsigned attempts = 0;
};

class HistoryLoader {
 public:
  // The context's `inject` carries records to the aggregator, as for repairs; `give_candles` the candles.
  explicit HistoryLoader(HistoryContext context);
  void want(const PastWanted& past);
  // Runs until stop().
  asio::awaitable<void> run();
  void stop();

  // Instruments still waiting.
  [[nodiscard]] std::size_t waiting() const { return wanted_.size() + (asking_ != nullptr ? 1 : 0); }
  // Its past is not wanted any more. False if it is being asked for now: to be tried again later.
  [[nodiscard]] bool forget(const Instrument& instrument) {
    if (asking_ == &instrument) return false;
    std::erase_if(wanted_, [&](const PastWanted& past) { return past.instrument == &instrument; });
    return true;
  }
  // From the first attempt to the last, ten minutes.
  static constexpr unsigned attempts_max = 8;

 private:
  struct Past {
    std::vector<Candle> candles;
    std::vector<Trade> trades;  // of the bar in which we began to listen, before we did
    bool whole = false;         // … and all of them
  };
  asio::awaitable<void> bring(PastWanted past);
  asio::awaitable<bool> fetch_beginning(const Instrument& instrument, Timestamp bar, Past& out, std::string& error);
  [[nodiscard]] std::vector<Record> give_up(const PastWanted& past, Timestamp bar) const;

  HistoryContext context_;
  HistoryClient client_;
  std::deque<PastWanted> wanted_;
  const Instrument* asking_ = nullptr;  // about whom
};

}  // namespace cvdd
