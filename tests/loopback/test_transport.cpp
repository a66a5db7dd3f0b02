// The network room against real TLS servers on loopback.
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <exception>
#include <functional>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "cvdd/base/version.hpp"
#include "cvdd/net/transport.hpp"
#include "test_certificate.hpp"

using namespace cvdd;
using namespace std::chrono_literals;
using test::Identity;
using test::make_identity;

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Stream = beast::ssl_stream<beast::tcp_stream>;
using ServerWs = websocket::stream<Stream>;
using Serve = std::function<asio::awaitable<void>(Stream&)>;

constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

SteadyTime in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

class CaFile {
 public:
  explicit CaFile(const Identity& ca) {
    const int file = mkstemp(path_.data());
    const std::string pem = ca.certificate_pem();
    if (file < 0 || ::write(file, pem.data(), pem.size()) != static_cast<ssize_t>(pem.size())) {
      throw std::runtime_error("cannot write the CA file");
    }
    ::close(file);
  }
  ~CaFile() { ::unlink(path_.c_str()); }
  CaFile(const CaFile&) = delete;
  CaFile& operator=(const CaFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/cvdd_test_ca_XXXXXX";
};

const Identity& authority() {
  static const Identity ca = make_identity("", nullptr);
  return ca;
}

const Identity& good_server() {
  static const Identity server = make_identity("DNS:localhost,IP:127.0.0.1", &authority());
  return server;
}

// One server and the client's settings, on one thread.
struct World {
  explicit World(const Identity& identity, const Identity& trusted = authority())
      : tls(asio::ssl::context::tls_server), acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    const std::string certificate = identity.certificate_pem();
    const std::string key = identity.key_pem();
    tls.use_certificate_chain(asio::buffer(certificate));
    tls.use_private_key(asio::buffer(key), asio::ssl::context::pem);
    const CaFile file(trusted);
    client_tls = make_net_context({file.path(), ""});
    url = {"wss", "127.0.0.1", std::to_string(acceptor.local_endpoint().port()), "", ""};
  }

  // Any number of connections, each of which ends when `serve` does.
  void serve(Serve serve) {
    asio::co_spawn(
        io,
        [this, serve]() -> asio::awaitable<void> {
          for (;;) {
            auto [error, socket] = co_await acceptor.async_accept(await_tuple);
            if (error) {
              co_return;
            }
            Stream stream(std::move(socket), tls);
            const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server, await_tuple);
            if (!failed) {
              co_await serve(stream);
            }
          }
        },
        asio::detached);
  }

  void run(std::function<asio::awaitable<void>()> client) {
    std::exception_ptr thrown;
    bool finished = false;
    asio::co_spawn(io, std::move(client), [&](std::exception_ptr error) {
      thrown = error;
      finished = true;
      io.stop();
    });
    io.run_for(20s);
    if (thrown) {
      std::rethrow_exception(thrown);
    }
    REQUIRE(finished);
  }

  // Connects once and says how that went.
  struct Outcome {
    boost::system::error_code error;
    std::string detail;
  };
  Outcome connect(std::chrono::milliseconds time = 5s) {
    Outcome outcome;
    run([&]() -> asio::awaitable<void> {
      const auto transport = make_transport(io.get_executor(), client_tls);
      const auto result = co_await transport->connect(url, "/ws", in(time));
      outcome.error = result ? boost::system::error_code() : result.error();
      outcome.detail = transport->last_error_detail();
      if (result) {
        co_await transport->close(in(1s));
      }
    });
    return outcome;
  }

  asio::io_context io;
  asio::ssl::context tls;
  tcp::acceptor acceptor;
  std::shared_ptr<NetContext> client_tls;
  Url url;
};

// Reads until the other side goes away, and answers nothing.
asio::awaitable<void> silent(Stream& stream) {
  std::array<char, 1024> bytes;
  for (;;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(bytes), await_tuple);
    if (error) {
      co_return;
    }
  }
}

asio::awaitable<void> read_all(ServerWs& ws) {
  beast::flat_buffer buffer;
  for (;;) {
    const auto [error, size] = co_await ws.async_read(buffer, await_tuple);
    if (error) {
      co_return;
    }
    buffer.clear();
  }
}

asio::awaitable<void> echo(Stream& stream) {
  ServerWs ws(std::move(stream));
  co_await ws.async_accept(asio::use_awaitable);
  beast::flat_buffer buffer;
  for (;;) {
    const auto [error, size] = co_await ws.async_read(buffer, await_tuple);
    if (error) {
      co_return;
    }
    ws.binary(true);  // some exchanges send JSON in binary frames
    co_await ws.async_write(buffer.data(), await_tuple);
    buffer.clear();
  }
}

