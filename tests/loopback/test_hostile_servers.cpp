// Servers that hold a good certificate and mean harm: what they send has an end, and others have their turn meanwhile.
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fstream>

#include "attack/tls_server.hpp"
#include "catch.hpp"
#include "cvdd/net/transport.hpp"
#include "net/connect.hpp"
#include "net/upgrade.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace std::chrono_literals;
using attack::TlsServer;
using attack::Wire;

namespace {
const test::Identity& authority() {
  static const test::Identity ca = test::make_identity("", nullptr);
  return ca;
}

// The address sanitizer keeps what was freed, so there memory tells nothing; what was sent does.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t room_mib = 4'096;
#else
constexpr std::size_t room_mib = 32;
#endif
std::size_t resident_mib() {
  std::ifstream in("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  in >> all >> resident;
  return resident * 4 / 1'024;
}

// One client beside one server; a timer beside it sees how long the thread was held.
struct Victim {
  explicit Victim(TlsServer::Script script)
      : server(test::make_identity("IP:127.0.0.1", &authority()), std::move(script)) {
    ::signal(SIGPIPE, SIG_IGN);
    const std::string file = folder / "ca.pem";
    std::ofstream(file) << authority().certificate_pem();
    NetSettings settings;
    settings.ca_file = file;
    tls = make_net_context(settings);
    url = {"wss", "127.0.0.1", server.port(), "", ""};
  }
  asio::awaitable<void> beat() {
    asio::steady_timer timer(io);
    while (!done) {
      const auto begin = std::chrono::steady_clock::now();
      timer.expires_after(1ms);
      (void)co_await timer.async_wait(await_tuple);
      held = std::max(held, std::chrono::steady_clock::now() - begin);
    }
  }
  template <class Work>
  void run(Work work) {
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& e) {
      thrown = e;
      done = true;
    });
    asio::co_spawn(io, beat(), asio::detached);
    io.run_for(30s);
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(done);
  }
  // Why it got no answer; empty: it got one.
  std::string get(std::size_t body_max = 1'000) {
    std::string why;
    run([&]() -> asio::awaitable<void> {
      const auto http = make_http_get(io.get_executor(), tls);
      const std::string target = "/";
      const auto answer = co_await http->get(url, target, std::chrono::steady_clock::now() + 20s, body_max);
      if (!answer) why = answer.error().message() + ": " + http->last_error_detail();
      if (answer) body = answer->body;
    });
    return why;
  }
  // Why the connection ended.
  std::string listen() {
    std::string why;
    run([&]() -> asio::awaitable<void> {
      const auto transport = make_transport(io.get_executor(), tls);
      const auto deadline = std::chrono::steady_clock::now() + 20s;
      const std::string target = "/";
      const auto connected = co_await transport->connect(url, target, deadline);
      while (connected) {
        const auto read = co_await transport->read(deadline);
        if (!read) break;
        messages += read->size();
        largest = std::max(largest, read->size());
      }
      why = transport->last_error_detail();
    });
    return why;
  }
  test::Folder folder;
  TlsServer server;
  asio::io_context io{1};
  std::shared_ptr<NetContext> tls;
  Url url;
  std::string body;
  std::size_t messages = 0, largest = 0;
  bool done = false;
  std::chrono::steady_clock::duration held{};
};

// Says a beginning and then the same again and again.
TlsServer::Script endless(std::string head, std::string more) {
  return [head, more](Wire& wire) {
    if (wire.hear().empty() || !wire.say(head)) return;
    while (wire.sent < (std::size_t{1} << 30) && wire.say(more)) {
    }
  };
}
}  // namespace

TEST_CASE("an HTTPS answer has an end, whatever its parts", "[net]") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", piece(16'000, 'x');
  struct Row {
    const char* what;
    std::string head, more, reason;
  };
  const Row rows[] = {
      {"a header", "HTTP/1.1 200 OK\r\nX: ", piece, "limit"},
      {"a chunk's extension", chunked + "5;x=", piece, "has no end"},
      {"many chunks' extensions", chunked, "1;x=" + piece + "\r\ny\r\n", "has no end"},
      {"a trailer", chunked + "0\r\nX: ", piece, "has no end"},
      {"trailers", chunked + "0\r\n", "X: " + piece + "\r\n", "has no end"},
      {"a chunk's size", chunked, "0000000000000000", "has no end"},
      {"answers that announce another", "", "HTTP/1.1 103 Early Hints\r\n\r\n", "announce another"},
      {"a body", "HTTP/1.1 200 OK\r\n\r\n", piece, "larger than"},
  };
  const std::size_t before = resident_mib();
  for (const Row& row : rows) {
    Victim victim(endless(row.head, row.more));
    const std::string why = victim.get();
    INFO(row.what << ": " << why);
    CHECK(why.find(row.reason) != why.npos);
    CHECK(victim.held < 5s);
    CHECK(victim.server.sent() < std::size_t{32} << 20);
  }
  CHECK(resident_mib() < before + room_mib);
}

