#include "upgrade.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <boost/beast/http.hpp>
#include <sstream>

#include "connect.hpp"

namespace cvdd {

namespace {
namespace beast = boost::beast;
namespace http = beast::http;

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string out(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}
}  // namespace

std::string random_websocket_key() {
  std::array<unsigned char, 16> bytes{};
  (void)RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return base64(bytes.data(), bytes.size());
}

std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  (void)EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size);
}

std::string upgrade_request(const Url& url, std::string_view path, const std::string& key) {
  http::request<http::empty_body> request(http::verb::get, {path.data(), path.size()}, 11);
  request.set(http::field::host, host_header(url));
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::sec_websocket_key, key);
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::user_agent, std::string("cvdd/") + CVDD_VERSION);
  std::ostringstream text;
  text << request;
  return text.str();
}

std::optional<HttpRefusal> read_upgrade_answer(const UpgradeAnswer& answer, const std::string& key, bool& agreed) {
  const auto field = [&](http::field name) {
    const auto value = answer[name];
    return std::string_view(value.data(), value.size());
  };
  agreed = false;
  if (answer.result() == http::status::switching_protocols) {
    agreed = beast::iequals(answer[http::field::upgrade], "websocket") &&
             http::token_list(answer[http::field::connection]).exists("upgrade") &&
             field(http::field::sec_websocket_accept) == accept_of(key);
    return std::nullopt;
  }
  return HttpRefusal{answer.result_int(), parse_retry_after(field(http::field::retry_after), field(http::field::date)),
                     printable(answer.body(), 200)};
}

}  // namespace cvdd
