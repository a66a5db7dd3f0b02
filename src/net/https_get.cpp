// One HTTPS request per connection: instrument lists and history pages are rare, so keeping connections pays little.
#include <zlib.h>

#include <array>
#include <boost/beast/http.hpp>
#include <limits>
#include <utility>

#include "answer.hpp"
#include "connect.hpp"
#include "cvdd/base/version.hpp"
#include "record_limit.hpp"

namespace cvdd {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

[[nodiscard]] std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

// Empty if all went well, otherwise what is wrong. Never holds more than `max` bytes and one block: a small body that
// unpacks to gigabytes is refused on the way.
[[nodiscard]] std::string unzip(std::string& body, std::size_t max) {
  z_stream stream{};
  if (body.size() > std::numeric_limits<uInt>::max() || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
    return "cannot unpack the gzip body";
  }
  stream.next_in = reinterpret_cast<Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  std::string wrong;
  std::array<char, 16384> block;
  for (bool more = true; more;) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.append(block.data(), block.size() - stream.avail_out);
    if (out.size() > max) {
      wrong = "the unpacked body is larger than " + std::to_string(max) + " bytes";
      break;
    }
    if (status == Z_STREAM_END) {
      more = stream.avail_in > 0;  // another member follows; the format allows it
      if (more && inflateReset(&stream) != Z_OK) {
        wrong = "the gzip body is damaged";
        break;
      }
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      wrong = "the gzip body is cut off";
      break;
    } else if (status != Z_OK) {
      wrong = "the gzip body is damaged";
      break;
    }
  }
  inflateEnd(&stream);
  body = std::move(out);
  return wrong;
}

class HttpsGet final : public HttpGet {
 public:
  HttpsGet(asio::any_io_executor executor, std::shared_ptr<NetContext> tls)
      : executor_(std::move(executor)), tls_(std::move(tls)) {}

  asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime deadline,
                                            std::size_t body_max) override {
    detail_.clear();
    const std::string_view path = target.substr(0, target.find('\n'));
    const bool asks = path.size() < target.size();
    http::request<http::string_body> request(asks ? http::verb::post : http::verb::get, request_target(url, path), 11);
    if (request.target().empty()) {
      detail_ = "not a request target: " + printable(target, 200);
      co_return make_error_code(NetError::protocol);
    }
    request.set(http::field::host, host_header(url));
    request.set(http::field::user_agent, std::string(product()));
    if (const auto [name, value] = header_of(url); !name.empty()) request.set(name, value);
    request.set(http::field::accept, "application/json");
    request.set(http::field::accept_encoding, "gzip");
    request.set(http::field::connection, "close");
    if (asks) {
      request.set(http::field::content_type, "application/json");
      request.body() = target.substr(path.size() + 1);
      request.prepare_payload();
    }

    TlsStream stream(executor_, tls_->native());
    const Result<void> opened = co_await connect_tls(stream, *tls_, url, deadline, detail_);
    if (!opened) {
      co_return opened.error();
    }
    beast::tcp_stream& socket = beast::get_lowest_layer(stream);
    socket.expires_at(deadline);
    const RecordLimit records(stream.native_handle(), [&socket] { socket.close(); });
    const auto [write_error, written] = co_await http::async_write(stream, request, await_tuple);
    if (write_error) {
      co_return translate(write_error);
    }
    Answer answer;
    const error_code read_error = co_await read_answer(stream, body_max, answer);
    if (read_error) {
      detail_ = records.broken() ? RecordLimit::words() : answer.wrong;
      co_return translate(read_error);
    }
    beast::close_socket(socket);

    HttpResponse response;
    response.status = answer.message.result_int();
    for (const auto& field : answer.message) {
      std::string& value = response.headers[lower({field.name_string().data(), field.name_string().size()})];
      value += value.empty() ? "" : ", ";
      value.append(field.value().data(), field.value().size());
    }
    response.body = std::move(answer.message.body());
    const auto coding = response.headers.find("content-encoding");
    if (coding != response.headers.end() && !response.body.empty() && lower(coding->second) != "identity") {
      detail_ = lower(coding->second) == "gzip" ? unzip(response.body, body_max)
                                                : "content encoding nobody asked for: " + printable(coding->second, 50);
      if (!detail_.empty()) {
        co_return make_error_code(NetError::protocol);
      }
    }
    co_return response;
  }

  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  [[nodiscard]] error_code translate(const error_code& error) {
    if (error == beast::error::timeout) {
      detail_ = "timed out waiting for the response";
      return make_error_code(NetError::timed_out);
    }
    if (!detail_.empty()) return make_error_code(NetError::protocol);
    detail_ = error.message();
    const bool ended =
        is_disconnect(error) || error == http::error::end_of_stream || error == http::error::partial_message;
    return make_error_code(ended ? NetError::closed : NetError::protocol);
  }

  asio::any_io_executor executor_;
  std::shared_ptr<NetContext> tls_;
  std::string detail_;
};

}  // namespace

std::unique_ptr<HttpGet> make_http_get(asio::any_io_executor executor, std::shared_ptr<NetContext> tls) {
  return std::make_unique<HttpsGet>(std::move(executor), std::move(tls));
}

std::string words_of(const HttpResponse& response) {
  std::string out = "HTTP " + std::to_string(response.status);
  if (const auto where = response.headers.find("location"); where != response.headers.end()) {
    out += ", Location " + printable(where->second, 200);
  }
  return out + ": " + printable(response.body, 200);
}

}  // namespace cvdd