TEST_CASE("answers that announce the answer are passed over", "[net]") {
  Victim victim([](Wire& wire) {
    wire.hear();
    wire.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  CHECK(victim.get().empty());
  CHECK(victim.body == "ok");
}

TEST_CASE("the answer to an upgrade has an end, and grants nothing that nobody asked for", "[net]") {
  const std::size_t before = resident_mib();
  for (const char* head : {"HTTP/1.1 101 Switching Protocols\r\nX: ", "HTTP/1.1 403 No\r\n\r\n",
                           "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
                           "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "}) {
    Victim victim(endless(head, std::string(16'000, 'x')));
    const std::string why = victim.listen();
    INFO(head << why << "; sent " << victim.server.sent());
    CHECK((why.find("limit") != why.npos || why.starts_with("HTTP 403")));
  }
  CHECK(resident_mib() < before + room_mib);
  Victim victim([](Wire& wire) { wire.agree(accept_of, "Sec-WebSocket-Extensions: permessage-deflate\r\n"); });
  CHECK(victim.listen().find("nobody asked for") != std::string::npos);
  Victim moved([](Wire& wire) {
    wire.hear();
    wire.say(
        "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n");
  });
  CHECK(moved.listen() ==
        "HTTP 301, Location https://elsewhere/, Retry-After 99999999 (a day is the most that is waited)");
}

TEST_CASE("records without data end the connection, with the reason", "[net]") {
  const auto flood = [](Wire& wire) {
    for (int i = 0; i < 1'000'000 && wire.new_keys(); ++i) {
    }
  };
  Victim stream([&](Wire& wire) {
    if (wire.agree(accept_of)) flood(wire);
  });
  const std::string why = stream.listen();
  INFO(why);
  CHECK(why.find("records without data") != why.npos);
  CHECK(stream.held < 1s);
  Victim answer([&](Wire& wire) {
    wire.hear();
    flood(wire);
  });
  CHECK(answer.get().find("records without data") != std::string::npos);
  CHECK(answer.held < 1s);
}

TEST_CASE("floods of frames that bring nothing end the connection, with the reason", "[net]") {
  const auto flood = [](const std::string& first, const std::string& frame) {
    std::string many;
    while (many.size() < 64'000) many += frame;
    return [first, many](Wire& wire) {
      if (!wire.agree(accept_of) || !wire.say(first)) return;
      for (int i = 0; i < 1'000 && wire.say(many); ++i) {
      }
    };
  };
  const std::string byte("\x81\x01x", 3), empty("\x81\0", 2), ping("\x89\0", 2), pong("\x8a\x04home", 6);
  const std::string fragment(2, '\0'), begins("\x01\0", 2);
  for (const std::string& frame : {byte, empty, ping, pong, fragment}) {
    Victim victim(flood(frame == fragment ? begins : "", frame));
    const std::string why = victim.listen();
    INFO(why);
    CHECK(why.find("more than 1024 frames without data in a second") != why.npos);
    CHECK(victim.messages <= 2'048);
    CHECK(victim.held < 1s);
  }
}

TEST_CASE("floods of the smallest messages and records leave others their turn", "[net]") {
  const std::string close("\x88\x02\x03\xe8", 4), message = "\x81\x10" + std::string(16, 'x');
  Victim small([&](Wire& wire) {
    std::string many;
    for (int i = 0; i < 8'000; ++i) many += message;
    wire.agree(accept_of);
    for (int i = 0; i < 250; ++i) {
      if (!wire.say(many)) return;
    }
    wire.say(close);
    wire.listen();
  });
  CHECK(small.listen() == "closed with code 1000");
  CHECK(small.messages == 2'000'000);
  CHECK(small.largest <= 1'024);
  CHECK(small.held < 1s);
  Victim records([&](Wire& wire) {
    wire.agree(accept_of);
    for (int i = 0; i < 1'000; ++i) {
      for (const char c : message) {
        if (!wire.say({&c, 1})) return;
      }
    }
    wire.say(close);
    wire.listen();
  });
  CHECK(records.listen() == "closed with code 1000");
  CHECK(records.messages == 1'000);
  CHECK(records.held < 1s);
}
