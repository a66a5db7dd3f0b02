// Where readers come in: places, requests, and answers on their way, each in its turn. io thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <functional>
#include <list>

#include "allowance.hpp"
#include "answers.hpp"
#include "cvdd/web/web_server.hpp"
#include "places.hpp"

namespace cvdd::web {

class Door {
 public:
  using Stream = boost::beast::tcp_stream;
  struct Around {
    boost::asio::any_io_executor executor;
    const WebServer::Settings& settings;
    Answers& answers;
    Allowance& allowance;
    // Runs something beside, and keeps us alive meanwhile.
    std::function<void(boost::asio::awaitable<void>)> spawn;
    // Goes on with a connection that wants to be a WebSocket.
    std::function<boost::asio::awaitable<void>(Stream&, Request, Places::Handle)> upgrade;
  };
  // Listens. Throws std::runtime_error that says where it can't, and why.
  explicit Door(Around around);
  // Until close().
  boost::asio::awaitable<void> accept();
  void close();
  [[nodiscard]] std::uint16_t port() const;

  // One last answer.
  boost::asio::awaitable<void> refuse(Stream& stream, http::status status, const char* why);
  boost::asio::awaitable<void> refuse(Stream& stream, Response& response);

 private:
  struct Sending {
    Places::Handle place;
    Body body;
    bool counted = true;
  };
  void listen();
  boost::asio::awaitable<void> serve(Stream stream);
  boost::asio::awaitable<bool> hear(Stream& stream, boost::beast::flat_buffer& buffer,
                                    http::request_parser<http::empty_body>& parser, bool another);
  boost::asio::awaitable<bool> send(Stream& stream, Places::Handle place, Response& response, bool head_only,
                                    bool more);
  void close_the_slowest(const Sending& fresh);
  boost::asio::awaitable<void> until_allowed(Allowance& allowance, const Places::Place* place = nullptr);

  Around around_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Places places_;
  std::list<Sending> sending_;  // in the order in which they began
  Allowance accepts_;
  bool closed_ = false;
};

}  // namespace cvdd::web
