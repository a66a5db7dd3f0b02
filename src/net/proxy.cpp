#include <openssl/evp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>

#include "address.hpp"
#include "cvdd/base/log_folder.hpp"

namespace cvdd {

namespace {
constexpr std::size_t header_max = 16 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// "HTTP/1.1 200 Connection established" → 200 and the rest; 0 if it is no such line. Some repeat what they were sent:
// that is taken out before the line is cut.
unsigned status_of(std::string_view header, const std::vector<std::string>& secrets, std::string& line) {
  const std::string whole(header.substr(0, header.find("\r\n")));
  line = printable(without(whole, secrets), 100);
  if (!header.starts_with("HTTP/1.") || header.size() < 12 || header[8] != ' ') return 0;
  unsigned status = 0;
  for (const char c : header.substr(9, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  return status;
}
}  // namespace

std::optional<Proxy> parse_proxy(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) return std::nullopt;
  text.remove_prefix(scheme.size());
  Proxy proxy;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto credentials = percent_decoded(text.substr(0, at));
    if (!credentials || credentials->find(':') == std::string::npos) return std::nullopt;
    proxy.authorization = "Basic " + base64(*credentials);
    const std::string_view written = text.substr(0, at);
    proxy.secrets = {proxy.authorization.substr(6), *credentials, std::string(written)};
    if (const auto colon = credentials->find(':'); colon + 1 < credentials->size()) {
      proxy.secrets.push_back(credentials->substr(colon + 1));
      proxy.secrets.emplace_back(written.substr(std::min(written.find(':') + 1, written.size())));
    }
    text.remove_prefix(at + 1);
  }
  Url url;
  if (!parse_url("https://" + std::string(text), url) || !url.path.empty()) return std::nullopt;
  proxy.host = url.host;
  proxy.port = url.port;
  return proxy;
}

asio::awaitable<Result<void>> ask_proxy(boost::beast::tcp_stream& socket, const Proxy& proxy, const Url& url,
                                        std::string& detail) {
  const std::string where = "proxy " + proxy.host + ":" + proxy.port + " ";
  const std::string target =
      (url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]") + ":" + url.port;
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy.authorization.empty()) request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  request += "\r\n";
  std::string answer;
  const auto [write_error, written] = co_await asio::async_write(socket, asio::buffer(request), await_tuple);
  boost::system::error_code error = write_error;
  if (!error) {
    auto buffer = asio::dynamic_buffer(answer, header_max);
    const std::string end_of_header = "\r\n\r\n";
    const auto [read_error, size] = co_await asio::async_read_until(socket, buffer, end_of_header, await_tuple);
    error = read_error;
  }
  if (error == boost::beast::error::timeout) {
    detail = where + "did not answer in time";
    co_return make_error_code(NetError::timed_out);
  }
  if (error) {
    detail = where + (error == asio::error::not_found ? "answered with an endless header"
                                                      : "ended the connection: " + error.message());
    co_return make_error_code(NetError::proxy_failed);
  }
  std::string line;
  const unsigned status = status_of(answer, proxy.secrets, line);
  if (status < 200 || status > 299) {
    detail = where + (status == 0 ? "did not answer as a proxy does: " : "refused: ") + line;
    co_return make_error_code(NetError::proxy_failed);
  }
  // The exchange speaks only after our TLS greeting, so nothing may follow yet.
  if (answer.size() != answer.find("\r\n\r\n") + 4) {
    detail = where + "sent more than its answer";
    co_return make_error_code(NetError::proxy_failed);
  }
  co_return Result<void>();
}

}  // namespace cvdd
