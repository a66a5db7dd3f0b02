#include "exchange_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "cvdd/feed/instrument_list.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

namespace {
asio::awaitable<void> fetch(asio::any_io_executor executor, std::shared_ptr<NetContext> tls,
                            std::vector<std::string> hosts, ExchangeList& out) {
  ListRequest request;
  request.exchange = out.exchange;
  request.wanted = out.wanted;
  request.make_http_get = [&] { return make_http_get(executor, tls); };
  request.deadline = [] { return std::chrono::steady_clock::now() + std::chrono::seconds(60); };
  for (const std::string& host : hosts) {
    Url url;
    if (!parse_url(host, url)) continue;
    url.header = out.exchange->header;
    request.hosts.push_back(url);
  }
  const InstrumentList list = co_await fetch_instrument_list(request);
  out.error = list.error();
  out.instruments = list.instruments();
}
}  // namespace

void fetch_lists(const Config& config, std::vector<ExchangeList>& lists) {
  asio::io_context io(1);
  const auto tls = make_net_context({config.ca_file, config.proxy});
  for (ExchangeList& list : lists) {
    const auto configured = config.exchanges.find({std::string(list.exchange->name), list.exchange->market});
    std::vector<std::string> hosts;
    if (configured != config.exchanges.end()) hosts = configured->second.rest;
    if (hosts.empty()) hosts.assign(list.exchange->rest_hosts.begin(), list.exchange->rest_hosts.end());
    asio::co_spawn(io, fetch(io.get_executor(), tls, std::move(hosts), list), [](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
    });
  }
  io.run();
}

std::vector<std::string> troubles_of(const std::vector<ExchangeList>& lists) {
  constexpr std::size_t in_full = 3;
  std::vector<std::string> out, names;
  for (const ExchangeList& list : lists) {
    if (list.error.empty()) continue;
    names.push_back(fmt::format("{} {}", list.exchange->name, name_of(list.exchange->market)));
    out.push_back(fmt::format("{}: can't be asked: {}", names.back(), list.error));
  }
  if (out.size() <= in_full) return out;
  out.resize(1);
  names.erase(names.begin());
  out.push_back(
      names.size() + 1 == lists.size()
          ? fmt::format("nor can any of the other {} markets; is there a network, or a [net] proxy to be named?",
                        names.size())
          : fmt::format("nor can these: {}", fmt::join(names, ", ")));
  return out;
}

std::vector<ConfigError> unknown_names(const std::string& symbols_file, const SymbolList& symbols,
                                       const ExchangeList& list) {
  const std::string exchange(list.exchange->name);
  const std::string key = exchange + "." + std::string(name_of(list.exchange->market));
  const auto lines = symbols.lines.find({exchange, list.exchange->market});
  std::vector<ConfigError> out;
  for (const UnknownSymbol& unknown : select_instruments(list.wanted, list.instruments).unknown) {
    const auto at = std::ranges::find(list.wanted, unknown.symbol) - list.wanted.begin();
    const bool known = lines != symbols.lines.end() && static_cast<std::size_t>(at) < lines->second.size();
    out.push_back({symbols_file, known ? lines->second[static_cast<std::size_t>(at)] : 0, key,
                   unknown.symbol + ": " + unknown.reason +
                       (unknown.near.empty() ? "" : fmt::format("; near: {}", fmt::join(unknown.near, ", "))),
                   0});
  }
  return out;
}

}  // namespace cvdd
