#include "cvdd/net/http_post.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "answer.hpp"
#include "connect.hpp"
#include "cvdd/base/version.hpp"

namespace cvdd {

namespace {
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

struct Exchange {
  http::request<http::span_body<const char>> request{http::verb::post, "/", 11};
  std::size_t body_max = 0;
  Answer answer;
};

template <class Stream>
asio::awaitable<error_code> converse(Stream& stream, Exchange& exchange) {
  const auto [write_error, written] = co_await http::async_write(stream, exchange.request, await_tuple);
  // A server that refuses answers before it has read everything: the answer says more than the broken pipe.
  const error_code read_error = co_await read_answer(stream, exchange.body_max, exchange.answer);
  co_return read_error&& write_error ? write_error : read_error;
}

asio::awaitable<Result<void>> perform(NetContext& net, const Url& url, SteadyTime deadline, Exchange& exchange,
                                      std::string& detail) {
  const auto executor = co_await asio::this_coro::executor;
  error_code error;
  if (url.scheme == "http") {
    beast::tcp_stream stream(executor);
    const Result<Reached> reached = co_await connect_tcp(stream, net, url, deadline, detail);
    if (!reached) co_return reached.error();
    stream.expires_at(deadline);
    error = co_await converse(stream, exchange);
  } else {
    TlsStream stream(executor, net.native());
    const Result<void> opened = co_await connect_tls(stream, net, url, deadline, detail);
    if (!opened) co_return opened.error();
    beast::get_lowest_layer(stream).expires_at(deadline);
    error = co_await converse(stream, exchange);
  }
  if (!error) co_return Result<void>();
  if (!exchange.answer.wrong.empty()) {
    detail = exchange.answer.wrong;
    co_return make_error_code(NetError::protocol);
  }
  detail = error == beast::error::timeout ? "timed out waiting for the response" : error.message();
  co_return make_error_code(error == beast::error::timeout ? NetError::timed_out : NetError::closed);
}
}  // namespace

bool parse_http_url(std::string_view text, Url& out) {
  if (text.starts_with("https://")) return parse_url(text, out);
  if (!text.starts_with("http://")) return false;
  const std::string_view rest = text.substr(7);
  if (!parse_url("https://" + std::string(rest), out)) return false;
  out.scheme = "http";
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t bracket = authority.rfind(']');
  if (authority.find(':', bracket == authority.npos ? 0 : bracket) == authority.npos) out.port = "80";
  return true;
}

Result<HttpResponse> http_post(const std::shared_ptr<NetContext>& net, const HttpPost& post,
                               std::chrono::seconds timeout, std::size_t body_max, std::string& detail) {
  Exchange exchange;
  const std::string target = request_target(post.url, post.target);
  if (target.empty()) {
    detail = "not a request target: " + printable(post.target, 200);
    return make_error_code(NetError::protocol);
  }
  exchange.request.target(target);
  exchange.request.set(http::field::host, host_header(post.url));
  exchange.request.set(http::field::user_agent, std::string(product()));
  exchange.request.set(http::field::connection, "close");
  for (const auto& [name, value] : post.headers) exchange.request.set(name, value);
  exchange.request.body() = beast::span<const char>(post.body.data(), post.body.size());
  exchange.request.prepare_payload();
  exchange.body_max = body_max;

  asio::io_context io(1);
  Result<void> result = make_error_code(NetError::closed);
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::exception_ptr thrown;
  asio::co_spawn(io, perform(*net, post.url, deadline, exchange, detail),
                 [&](std::exception_ptr what, Result<void> value) {
                   thrown = what;
                   result = value;
                 });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  if (!result) return result.error();
  HttpResponse response;
  response.status = exchange.answer.message.result_int();
  response.body = std::move(exchange.answer.message.body());
  return response;
}

}  // namespace cvdd
