// A market's list of instruments: asked for by REST, kept on disk, and taken from there while it can't be had. io
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cvdd/daemon/market_runner.hpp"

namespace cvdd {

struct MarketListContext {
  const MarketContext* market = nullptr;
  const Exchange* exchange = nullptr;
  std::vector<Url> hosts;
  std::function<void(const HttpResponse&, std::string&)> heed;  // refusals
  std::string name;                                             // of the market, for the log
};

class MarketList {
 public:
  explicit MarketList(MarketListContext context);

  // The exchange's answer, or the last good one from disk while it can't be had; asked for until there is one, or
  // stop().
  asio::awaitable<std::vector<Instrument>> load(const std::vector<std::string>& wanted);
  // Parts that can't be had for the moment are as they were `before`, at the start as they were on disk: no instrument
  // ends because of them. False, with the reason, if there is nothing.
  asio::awaitable<bool> fetch(const std::vector<std::string>& wanted, std::vector<Instrument> before,
                              std::vector<Instrument>& listed, std::string& error);
  void stop();
  // The last answer was the exchange's own, all of it.
  [[nodiscard]] bool fresh() const { return fresh_; }
  // As the run before has left it on disk.
  [[nodiscard]] std::vector<Instrument> cached() const;

 private:
  [[nodiscard]] std::string file() const;
  [[nodiscard]] ListRequest request(const std::vector<std::string>& wanted) const;
  void keep(const InstrumentList& list) const;
  void note_doubt(bool doubtful, const std::string& error);

  MarketListContext context_;
  ListMemory memory_;
  std::string error_;   // why a part of the list can't be had; the log knows it
  bool fresh_ = false;  // from the exchange, not from disk, and all of it
  bool stopping_ = false;
  std::unique_ptr<Timer> timer_;
};

}  // namespace cvdd