// Answers one request with `response`, whatever it was.
Serve answer(http::response<http::string_body> response, http::request<http::string_body>* seen = nullptr) {
  response.prepare_payload();
  return [response, seen](Stream& stream) -> asio::awaitable<void> {
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    co_await http::async_read(stream, buffer, request, await_tuple);
    if (seen != nullptr) {
      *seen = request;
    }
    co_await http::async_write(stream, response, await_tuple);
  };
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string in_copy = text;
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in_copy.data());
  stream.avail_in = static_cast<uInt>(in_copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Got {
  Result<HttpResponse> result = make_error_code(NetError::closed);
  std::string detail;
};
Got get(World& world, std::size_t body_max, std::chrono::milliseconds time = 5s) {
  Got got;
  world.run([&]() -> asio::awaitable<void> {
    const auto client = make_http_get(world.io.get_executor(), world.client_tls);
    got.result = co_await client->get(world.url, "/api?x=1", in(time), body_max);
    got.detail = client->last_error_detail();
  });
  return got;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a certificate of a trusted authority is accepted, by address and by name", "[net]") {
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    World world(good_server());
    world.url.host = host;
    world.serve(echo);
    const auto outcome = world.connect();
    CAPTURE(host, outcome.detail);
    CHECK_FALSE(outcome.error);
  }
}

TEST_CASE("certificates that prove nothing are refused, with the reason", "[net]") {
  const Identity stranger = make_identity("", nullptr);
  struct Row {
    std::string what;
    Identity server;
    std::string host, reason;
  };
  const std::vector<Row> rows = {
      {"wrong CA", make_identity("IP:127.0.0.1", &stranger), "127.0.0.1", "unable to get local issuer certificate"},
      {"wrong address", make_identity("IP:127.0.0.2", &authority()), "127.0.0.1", "IP address mismatch"},
      {"wrong name", make_identity("DNS:example.com", &authority()), "localhost", "ostname mismatch"},
      {"a name in CN alone", make_identity("email:a@b.c", &authority(), 3600, "localhost"), "localhost",
       "ostname mismatch"},
      {"expired", make_identity("IP:127.0.0.1", &authority(), -3600), "127.0.0.1", "certificate has expired"},
      {"signed by what is no authority", make_identity("IP:127.0.0.1", &good_server()), "127.0.0.1",
       "certificate verify failed"},
      {"self-signed", make_identity("IP:127.0.0.1", nullptr), "127.0.0.1", "self-signed certificate"},
  };
  for (const Row& row : rows) {
    World world(row.server);
    world.url.host = row.host;
    world.serve(echo);
    const auto outcome = world.connect();
    CAPTURE(row.what, outcome.detail);
    CHECK(outcome.error == make_error_code(NetError::tls_failed));
    CHECK(contains(outcome.detail, row.reason));
  }
}

