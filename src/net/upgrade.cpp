#include "upgrade.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <boost/beast/http.hpp>
#include <sstream>

#include "answer.hpp"
#include "connect.hpp"
#include "cvdd/base/version.hpp"

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
  request.set(http::field::user_agent, std::string(product()));
  if (const auto [name, value] = header_of(url); !name.empty()) request.set(name, value);
  std::ostringstream text;
  text << request;
  return text.str();
}

std::optional<HttpRefusal> read_upgrade_answer(const UpgradeAnswer& answer, const std::string& key,
                                               std::string& wrong) {
  const auto field = [&](http::field name) {
    const auto value = answer[name];
    return std::string_view(value.data(), value.size());
  };
  wrong.clear();
  if (answer.result() == http::status::switching_protocols) {
    const bool agreed = beast::iequals(answer[http::field::upgrade], "websocket") &&
                        http::token_list(answer[http::field::connection]).exists("upgrade") &&
                        field(http::field::sec_websocket_accept) == accept_of(key);
    if (!agreed) wrong = "the answer to the WebSocket handshake is not one";
    // What follows would be understood otherwise than it is meant (RFC 6455, 4.1).
    for (const http::field name : {http::field::sec_websocket_extensions, http::field::sec_websocket_protocol}) {
      if (agreed && answer.count(name) > 0) {
        wrong = "the answer to the WebSocket handshake agrees to what nobody asked for: " +
                std::string(http::to_string(name)) + " " + printable(field(name), 100);
      }
    }
    return std::nullopt;
  }
  return HttpRefusal{answer.result_int(), parse_retry_after(field(http::field::retry_after), field(http::field::date)),
                     printable(answer.body(), 200)};
}

UpgradeReader::UpgradeReader() { begin(); }

void UpgradeReader::begin() {
  parser_.emplace();
  parser_->header_limit(answer_header_max);
  parser_->body_limit(body_max);
}

void UpgradeReader::fail(const std::string& why) {
  done_ = true;
  if (!parser_->is_header_done()) wrong_ = why;
}

std::size_t UpgradeReader::put(std::string_view bytes) {
  std::size_t taken = 0;
  while (!done_) {
    boost::system::error_code error;
    parser_->eager(parser_->is_header_done());
    const std::size_t used = parser_->put({bytes.data() + taken, bytes.size() - taken}, error);
    taken += used;
    taken_ += used;
    if (error == http::error::need_more) error = {};
    if (error) {
      fail(error.message());
    } else if (more_than_framing(taken_ + bytes.size() - taken, parser_->get().body().size())) {
      fail("an answer without end");
    } else if (parser_->is_header_done() && parser_->get().result() == http::status::switching_protocols) {
      done_ = true;
    } else if (parser_->is_done() && another_follows(parser_->get().result_int())) {
      if (++before_ > answers_before_max) {
        wrong_ = "only answers that announce another";
        done_ = true;
      } else {
        begin();
      }
    } else {
      done_ = parser_->is_done();
      if (used == 0) break;
    }
  }
  return taken;
}

void UpgradeReader::end() {
  boost::system::error_code error;
  parser_->put_eof(error);
  fail(error ? error.message() : "an answer that is cut off");
}

}  // namespace cvdd
