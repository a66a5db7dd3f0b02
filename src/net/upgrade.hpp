// The WebSocket handshake (RFC 6455, 4) as values: what is asked, and what the answer says. No socket.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/net/transport.hpp"

namespace cvdd {

using UpgradeAnswer = boost::beast::http::response<boost::beast::http::string_body>;

// Sec-WebSocket-Key: 16 random bytes.
[[nodiscard]] std::string random_websocket_key();
// Sec-WebSocket-Accept for a key.
[[nodiscard]] std::string accept_of(const std::string& key);
// The request's text. `path`: from request_target.
[[nodiscard]] std::string upgrade_request(const Url& url, std::string_view path, const std::string& key);
// Empty if the answer agrees to the upgrade with this key; or is no answer to it, which `wrong` tells then. Otherwise
// what the exchange wants us to know.
[[nodiscard]] std::optional<HttpRefusal> read_upgrade_answer(const UpgradeAnswer& answer, const std::string& key,
                                                             std::string& wrong);

// The answer's bytes as they come, however they are cut. Bounded: headers and framing as answer.hpp says, a refusal's
// body by body_max.
class UpgradeReader {
 public:
  UpgradeReader();
  // How many of them were taken. What is left must come again with more behind it; or, once it is done, is what follows
  // the answer.
  [[nodiscard]] std::size_t put(std::string_view bytes);
  // Nothing more comes.
  void end();
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool has_header() const { return parser_->is_header_done(); }
  // What is wrong with it; empty: nothing. A body that is too long or broken leaves what is known of the refusal.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  [[nodiscard]] const UpgradeAnswer& answer() const { return parser_->get(); }

  static constexpr std::size_t body_max = std::size_t{64} << 10;

 private:
  void begin();
  void fail(const std::string& why);
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
  std::uint64_t taken_ = 0;
  int before_ = 0;  // answers that announced another
  bool done_ = false;
  std::string wrong_;
};

}  // namespace cvdd
