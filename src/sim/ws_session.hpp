// One WebSocket of the simulated exchange. Belongs to the server's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "hub.hpp"

namespace cvdd::sim {

using TlsStream = boost::asio::ssl::stream<boost::beast::tcp_stream>;
using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

// Answers the upgrade and serves the connection until it ends.
boost::asio::awaitable<void> run_websocket(std::shared_ptr<Hub> hub, TlsStream stream, HttpRequest request,
                                           const Protocol& protocol, std::unique_ptr<Conversation> talk);

}  // namespace cvdd::sim
