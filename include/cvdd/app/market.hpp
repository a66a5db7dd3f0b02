// One exchange and market while the daemon runs: its instruments by REST, spread over sessions. io thread only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/app/aggregator.hpp"
#include "cvdd/app/session.hpp"
#include "cvdd/core/config.hpp"

namespace cvdd {

struct MarketContext {
  asio::any_io_executor executor;
  Clock* clock = nullptr;
  FileSink* files = nullptr;
  std::function<std::unique_ptr<Transport>()> make_transport;
  std::function<std::unique_ptr<HttpGet>()> make_http_get;
  Aggregator* aggregator = nullptr;
  const Remembered* restored = nullptr;
  TokenBucket* attempts = nullptr;                     // per exchange
  std::function<std::uint32_t()> next_instrument_id;
  std::string cache_dir;                               // last good instrument lists
  bool event_time = false;
  Duration in_flight;                                  // see SessionSettings
};

class MarketRunner {
 public:
  MarketRunner(MarketContext context, const Exchange& exchange, const ExchangeConfig& config,
               std::vector<std::string> wanted);

  // Runs until stop().
  asio::awaitable<void> run();
  void stop();

  [[nodiscard]] const IntakeCounters& counters() const { return intake_.counters(); }
  [[nodiscard]] std::size_t instruments() const { return instruments_.size(); }
  [[nodiscard]] std::size_t live_instruments() const;
  [[nodiscard]] std::uint64_t backpressure_waits() const;
  [[nodiscard]] std::string name() const;

  // How many sessions, and how many instruments each gets: as few as the limit allows, evenly filled.
  [[nodiscard]] static std::vector<std::size_t> spread(std::size_t instruments, std::size_t per_connection);

 private:
  asio::awaitable<std::vector<Instrument>> load_instruments();
  asio::awaitable<bool> fetch_instruments(std::vector<Instrument>& listed, std::string& error);
  bool cached_instruments(std::vector<Instrument>& listed);
  void adopt(const Selection& selection);
  void make_sessions();
  [[nodiscard]] std::string cache_file() const;

  MarketContext context_;
  const Exchange& exchange_;
  std::vector<std::string> wanted_;
  Stream stream_;
  std::vector<Url> ws_hosts_, rest_hosts_;
  Intake intake_;
  std::deque<Instrument> instruments_;  // addresses are stable: everything points here
  std::vector<std::unique_ptr<Session>> sessions_;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

}  // namespace cvdd
