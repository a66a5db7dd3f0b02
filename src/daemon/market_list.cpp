#include "market_list.hpp"

#include <spdlog/spdlog.h>

#include <cstring>

namespace cvdd {

namespace {
constexpr std::chrono::seconds rest_timeout{60};
constexpr std::size_t instruments_body_max = std::size_t{64} << 20;
}  // namespace

MarketList::MarketList(MarketListContext context)
    : context_(std::move(context)), timer_(context_.market->clock->timer()) {}

void MarketList::stop() {
  stopping_ = true;
  timer_->cancel();
}

asio::awaitable<std::vector<Instrument>> MarketList::load(const std::vector<std::string>& wanted) {
  std::vector<Instrument> listed;
  Backoff backoff(seconds(1), seconds(60), std::hash<std::string>{}(context_.name));
  std::string last_error;
  while (!stopping_) {
    std::string error;
    if (co_await fetch(wanted, {}, listed, error)) {
      spdlog::info("instruments read market=\"{}\" listed={}", context_.name, listed.size());
      co_return listed;
    }
    if (stopping_) break;
    listed = cached();
    if (!listed.empty()) {
      spdlog::warn("can't read the instruments, using the last good list market=\"{}\" file={} reason=\"{}\"",
                   context_.name, file(), error);
      co_return listed;
    }
    if (error != last_error) {
      spdlog::warn("can't read the instruments, trying again market=\"{}\" reason=\"{}\"", context_.name, error);
      last_error = error;
    }
    const auto pause = std::chrono::microseconds(backoff.next().us);
    co_await timer_->wait_until(context_.market->clock->steady() + pause);
  }
  co_return listed;
}

ListRequest MarketList::request(const std::vector<std::string>& wanted) const {
  const MarketContext& market = *context_.market;
  ListRequest request;
  request.exchange = context_.exchange;
  request.hosts = context_.hosts;
  request.wanted = wanted;
  request.make_http_get = market.make_http_get;
  request.beside = market.beside;
  request.deadline = [&market] { return market.clock->steady() + rest_timeout; };
  request.heed = context_.heed;
  request.may_ask = [this, &market](std::string& reason) {
    const Duration wait = market.gate->blocked(undated(*market.clock));
    reason = stopping_ ? "stopping" : "asked to stay away for " + std::to_string(wait.us / 1'000'000) + " s more";
    return !stopping_ && wait.us <= 0;
  };
  return request;
}

asio::awaitable<bool> MarketList::fetch(const std::vector<std::string>& wanted, std::vector<Instrument> before,
                                        std::vector<Instrument>& listed, std::string& error) {
  const ListRequest what = request(wanted);
  const InstrumentList list = co_await fetch_instrument_list(what);
  if (stopping_) co_return false;
  error = list.error();
  std::vector<Instrument> all = list.instruments();
  if (all.empty()) co_return false;
  bool doubtful = false;
  if (before.empty() && !list.complete()) before = cached();
  all = memory_.complete(list, before, doubtful);
  note_doubt(doubtful, error);
  listed = std::move(all);
  error.clear();
  if (!doubtful) keep(list);
  co_return true;
}

void MarketList::note_doubt(bool doubtful, const std::string& error) {
  const std::string reason = error.empty() ? "far fewer instruments than before" : error;
  if (doubtful && reason != error_) {
    spdlog::warn("a part of the instruments can't be read, it is taken as it was market=\"{}\" reason=\"{}\"",
                 context_.name, reason);
  }
  error_ = doubtful ? reason : std::string();
  fresh_ = !doubtful;
}

void MarketList::keep(const InstrumentList& list) const {
  if (const int failed = context_.market->files->replace(file(), pack_bodies(list)); failed != 0) {
    spdlog::warn("can't keep the instrument list for later file={} reason=\"{}\"", file(), std::strerror(failed));
  }
}

std::vector<Instrument> MarketList::cached() const {
  std::vector<Instrument> listed;
  std::string packed;
  if (context_.market->files->read(file(), 0, instruments_body_max, packed) != 0) return listed;
  if (!unpack_instruments(*context_.exchange, packed, listed)) listed.clear();
  return listed;
}

std::string MarketList::file() const {
  return context_.market->cache_dir + "/instruments-" + std::string(context_.exchange->name) + "-" +
         std::string(name_of(context_.exchange->market)) + ".json";
}

}  // namespace cvdd
