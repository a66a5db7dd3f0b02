// One HTTP POST over TLS, and in the clear where the URL says http: for what the engine tells a database. Waits for the
// answer on the caller's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cvdd/net/transport.hpp"

namespace cvdd {

// As parse_url, for "http" and "https"; the port defaults to 80 and 443.
[[nodiscard]] bool parse_http_url(std::string_view text, Url& out);

struct HttpPost {
  Url url;             // scheme, host, port, prefix
  std::string target;  // path and query, appended to the prefix
  std::map<std::string, std::string> headers;
  std::string_view body;
};
// Within `timeout` in all. Answers above `body_max` bytes are an error. On failure `detail` says why in one line.
[[nodiscard]] Result<HttpResponse> http_post(const std::shared_ptr<NetContext>& net, const HttpPost& post,
                                             std::chrono::seconds timeout, std::size_t body_max, std::string& detail);

}  // namespace cvdd