TEST_CASE("TLS 1.1 is refused", "[net]") {
  World world(good_server());
  SSL_CTX_set_min_proto_version(world.tls.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(world.tls.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(world.tls.native_handle(), "ALL:@SECLEVEL=0");
  world.serve(echo);
  const auto outcome = world.connect();
  CAPTURE(outcome.detail);
  CHECK(outcome.error == make_error_code(NetError::tls_failed));
  CHECK(contains(outcome.detail, "protocol version"));
}

TEST_CASE("a CA file that cannot be read is named", "[net]") {
  REQUIRE_THROWS_AS((void)make_net_context({"/nonexistent/ca.pem", ""}), std::runtime_error);
  try {
    (void)make_net_context({"/nonexistent/ca.pem", ""});
  } catch (const std::runtime_error& error) {
    CHECK(contains(error.what(), "/nonexistent/ca.pem"));
  }
}

TEST_CASE("nobody listens", "[net]") {
  World world(good_server());
  world.acceptor.close();
  const auto outcome = world.connect();
  CHECK(outcome.error == make_error_code(NetError::connect_failed));
  CHECK(contains(outcome.detail, "Connection refused"));
}

TEST_CASE("messages go both ways, and the connection can be made again", "[net]") {
  World world(good_server());
  world.serve(echo);
  world.run([&]() -> asio::awaitable<void> {
    const auto transport = make_transport(world.io.get_executor(), world.client_tls);
    for (int round = 0; round < 2; ++round) {
      const auto connected = co_await transport->connect(world.url, "/ws", in(5s));
      REQUIRE(connected.has_value());
      for (const std::string& text : {std::string("hello"), std::string(200'000, 'x'), std::string("{}")}) {
        const auto written = co_await transport->write(text, in(5s));
        REQUIRE(written.has_value());
        const auto messages = co_await transport->read(in(5s));
        REQUIRE(messages.has_value());
        REQUIRE(messages->size() == 1);
        CHECK((messages->front() == text));
      }
      co_await transport->close(in(1s));
      const auto after = co_await transport->read(in(1s));
      CHECK((!after && after.error() == make_error_code(NetError::closed)));
    }
  });
}

TEST_CASE("a server that is silent at any stage costs no more than the deadline", "[net]") {
  const auto begin = std::chrono::steady_clock::now();
  SECTION("in the TLS handshake") {
    World world(good_server());  // the kernel accepts, nobody answers
    CHECK(world.connect(100ms).error == make_error_code(NetError::timed_out));
  }
  SECTION("in the WebSocket handshake") {
    World world(good_server());
    world.serve(silent);
    const auto outcome = world.connect(100ms);
    CHECK(outcome.error == make_error_code(NetError::timed_out));
    CHECK(contains(outcome.detail, "WebSocket handshake"));
  }
  SECTION("in an HTTPS response") {
    World world(good_server());
    world.serve(silent);
    const auto got = get(world, 1000, 100ms);
    CHECK((!got.result && got.result.error() == make_error_code(NetError::timed_out)));
  }
  SECTION("after the handshake") {
    World world(good_server());
    world.serve(echo);
    world.run([&]() -> asio::awaitable<void> {
      const auto transport = make_transport(world.io.get_executor(), world.client_tls);
      const auto connected = co_await transport->connect(world.url, "/", in(5s));
      REQUIRE(connected.has_value());
      const auto messages = co_await transport->read(in(100ms));
      CHECK((!messages && messages.error() == make_error_code(NetError::timed_out)));
    });
  }
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
}

TEST_CASE("the writer's deadline is not the reader's", "[net]") {
  World world(good_server());
  const auto serve = [](bool stop_reading) -> Serve {
    return [stop_reading](Stream& stream) -> asio::awaitable<void> {
      ServerWs ws(std::move(stream));
      co_await ws.async_accept(asio::use_awaitable);
      asio::steady_timer timer(co_await asio::this_coro::executor, stop_reading ? 10s : 200ms);
      co_await timer.async_wait(await_tuple);
      co_await ws.async_write(asio::buffer("late", 4), await_tuple);
      co_await read_all(ws);
    };
  };
  SECTION("a write that is done leaves the read waiting") {
    world.serve(serve(false));
    world.run([&]() -> asio::awaitable<void> {
      const auto transport = make_transport(world.io.get_executor(), world.client_tls);
      const auto connected = co_await transport->connect(world.url, "/", in(5s));
      REQUIRE(connected.has_value());
      asio::co_spawn(
          world.io,
          [&]() -> asio::awaitable<void> {
            const auto written = co_await transport->write("now", in(50ms));
            CHECK(written.has_value());
          },
          asio::detached);
      const auto messages = co_await transport->read(in(5s));
      REQUIRE(messages.has_value());
      CHECK((messages->front() == "late"));
    });
  }
  SECTION("a write that is stuck times out although the read could wait") {
    world.serve(serve(true));
    world.run([&]() -> asio::awaitable<void> {
      const auto transport = make_transport(world.io.get_executor(), world.client_tls);
      const auto connected = co_await transport->connect(world.url, "/", in(5s));
      REQUIRE(connected.has_value());
      boost::system::error_code write_error;
      const std::string large(64 << 20, 'x');  // more than the socket's buffers hold
      asio::co_spawn(
          world.io,
          [&]() -> asio::awaitable<void> {
            const auto written = co_await transport->write(large, in(300ms));
            write_error = written ? boost::system::error_code() : written.error();
          },
          asio::detached);
      const auto messages = co_await transport->read(in(9s));
      CHECK((!messages && messages.error() == make_error_code(NetError::timed_out)));
      co_await asio::post(world.io, asio::use_awaitable);
      co_await asio::post(world.io, asio::use_awaitable);
      CHECK(write_error == make_error_code(NetError::timed_out));
    });
  }
}

TEST_CASE("the server says goodbye, or just leaves", "[net]") {
  const bool polite = GENERATE(true, false);
  World world(good_server());
  world.serve([polite](Stream& stream) -> asio::awaitable<void> {
    ServerWs ws(std::move(stream));
    co_await ws.async_accept(asio::use_awaitable);
    if (polite) {
      co_await ws.async_close({websocket::close_code::going_away, "maintenance"}, await_tuple);
    }
  });
  world.run([&]() -> asio::awaitable<void> {
    const auto transport = make_transport(world.io.get_executor(), world.client_tls);
    const auto connected = co_await transport->connect(world.url, "/", in(5s));
    REQUIRE(connected.has_value());
    const auto messages = co_await transport->read(in(5s));
    CHECK((!messages && messages.error() == make_error_code(NetError::closed)));
    if (polite) {
      CHECK(transport->last_error_detail() == "closed with code 1001: maintenance");
    }
  });
}

TEST_CASE("a ping is answered with its payload while a read waits", "[net]") {
  World world(good_server());
  std::string pong;
  world.serve([&](Stream& stream) -> asio::awaitable<void> {
    ServerWs ws(std::move(stream));
    ws.control_callback([&](websocket::frame_type type, beast::string_view payload) {
      if (type == websocket::frame_type::pong) {
        pong.assign(payload.data(), payload.size());
      }
    });
    co_await ws.async_accept(asio::use_awaitable);
    co_await ws.async_ping("1700000000123", await_tuple);
    co_await read_all(ws);
  });
  world.run([&]() -> asio::awaitable<void> {
    const auto transport = make_transport(world.io.get_executor(), world.client_tls);
    const auto connected = co_await transport->connect(world.url, "/", in(5s));
    REQUIRE(connected.has_value());
    const SteadyTime before = transport->last_frame();
    co_await transport->read(in(300ms));
    CHECK(transport->last_frame() > before);
    CHECK(pong == "1700000000123");
  });
}

TEST_CASE("a refused upgrade says why", "[net]") {
  http::response<http::string_body> response(http::status::too_many_requests, 11);
  response.set(http::field::retry_after, "30");
  response.body() = "slow\ndown";
  http::request<http::string_body> seen;
  World world(good_server());
  world.url.path = "/prefix";
  world.serve(answer(response, &seen));
  const auto outcome = world.connect();
  CHECK(outcome.error == make_error_code(NetError::upgrade_refused));
  CHECK(outcome.detail == "HTTP 429, Retry-After 30: slow down");
  CHECK(seen.target() == "/prefix/ws");
  CHECK(seen[http::field::host] == "127.0.0.1:" + world.url.port);
  CHECK(seen[http::field::user_agent] == std::string(product()));
}

TEST_CASE("HTTPS bodies: plain, packed, too large, damaged", "[net]") {
  http::response<http::string_body> response(http::status::ok, 11);
  response.set("X-Used-Weight", "7");
  World world(good_server());
  const auto fetch = [&](std::size_t body_max) {
    world.serve(answer(response));
    return get(world, body_max);
  };
  const auto refused = [](const Got& got, const std::string& reason) {
    CAPTURE(got.detail);
    CHECK((!got.result && got.result.error() == make_error_code(NetError::protocol)));
    CHECK(contains(got.detail, reason));
  };
  SECTION("plain, whatever the status") {
    response.result(http::status::not_found);
    response.body() = "exactly 16 bytes";
    const auto got = fetch(16);
    REQUIRE(got.result.has_value());
    CHECK(got.result->status == 404);
    CHECK(got.result->body == "exactly 16 bytes");
    CHECK(got.result->headers.at("x-used-weight") == "7");
  }
  SECTION("plain, one byte too many") {
    response.body() = "exactly 16 bytes";
    refused(fetch(15), "larger than 15 bytes");
  }
  const std::string text(100'000, 'a');
  const std::string packed = gzip(text);
  response.set(http::field::content_encoding, "gzip");
  SECTION("packed") {
    response.body() = packed;
    const auto got = fetch(100'000);
    REQUIRE(got.result.has_value());
    CHECK((got.result->body == text));
  }
  SECTION("packed twice over") {
    response.body() = packed + packed;
    const auto got = fetch(200'000);
    REQUIRE(got.result.has_value());
    CHECK((got.result->body == text + text));
  }
  SECTION("unpacks to one byte too many") {
    response.body() = packed;
    refused(fetch(99'999), "unpacked body is larger");
  }
  SECTION("cut off") {
    response.body() = packed.substr(0, packed.size() - 9);
    refused(fetch(200'000), "cut off");
  }
  SECTION("damaged") {
    response.body() = "no gzip at all";
    refused(fetch(200'000), "damaged");
  }
  SECTION("an encoding nobody asked for") {
    response.set(http::field::content_encoding, "br");
    response.body() = "x";
    refused(fetch(200'000), "nobody asked for");
  }
}
