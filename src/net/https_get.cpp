// One HTTPS GET per connection: instrument lists and history pages are rare, so keeping connections pays little.
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>

#include "connect.hpp"

namespace cvdd {

namespace {
namespace beast = boost::beast;
namespace http = beast::http;

class HttpsGet final : public HttpGet {
 public:
  HttpsGet(asio::any_io_executor executor, std::shared_ptr<TlsContext> tls)
      : executor_(std::move(executor)), tls_(std::move(tls)) {}

  asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime deadline,
                                            std::size_t body_max) override {
    TlsStream stream(executor_, tls_->native());
    if (const auto opened = co_await connect_tls(stream, url, deadline, detail_); !opened) co_return opened.error();
    auto& socket = beast::get_lowest_layer(stream);
    socket.expires_at(deadline);
    http::request<http::empty_body> request(http::verb::get, url.path + std::string(target), 11);
    request.set(http::field::host, host_header(url));
    request.set(http::field::user_agent, std::string("cvdd/") + CVDD_VERSION);
    request.set(http::field::accept, "application/json");
    request.set(http::field::connection, "close");
    const auto [write_error, written] = co_await http::async_write(stream, request, await_tuple);
    if (write_error) co_return translate(write_error);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(body_max);
    const auto [read_error, got] = co_await http::async_read(stream, buffer, parser, await_tuple);
    if (read_error) co_return translate(read_error);
    socket.close();
    HttpResponse response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      response.headers[name] = std::string(field.value());
    }
    response.body = std::move(parser.get().body());
    co_return response;
  }

  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  boost::system::error_code translate(const boost::system::error_code& error) {
    detail_ = error.message();
    if (error == beast::error::timeout) return NetError::timed_out;
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::error::connection_reset) {
      return NetError::closed;
    }
    return NetError::protocol;
  }

  asio::any_io_executor executor_;
  std::shared_ptr<TlsContext> tls_;
  std::string detail_;
};
}  // namespace

std::unique_ptr<HttpGet> make_http_get(asio::any_io_executor executor, std::shared_ptr<TlsContext> tls) {
  return std::make_unique<HttpsGet>(std::move(executor), std::move(tls));
}

}  // namespace cvdd
