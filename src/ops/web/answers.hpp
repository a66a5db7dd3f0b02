// What the server answers to one request: routes, and what each of them says. io thread; the files are read elsewhere.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <string>

#include "cvdd/ops/web_server.hpp"
#include "ops/web/assets.hpp"
#include "ops/web/live.hpp"
#include "ops/web/query.hpp"

namespace cvdd::web {

namespace http = boost::beast::http;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

[[nodiscard]] Response text_answer(http::status status, std::string body, const char* type);
[[nodiscard]] Response json_answer(http::status status, std::string body);
// {"error": what}
[[nodiscard]] Response error_answer(http::status status, std::string_view what);
// The headers that every answer has. `head`: it is to be without its body.
void complete(Response& response, bool head);

[[nodiscard]] Timestamp wall_now();

class Answers {
 public:
  // `stopping`: questions about the files are given up.
  Answers(boost::asio::any_io_executor executor, Engine& engine, Live& live, const WebServer::Settings& settings,
          boost::asio::thread_pool& readers, const std::atomic<bool>& stopping);
  boost::asio::awaitable<Response> answer(const Request& request);
  // Whether the request brings the token, if there is one.
  [[nodiscard]] bool allowed(const Request& request) const;
  // Whether it is meant for this server; always, where a token is asked for. See host_allowed.
  [[nodiscard]] bool meant(const Request& request) const;
  // For /metrics.
  std::function<std::size_t()> streams;

 private:
  [[nodiscard]] static Response asset(const Request& request, std::string_view path);
  [[nodiscard]] Response let_in(const std::string& token) const;
  [[nodiscard]] Response healthz() const;
  [[nodiscard]] Response readyz(http::status status) const;
  [[nodiscard]] Response metrics();
  [[nodiscard]] Response connections() const;
  boost::asio::awaitable<void> wait_for_open_bars();
  boost::asio::awaitable<Response> instruments(const Target& target);
  boost::asio::awaitable<Response> bars(const Target& target);

  boost::asio::any_io_executor executor_;
  Engine& engine_;
  Live& live_;
  const WebServer::Settings& settings_;
  const std::string session_;
  boost::asio::thread_pool& readers_;
  const std::atomic<bool>& stopping_;
  std::size_t reading_ = 0, downloading_ = 0;
};

}  // namespace cvdd::web
