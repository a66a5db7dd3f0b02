// One HTTP answer from a stream, with a bound on every byte of it: before, in and behind the body. Beast's parser has
// none for what may stand between chunks and behind the last one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "connect.hpp"

namespace cvdd {

// Some exchanges' front doors send many cookies and policies.
inline constexpr std::uint32_t answer_header_max = 64 * 1024;
// What is not body: headers, sizes of chunks and their extensions, trailers. Chunks of a byte each take six.
inline constexpr std::uint64_t answer_framing_max = 256 * 1024;
// Answers that only say that another follows (103 and its kind).
inline constexpr int answers_before_max = 8;

[[nodiscard]] inline bool more_than_framing(std::uint64_t received, std::uint64_t body) {
  return received > answer_framing_max + 8 * body;
}
[[nodiscard]] inline bool another_follows(unsigned status) { return status >= 100 && status < 200 && status != 101; }

struct Answer {
  boost::beast::http::response<boost::beast::http::string_body> message;
  std::string wrong;  // instead of it, if the error's own words are not enough
};

// Whole, or an error. Within the stream's own expiry.
template <class Stream>
asio::awaitable<boost::system::error_code> read_answer(Stream& stream, std::uint64_t body_max, Answer& out) {
  namespace http = boost::beast::http;
  using Parser = http::response_parser<http::string_body>;
  boost::beast::flat_buffer buffer(answer_header_max + 64 * 1024);
  std::uint64_t received = 0;
  for (int n = 0; n <= answers_before_max; ++n) {
    std::optional<Parser> parser(std::in_place);
    parser->header_limit(answer_header_max);
    parser->body_limit(body_max);
    while (!parser->is_done()) {
      const auto [error, taken] = co_await http::async_read_some(stream, buffer, *parser, await_tuple);
      received += taken;
      if (error == http::error::buffer_overflow || more_than_framing(received, parser->get().body().size())) {
        out.wrong = "the answer has no end: more than " + std::to_string(answer_framing_max) +
                    " bytes of headers, chunk extensions or trailers";
        co_return http::error::buffer_overflow;
      }
      if (error == http::error::body_limit) {
        out.wrong = "the body is larger than " + std::to_string(body_max) + " bytes";
      }
      if (error) co_return error;
    }
    if (another_follows(parser->get().result_int())) continue;
    out.message = parser->release();
    co_return boost::system::error_code{};
  }
  out.wrong = "only answers that announce another";
  co_return http::error::bad_status;
}

}  // namespace cvdd
