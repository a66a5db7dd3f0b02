// The WebSocket handshake (RFC 6455, 4) as values: what is asked, and what the answer says. No socket.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
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
// Empty if the answer agrees to the upgrade with this key, or is no answer to it (101 with the wrong fields: `agreed`
// is false). Otherwise what the exchange wants us to know.
[[nodiscard]] std::optional<HttpRefusal> read_upgrade_answer(const UpgradeAnswer& answer, const std::string& key,
                                                             bool& agreed);

}  // namespace cvdd
