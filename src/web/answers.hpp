// What the server answers to one request: routes, and what each of them says. io thread; the files are read elsewhere.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "assets.hpp"
#include "bars.hpp"
#include "cvdd/web/web_server.hpp"
#include "groups.hpp"
#include "json.hpp"
#include "live.hpp"
#include "query.hpp"
#include "response.hpp"
#include "shared.hpp"

namespace cvdd::web {

[[nodiscard]] Timestamp wall_now();

class Answers {
 public:
  // `stopping`: questions about the files are given up.
  Answers(boost::asio::any_io_executor executor, Engine& engine, Live& live, const WebServer::Settings& settings,
          boost::asio::thread_pool& readers, Allowance& allowance, const std::atomic<bool>& stopping);
  // `about_us`: of nothing but health and metrics.
  boost::asio::awaitable<Response> answer(const Request& request, bool about_us);
  // Nothing if it is a request that may be answered; else what is wrong with it, before anything else is looked at.
  [[nodiscard]] std::optional<Response> refusal(const Request& request, const std::optional<Target>& target) const;
  // Whether the request brings the token, if there is one.
  [[nodiscard]] bool allowed(const Request& request) const;
  // Whether it comes from a page of this server, or from no page.
  [[nodiscard]] bool from_here(const Request& request) const;
  // Whether it is meant for this server; always, where a token is asked for. See host_allowed.
  [[nodiscard]] bool meant(const Request& request) const;
  // For /metrics.
  std::function<std::size_t()> streams;
  void tidy() { shared_.tidy(); }
  void some_are_gone() { groups_.some_are_gone(); }
  // Until the open bars are those of now. Whoever asks first waits for the aggregator.
  boost::asio::awaitable<void> wait_for_open_bars();

 private:
  boost::asio::awaitable<Response> asset(const Request& request, std::string path);
  boost::asio::awaitable<Body> packed(const Asset& asset);
  [[nodiscard]] Response let_in(const Request& request) const;
  [[nodiscard]] Response healthz() const;
  // Why the daemon is not ready, in words; empty: it is.
  [[nodiscard]] std::vector<std::string> reasons() const;
  boost::asio::awaitable<Response> shared(const Request& request, const char* name, const char* type,
                                          const SharedAnswers::Make& make);
  boost::asio::awaitable<void> readiness(std::string& out, Slices& slices);
  boost::asio::awaitable<void> metrics(std::string& out, Slices& slices);
  boost::asio::awaitable<void> connections(std::string& out, Slices& slices);
  boost::asio::awaitable<void> instruments(Spark spark, std::string& out, Slices& slices);
  boost::asio::awaitable<Response> bars(const Request& request, const Target& target);
  boost::asio::awaitable<Response> group_bars(const Request& request, const BarsQuery& query);
  [[nodiscard]] std::optional<Response> find_group(GroupAnswer& asked) const;
  [[nodiscard]] static Response answer_of(BarsText made, bool csv);
  boost::asio::awaitable<bool> begin_reading();
  void end_reading();

  boost::asio::any_io_executor executor_;
  Engine& engine_;
  Live& live_;
  const WebServer::Settings& settings_;
  boost::asio::thread_pool& readers_;
  Allowance& allowance_;
  const std::atomic<bool>& stopping_;
  SharedAnswers shared_;
  Groups groups_;
  std::map<std::string_view, Body> packed_;  // of the page's files
  std::size_t reading_ = 0, waiting_ = 0;
  boost::asio::steady_timer read_;  // never comes; when it is cancelled, somebody has read to the end
};

}  // namespace cvdd::web
