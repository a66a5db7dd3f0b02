// An answer: its head, and a body that may be shared with others who are given the same.
#pragma once

#include <boost/beast/http.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace cvdd::web {

namespace http = boost::beast::http;
using Request = http::request<http::empty_body>;
using Body = std::shared_ptr<const std::string>;

struct Response : http::response<http::empty_body> {
  using http::response<http::empty_body>::response;
  Body text = std::make_shared<const std::string>();
};

[[nodiscard]] Response answer_with(http::status status, Body body, const char* type);
[[nodiscard]] Response text_answer(http::status status, std::string body, const char* type);
[[nodiscard]] Response json_answer(http::status status, std::string body);
// {"error": what}
[[nodiscard]] Response error_answer(http::status status, std::string_view what);
// The head's text, with the headers that every answer has.
[[nodiscard]] std::string complete_head(Response& response, bool keep_alive);

// Whether the client takes a packed body.
[[nodiscard]] bool takes_gzip(const Request& request);
// Level 1: what is saved beyond it costs more than it is worth.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace cvdd::web
