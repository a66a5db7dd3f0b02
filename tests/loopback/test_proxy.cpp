// Addresses that lead nowhere, name services that fail, and proxies of every temper.
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "catch.hpp"
#include "net/address.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {
tcp::endpoint loopback(unsigned short port) { return {asio::ip::address_v4::loopback(), port}; }

// Says what it was told to, or is a real CONNECT proxy.
class TestProxy {
 public:
  enum class Temper { works, refuses, mute, garbage, endless, talks_on, echoes };
  explicit TestProxy(Temper temper, std::string wants = "") : temper_(temper), wants_(std::move(wants)) {
    asio::co_spawn(io_, accept(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~TestProxy() {
    io_.stop();
    thread_.join();
  }
  [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url(const std::string& user = "") const {
    return "http://" + user + "127.0.0.1:" + std::to_string(port());
  }
  [[nodiscard]] std::size_t tunnels() const { return tunnels_; }

 private:
  asio::awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(await_tuple);
      if (error) co_return;
      asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> say(tcp::socket& socket, std::string text) {
    (void)co_await asio::async_write(socket, asio::buffer(text), await_tuple);
  }
  asio::awaitable<void> serve(tcp::socket client) {
    std::string header;
    auto buffer = asio::dynamic_buffer(header, 8'192);
    const std::string end = "\r\n\r\n";
    const auto [error, size] = co_await asio::async_read_until(client, buffer, end, await_tuple);
    if (error) co_return;
    const std::string refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                      garbage = "SSH-2.0-nonsense\r\n\r\n", endless(20'000, 'x'),
                      eager = "HTTP/1.1 200 OK\r\n\r\nand more", yes = "HTTP/1.1 200 OK\r\n\r\n";
    if (temper_ == Temper::refuses) co_return co_await say(client, refusal);
    if (temper_ == Temper::echoes) {
      // The password's beginning would be all that a cut line shows.
      const std::string echo = "HTTP/1.1 407 " + std::string(82, 'x') + "secret us er:secret dXMgZXI6c2VjcmV0\r\n\r\n";
      co_return co_await say(client, echo);
    }
    if (temper_ == Temper::garbage) co_return co_await say(client, garbage);
    if (temper_ == Temper::endless) co_return co_await say(client, endless);
    if (temper_ == Temper::talks_on) co_return co_await say(client, eager);
    if (temper_ == Temper::mute) {
      asio::steady_timer forever(io_, 1h);
      (void)co_await forever.async_wait(await_tuple);
      co_return;
    }
    if (!wants_.empty() && header.find("Proxy-Authorization: " + wants_ + "\r\n") == std::string::npos) {
      co_return co_await say(client, refusal);
    }
    // "CONNECT 127.0.0.1:PORT HTTP/1.1"
    const std::string target = header.substr(8, header.find(' ', 8) - 8);
    tcp::socket server(io_);
    const auto port = static_cast<unsigned short>(std::stoi(target.substr(target.rfind(':') + 1)));
    const auto endpoint = loopback(port);
    const auto [refused] = co_await server.async_connect(endpoint, await_tuple);
    if (refused) co_return;
    ++tunnels_;
    co_await say(client, yes);
    auto a = std::make_shared<tcp::socket>(std::move(client)), b = std::make_shared<tcp::socket>(std::move(server));
    asio::co_spawn(io_, pump(a, b), asio::detached);
    co_await pump(b, a);
  }
  static asio::awaitable<void> pump(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
    std::vector<char> bytes(16'384);
    while (true) {
      const auto [error, size] = co_await from->async_read_some(asio::buffer(bytes), await_tuple);
      if (error) break;
      const auto [failed, written] = co_await asio::async_write(*to, asio::buffer(bytes.data(), size), await_tuple);
      if (failed) break;
    }
    boost::system::error_code ignored;
    from->close(ignored);
    to->close(ignored);
  }

  Temper temper_;
  std::string wants_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, loopback(0)};
  std::atomic<std::size_t> tunnels_{0};
  std::thread thread_;
};

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& result) {
  result.emplace(co_await std::move(work));
}

template <class T>
T run(asio::awaitable<T> work, asio::io_context& io) {
  std::optional<T> result;
  asio::co_spawn(io, keep(std::move(work), result), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
  io.restart();
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (!result && std::chrono::steady_clock::now() < limit) io.run_one_for(100ms);
  REQUIRE(result);
  return std::move(*result);
}

// Why a request through this proxy failed.
std::string failure_through(const std::string& proxy, std::chrono::milliseconds limit = 5s) {
  asio::io_context io;
  const auto net = make_net_context({"", proxy});
  const auto http = make_http_get(io.get_executor(), net);
  const Url url{"https", "exchange.example", "443", "", ""};
  const auto result = run(http->get(url, "/", std::chrono::steady_clock::now() + limit, 1'000), io);
  REQUIRE(result.has_error());
  return result.error().message() + ": " + http->last_error_detail();
}
}  // namespace

TEST_CASE("an address that leads nowhere costs a quarter of a second, one that refuses nothing", "[net]") {
  asio::io_context io;
  // A listener whose queue is full does not answer, like a black hole.
  tcp::acceptor hole(io, tcp::v4());
  hole.bind(loopback(0));
  hole.listen(0);
  std::vector<std::unique_ptr<tcp::socket>> fill;
  for (int i = 0; i < 8; ++i) {
    fill.push_back(std::make_unique<tcp::socket>(io));
    fill.back()->async_connect(hole.local_endpoint(), [](const auto&) {});
  }
  io.run_for(100ms);
  tcp::acceptor good(io, loopback(0));
  tcp::acceptor closed(io, loopback(0));
  const tcp::endpoint refusing = closed.local_endpoint();
  closed.close();
  std::string detail;
  const auto begin = std::chrono::steady_clock::now();
  SECTION("black hole first") {
    const auto socket = run(race({hole.local_endpoint(), good.local_endpoint()}, begin + 10s, detail), io);
    REQUIRE(socket.has_value());
    CHECK(socket->remote_endpoint() == good.local_endpoint());
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
  }
  SECTION("refusing first") {
    const auto socket = run(race({refusing, refusing, good.local_endpoint()}, begin + 10s, detail), io);
    REQUIRE(socket.has_value());
  }
  SECTION("none accepts") {
    const auto socket = run(race({refusing, refusing}, begin + 10s, detail), io);
    CHECK(socket.error() == make_error_code(NetError::connect_failed));
    CHECK(detail.find("Connection refused") != std::string::npos);
  }
  SECTION("only the black hole") {
    const auto socket = run(race({hole.local_endpoint()}, begin + 300ms, detail), io);
    CHECK(socket.error() == make_error_code(NetError::timed_out));
  }
}

TEST_CASE("when the name service fails, the addresses of last time are used", "[net]") {
  asio::io_context io;
  const auto net = make_net_context({});
  bool fails = false;
  net->resolve_by = [&](const std::string&, const std::string&) {
    return fails ? Endpoints{} : Endpoints{loopback(1), {asio::ip::address_v6::loopback(), 1}};
  };
  const std::string host = "exchange.example", port = "443";
  std::string detail;
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  const auto first = run(resolve(*net, host, port, deadline, detail), io);
  REQUIRE(first.has_value());
  fails = true;
  CHECK(run(resolve(*net, host, port, deadline, detail), io).error() == make_error_code(NetError::resolve_failed));
  CHECK(detail == "cannot look up exchange.example: no address");
  net->remember("exchange.example:443", *first);  // as after a connection that was good
  CHECK(run(resolve(*net, host, port, deadline, detail), io).value() == *first);
}

TEST_CASE("a proxy that does not do its job is one clear error, and no secret in it", "[net]") {
  using Temper = TestProxy::Temper;
  const auto failure = [](Temper temper, std::chrono::milliseconds limit = 5s) {
    const TestProxy proxy(temper);
    return failure_through(proxy.url("user:secret@"), limit);
  };
  CHECK(failure(Temper::refuses).ends_with("refused: HTTP/1.1 407 Proxy Authentication Required"));
  CHECK(failure(Temper::garbage).find("did not answer as a proxy does") != std::string::npos);
  CHECK(failure(Temper::endless).find("endless header") != std::string::npos);
  CHECK(failure(Temper::talks_on).find("sent more than its answer") != std::string::npos);
  CHECK(failure(Temper::mute, 300ms).find("did not answer in time") != std::string::npos);
  CHECK(failure(Temper::refuses).find("secret") == std::string::npos);
  const std::string echoed = failure(Temper::echoes);
  CHECK(echoed.ends_with(std::string(82, 'x') + "*** u"));
  for (const char* bad : {"https://a:1", "http://", "http://user@host:1", "http://host:1/path", "http://a%zz:b@h:1"}) {
    CHECK_THROWS_AS((void)make_net_context({"", bad}), std::runtime_error);
  }
}

TEST_CASE("the whole daemon through a proxy that wants a password: rows equal the tape", "[net][daemon]") {
  const Folder folder;
  Exchanges exchanges(6);
  // "us er:p@ss" in base64
  const TestProxy proxy(TestProxy::Temper::works, "Basic dXMgZXI6cEBzcw==");
  Running daemon(exchanges, folder, seconds(1),
                 [&](DaemonOptions& options) { options.config.proxy = proxy.url("us%20er:p%40ss@"); });
  REQUIRE(daemon.until(live_after(wall_now())));
  CHECK(daemon.stop() == 0);
  exchanges.stop();
  CHECK(proxy.tunnels() >= 6);
  const Comparison result = compare_with_tape(folder / "data", exchanges.tape(), seconds(1));
  INFO(complaints(result));
  CHECK(result.wrong == 0);
  CHECK(result.live > 0);
}
