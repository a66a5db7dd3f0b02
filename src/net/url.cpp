#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <utility>

#include "cvdd/net/transport.hpp"

namespace cvdd {

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::string_view date) {
  constexpr std::int64_t most = retry_after_max.count();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc{} && end == value.data() + value.size() && seconds >= 0) {
    return std::chrono::seconds(std::min(seconds, most));
  }
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  const auto time_of = [](std::string_view text) -> std::optional<std::time_t> {
    std::tm parts{};
    const std::string copy(text);
    const char* rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (rest == nullptr || *rest != '\0') return std::nullopt;
    return ::timegm(&parts);
  };
  const auto until = time_of(value), now = time_of(date);
  if (!until || !now) return std::nullopt;
  return std::chrono::seconds(std::clamp<std::int64_t>(*until - *now, 0, most));
}
namespace {

[[nodiscard]] bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

[[nodiscard]] char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Names and dotted addresses. The underscore is no host name letter by the book, but internal networks use it.
[[nodiscard]] bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-') {
    return false;
  }
  if (text.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

[[nodiscard]] bool is_ipv6(std::string_view text) {
  boost::system::error_code error;
  (void)asio::ip::make_address_v6(std::string(text), error);
  return !error;
}

[[nodiscard]] bool is_port(std::string_view text) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && text.size() <= 5 && port > 0 && port <= 65535;
}

// A query or fragment belongs to the request, not to the place.
[[nodiscard]] bool is_path(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; });
}

}  // namespace

bool parse_url(std::string_view text, Url& out) {
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    return false;
  }
  url.scheme = text.substr(0, scheme_end);
  std::transform(url.scheme.begin(), url.scheme.end(), url.scheme.begin(), to_lower);
  if (url.scheme != "wss" && url.scheme != "https") {
    return false;
  }
  text.remove_prefix(scheme_end + 3);

  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  std::string_view path = text.substr(slash);
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  if (!is_path(path)) {
    return false;
  }
  url.path = path;

  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos || !is_ipv6(authority.substr(1, bracket - 1))) {
      return false;
    }
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && authority.front() != ':') {
      return false;
    }
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    if (!is_host(authority.substr(0, colon))) {  // also refuses user info: '@' is no host letter
      return false;
    }
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  std::transform(url.host.begin(), url.host.end(), url.host.begin(), to_lower);

  url.port = "443";
  if (!authority.empty()) {
    authority.remove_prefix(1);
    if (!is_port(authority)) {
      return false;
    }
    url.port = authority;
  }
  out = std::move(url);
  return true;
}

}  // namespace cvdd
