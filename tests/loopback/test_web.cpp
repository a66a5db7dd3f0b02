// The HTTP server of a running daemon, asked over real sockets: answers, refusals, streams, and who misbehaves.
#include <simdjson.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <future>

#include "cli/status_client.hpp"
#include "cvdd/web/web_server.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {
struct Site {
  explicit Site(std::string token = "", std::chrono::milliseconds request_max = std::chrono::seconds(10),
                std::size_t instruments = 12, std::uint32_t trades_per_minute = 600)
      : exchanges(sim::make_instruments_everywhere(instruments, trades_per_minute)),
        running(exchanges, folder, seconds(1), [&](DaemonOptions& o) {
          o.on_begin = [this, token, request_max](const asio::any_io_executor& executor, Engine& engine) {
            web = std::make_unique<WebServer>(executor, engine,
                                              WebServer::Settings{"127.0.0.1:0", token, {}, true, request_max});
            web->start();
            port.set_value(web->port());
          };
          o.on_stopping = [this] { web->stop(); };
        }) {
    endpoint = {asio::ip::address_v4::loopback(), port.get_future().get()};
    CHECK(running.until([](const Row& row) { return row.status == BarStatus::live; }));
  }
  ~Site() {
    running.stop();
    web.reset();
  }
  // Bytes as they are; the whole answer until the server closes, or `limit` bytes.
  std::string raw(const std::string& request, std::size_t limit = 1 << 20) {
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.connect(endpoint);
    boost::system::error_code error;
    asio::write(socket, asio::buffer(request), error);
    std::string answer;
    while (!error && answer.size() < limit) {
      char buffer[4096];
      answer.append(buffer, socket.read_some(asio::buffer(buffer), error));
    }
    return answer;
  }
  http::response<http::string_body> get(const std::string& target, http::verb method = http::verb::get,
                                        const std::string& authorization = "", const std::string& cookie = "") {
    asio::io_context io;
    beast::tcp_stream stream(io);
    stream.connect(endpoint);
    http::request<http::empty_body> request(method, target, 11);
    request.set(http::field::host, "localhost");
    request.keep_alive(false);
    if (!authorization.empty()) request.set(http::field::authorization, authorization);
    if (!cookie.empty()) request.set(http::field::cookie, cookie);
    http::write(stream, request);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.skip(method == http::verb::head);
    http::read(stream, buffer, parser);
    return parser.release();
  }
  Folder folder;
  Exchanges exchanges;
  std::unique_ptr<WebServer> web;
  std::promise<std::uint16_t> port;
  Running running;
  asio::ip::tcp::endpoint endpoint;
};

simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& text) {
  simdjson::dom::element out;
  REQUIRE(parser.parse(text).get(out) == simdjson::SUCCESS);
  return out;
}
}  // namespace

TEST_CASE("the page's server answers what it is asked") {
  Site site;
  simdjson::dom::parser parser;
  CHECK(site.get("/healthz").body() == "ok\n");
  const auto ready = site.get("/readyz");
  CHECK((ready.result() == http::status::ok || ready.result() == http::status::service_unavailable));
  CHECK(std::uint64_t(parsed(parser, ready.body())["instruments"]["wanted"]) == 12);

  const auto instruments = site.get("/api/v1/instruments");
  CHECK(instruments[http::field::content_type] == "application/json");
  const auto list = simdjson::dom::array(parsed(parser, instruments.body())["instruments"]);
  REQUIRE(list.size() == 12);
  std::size_t with_bar = 0;
  std::string exchange, market, symbol;
  for (const simdjson::dom::element i : list) {
    with_bar += i["bar"].is_object() ? 1U : 0U;
    exchange = std::string_view(i["exchange"]);
    market = std::string_view(i["market"]);
    symbol = std::string_view(i["symbol"]);
  }
  CHECK(with_bar == 12);

  // What the API says of bars is what the rows said.
  const auto bars =
      site.get("/api/v1/bars?exchange=" + exchange + "&market=" + market + "&symbol=" + symbol + "&as_seen=1");
  REQUIRE(bars.result() == http::status::ok);
  std::size_t same = 0;
  const auto rows = site.running.rows();
  for (const simdjson::dom::element bar : simdjson::dom::array(parsed(parser, bars.body())["bars"])) {
    const std::string time(std::string_view(bar.at(0)));
    for (const Row& row : rows) {
      if (row.symbol != symbol || row.exchange != exchange || row.rev != 0 || format_time(row.time) != time) continue;
      CHECK(std::string_view(bar.at(15)) == to_string(row.cvd_base));
      CHECK(std::string_view(bar.at(2)) == name_of(row.status));
      ++same;
    }
  }
  CHECK(same > 0);
  const auto csv =
      site.get("/api/v1/bars?exchange=" + exchange + "&market=" + market + "&symbol=" + symbol + "&format=csv");
  CHECK(csv.body().starts_with(csv_header()));

  std::string small = symbol;
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto again = site.get("/api/v1/bars?exchange=" + exchange + "&market=" + market + "&symbol=" + small);
  CHECK(again.result() == http::status::ok);
  CHECK(std::string_view(parsed(parser, again.body())["symbol"]) == symbol);
  const auto unknown = site.get("/api/v1/bars?exchange=" + exchange + "&market=" + market + "&symbol=" + symbol + "X");
  CHECK(unknown.result() == http::status::not_found);
  CHECK(std::string_view(parsed(parser, unknown.body())["error"]).find("near: ") != std::string_view::npos);

  const auto metrics = site.get("/metrics").body();
  for (const char* name :
       {"cvdd_messages_total{", "cvdd_trades_total{", "cvdd_reconnects_total{", "cvdd_instruments{",
        "cvdd_bars_written_total{", "cvdd_event_to_receipt_seconds_bucket{", "cvdd_receipt_to_ledger_seconds_count",
        "cvdd_sync_seconds_sum", "cvdd_ready ", "process_resident_memory_bytes"}) {
    INFO(name);
    CHECK(metrics.find(name) != metrics.npos);
  }
  CHECK(simdjson::dom::array(parsed(parser, site.get("/api/v1/connections").body())["connections"]).size() >= 5);

  const auto page = site.get("/");
  CHECK(page[http::field::content_type] == "text/html; charset=utf-8");
  CHECK(page.body().find("<html") != page.body().npos);
  CHECK(std::string(page["Content-Security-Policy"]).starts_with("default-src 'none'"));
  const auto head = site.get("/", http::verb::head);
  CHECK(head.body().empty());
  CHECK(head[http::field::content_length] == std::to_string(page.body().size()));
  // Packed for who takes it: the page's files, bars in both forms.
  const auto size_of = [&](const std::string& path, const std::string& more) {
    const std::string answer =
        site.raw("HEAD " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n");
    const bool packed = answer.find("Content-Encoding: gzip\r\n") != answer.npos;
    CHECK(packed == !more.empty());
    return std::stoul(answer.substr(answer.find("Content-Length: ") + 16));
  };
  const std::string from = "/api/v1/bars?exchange=" + exchange + "&market=" + market + "&symbol=" + symbol;
  CHECK(site.running.until([n = 0](const Row& r) mutable { return r.rev == 0 && ++n > 12 * 12; }));
  for (const std::string& path : {std::string("/style.css"), from, from + "&format=csv"}) {
    INFO(path);
    CHECK(size_of(path, "Accept-Encoding: gzip\r\n") * 2 < size_of(path, ""));
  }
}

TEST_CASE("who asks the page's server for what it does not do is refused, in JSON, and it goes on") {
  Site site("", std::chrono::milliseconds(500));
  for (const char* path :
       {"/../../etc/passwd", "/..%2f..%2fetc/passwd", "/index.html/..", "/api/v1/", "/api/v2/bars", "/.git"}) {
    CHECK(site.get(path).result() == http::status::not_found);
  }
  for (const char* path : {"/%ff", "/%", "/?a=%c3%28", "/api/v1/bars", "/api/v1/bars?exchange=x&symbol=y&limit=-1",
                           "/api/v1/instruments?spark=x", "/api/v1/bars?exchange=x&symbol=y&symbol=z"}) {
    const auto answer = site.get(path);
    CHECK(answer.result() == http::status::bad_request);
    CHECK(answer.body().starts_with("{\"error\":"));
  }
  CHECK(site.get("/api/v1/bars?exchange=x&symbol=y&symbol=z").body() ==
        "{\"error\":\"symbol: it is given twice; expected once\"}\n");
  CHECK(site.get("/api/v1/bars?instruments=x:spot:Y").body().find("not collected here: x:spot:Y") != std::string::npos);
  for (const http::verb method :
       {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options, http::verb::trace}) {
    CHECK(site.get("/", method).result() == http::status::method_not_allowed);
  }
  CHECK(site.raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").starts_with("HTTP/1.1 413"));
  CHECK(
      site.raw("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
  CHECK(site.raw("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 431"));
  CHECK(site.raw("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
            .starts_with("HTTP/1.1 413"));
  CHECK(site.raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405"));
  CHECK(
      site.raw("GET /api/v1/stream HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://elsewhere\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
          .starts_with("HTTP/1.1 403"));
  // A request has one Host.
  CHECK(site.raw("GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(site.raw("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 400"));
  CHECK(site.raw("hello there\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(site.raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").find("200") == std::string::npos);
  // Half a request, and then nothing: it ends by itself. So does one that is never begun.
  CHECK(site.raw("GET / HTTP/1.1\r\nHos").empty());
  CHECK(site.raw("").empty());
  // More at once than there are places: those beyond are turned away, and afterwards there is room again.
  {
    asio::io_context io;
    std::vector<asio::ip::tcp::socket> many;
    for (int i = 0; i < 200; ++i) {
      many.emplace_back(io);
      boost::system::error_code error;
      many.back().connect(site.endpoint, error);
    }
  }
  bool back = false;
  for (int i = 0; i < 100 && !back; ++i) {
    try {
      back = site.get("/healthz").result() == http::status::ok;
    } catch (const boost::system::system_error&) {  // turned away while the others are still being let go
    }
  }
  CHECK(back);
}

TEST_CASE("cvdd status: what a daemon says, as a table's contents, as JSON, and whether it is alive") {
  std::string listen, error;
  {
    Site site("0123456789abcdef");
    listen = "127.0.0.1:" + std::to_string(site.endpoint.port());
    CHECK_FALSE(ask_status(listen, "", error));
    CHECK(error.find("it wants a token") == 0);
    CHECK_FALSE(ask_status(listen, "another-one-0123", error));
    CHECK(error.find("the token is not its own") == 0);
    const auto model = ask_status(listen, "0123456789abcdef", error);
    REQUIRE(model);
    CHECK(model->wanted == 12);
    CHECK(model->lines.size() == 12);
    CHECK(model->ready == model->troubles.empty());
    bool ready = false;
    const auto json = ask_status_json(listen, "0123456789abcdef", ready, error);
    REQUIRE(json);
    simdjson::dom::parser parser;
    const auto said = parsed(parser, *json);
    CHECK(simdjson::dom::array(said["instruments"]).size() == 12);
    CHECK(bool(said["health"]["ready"]) == ready);
    CHECK(json->find('\n') == std::string::npos);
    CHECK(ask_alive(listen, error));  // without the token
  }
  CHECK_FALSE(ask_alive(listen, error));
  CHECK_FALSE(ask_status(listen, "", error));
  CHECK(error == "nothing listens there: is it running?");
  CHECK_FALSE(ask_alive("nowhere", error));
  CHECK(error.find("is no address and port") != std::string::npos);
}

TEST_CASE("with a token nobody reads without it, and it is in no answer") {
  const std::string token = "secret-0123456789";
  Site site(token);
  const auto whole = [](const auto& answer) {
    std::ostringstream out;
    out << answer;
    return out.str();
  };
  for (const char* path : {"/readyz", "/metrics", "/api/v1/instruments", "/api/v1/health", "/api/v1/connections"}) {
    CHECK(site.get(path).result() == http::status::unauthorized);
    CHECK(site.get(path, http::verb::get, "Bearer secret-0123456780").result() == http::status::unauthorized);
    CHECK(site.get(path + ("?token=" + token)).result() ==
          http::status::unauthorized);  // it would stand in proxies' logs
    const auto answer = site.get(path, http::verb::get, "Bearer " + token);
    CHECK(answer.result() != http::status::unauthorized);
    CHECK(whole(answer).find(token) == std::string::npos);
  }
  for (const char* path : {"/healthz", "/", "/list.js"}) {  // the page asks for the token; it holds no data
    CHECK(site.get(path).result() == http::status::ok);
    CHECK(whole(site.get(path)).find(token) == std::string::npos);
  }
  // The page shows the token in a header; nothing is to be had for one in an address.
  CHECK(site.get("/?token=" + token).count(http::field::set_cookie) == 0);
  CHECK(site.get("/api/v1/session", http::verb::get, "Bearer secret-0123456780").result() ==
        http::status::unauthorized);
  const auto hello = site.get("/api/v1/session", http::verb::get, "bEARER " + token);
  CHECK(hello.result() == http::status::no_content);
  CHECK(whole(hello).find(token) == std::string::npos);
  const std::string cookie(hello[http::field::set_cookie]);
  CHECK((cookie.find("HttpOnly") != cookie.npos && cookie.find("SameSite=Strict") != cookie.npos));
  CHECK((cookie.find("Max-Age=2592000") != cookie.npos && cookie.find("Secure") == cookie.npos));
  CHECK(site.raw("GET /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer " +
                 token + "\r\nConnection: close\r\n\r\n")
            .find("; Secure\r\n") != std::string::npos);
  const std::string kept = "a=b; " + cookie.substr(0, cookie.find(';'));
  CHECK(site.get("/api/v1/health", http::verb::get, "", kept).result() == http::status::ok);
  CHECK(site.get("/api/v1/health", http::verb::get, "", "cvdd=" + token).result() == http::status::unauthorized);
  CHECK(site.raw("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            .starts_with("HTTP/1.1 401"));
}

TEST_CASE("streams tell of rows and open bars; who names instruments hears of those alone") {
  Site site;
  const Instrument& one = site.exchanges.tape().instruments()[0].instrument;
  const auto listen = [&](const std::string& target, std::size_t messages) {
    asio::io_context io;
    beast::websocket::stream<beast::tcp_stream> ws(io);
    beast::get_lowest_layer(ws).connect(site.endpoint);
    ws.handshake("localhost", target);
    std::vector<std::string> out;
    beast::flat_buffer buffer;
    while (out.size() < messages) {
      ws.read(buffer);
      out.push_back(beast::buffers_to_string(buffer.data()));
      buffer.clear();
    }
    return out;
  };
  simdjson::dom::parser parser;
  std::size_t rows = 0, open = 0, others = 0;
  for (const std::string& message : listen("/api/v1/stream", 8)) {
    const auto m = parsed(parser, message);
    if (std::string_view(m["type"]) == "bars") {
      for (const simdjson::dom::element row : simdjson::dom::array(m["rows"])) {
        REQUIRE(simdjson::dom::array(row).size() == 25);
        others += std::string_view(row.at(3)) != one.symbol ? 1U : 0U;
        ++rows;
      }
    } else {
      open += simdjson::dom::array(m["bars"]).size();
    }
  }
  CHECK((rows > 0 && open >= 12 && others > 0));
  const std::string name = one.exchange + ":" + std::string(name_of(one.market)) + ":" + one.symbol;
  for (const std::string& message : listen("/api/v1/stream?instruments=" + name, 4)) {
    const auto m = parsed(parser, message);
    const bool bars = std::string_view(m["type"]) == "bars";
    for (const simdjson::dom::element item : simdjson::dom::array(bars ? m["rows"] : m["bars"])) {
      CHECK(std::string_view(bars ? item.at(3) : item["symbol"]) == one.symbol);
      CHECK(std::string_view(bars ? item.at(1) : item["exchange"]) == one.exchange);
    }
  }
  CHECK_THROWS(listen("/api/v1/stream?instruments=nonsense", 1));
  CHECK_THROWS(listen("/api/v1/elsewhere", 1));
}

TEST_CASE("a client of the stream says what it wants, at any time: it hears of that, in full at first, packed") {
  Site site;
  const auto name_of_instrument = [&](std::size_t i) {
    const Instrument& one = site.exchanges.tape().instruments()[i].instrument;
    return one.exchange + ":" + std::string(name_of(one.market)) + ":" + one.symbol;
  };
  const std::string first = name_of_instrument(0), second = name_of_instrument(1);
  asio::io_context io;
  beast::websocket::stream<beast::tcp_stream> ws(io);
  beast::websocket::permessage_deflate packing;
  packing.client_enable = true;
  ws.set_option(packing);
  beast::get_lowest_layer(ws).connect(site.endpoint);
  beast::websocket::response_type response;
  ws.handshake(response, "localhost", "/api/v1/stream?instruments=");
  CHECK(response[http::field::sec_websocket_extensions].starts_with("permessage-deflate"));
  simdjson::dom::parser parser;
  std::set<std::string> heard;  // type, and of which instrument
  const auto hear = [&](const std::string& until) {
    heard.clear();
    for (int n = 0; n < 40 && !heard.contains(until); ++n) {
      beast::flat_buffer buffer;
      ws.read(buffer);
      const auto m = parsed(parser, beast::buffers_to_string(buffer.data()));
      const std::string type{std::string_view(m["type"])};
      const auto note = [&](std::string_view exchange, std::string_view market, std::string_view symbol) {
        heard.insert(type + " " + std::string(exchange) + ":" + std::string(market) + ":" + std::string(symbol));
      };
      if (type == "error" || type == "time") heard.insert(type);
      if (type == "bars") {
        for (const simdjson::dom::element row : simdjson::dom::array(m["rows"])) note(row.at(1), row.at(2), row.at(3));
      } else if (type == "open" || type == "instruments") {
        for (const simdjson::dom::element i : simdjson::dom::array(m[type == "open" ? "bars" : "instruments"])) {
          note(i["exchange"], i["market"], i["symbol"]);
          if (type == "instruments") CHECK(simdjson::dom::array(i["spark"]).size() > 0);
        }
      } else if (type == "rest") {
        for (const simdjson::dom::element v : simdjson::dom::array(m["values"])) {
          REQUIRE(simdjson::dom::array(v).size() == 8);
          heard.insert(type + " " + std::string(std::string_view(v.at(0))));
        }
      }
    }
    return heard.contains(until);
  };
  const auto others = [&](const std::string& name) {
    return std::ranges::any_of(heard, [&](const std::string& what) { return !what.ends_with(name); });
  };
  ws.write(asio::buffer(R"({"instruments":[")" + first + R"("],"spark":"base"})"));
  CHECK((hear("instruments " + first) && !others(first)));
  CHECK((hear("open " + first) && !others(first)));
  CHECK((hear("bars " + first) && !others(first)));
  // Only who is new is told of in full.
  ws.write(asio::buffer(R"({"instruments":[")" + first + R"(",")" + second + R"("],"spark":"base"})"));
  CHECK((hear("instruments " + second) && !heard.contains("instruments " + first)));
  ws.write(asio::buffer(R"({"instruments":[")" + first + R"("],"spark":"base","anew":true})"));
  CHECK(hear("instruments " + first));
  // What is nothing is told, and changes nothing.
  ws.write(asio::buffer(std::string("nonsense")));
  CHECK(hear("error"));
  CHECK((hear("open " + first) && !others(first)));
  ws.write(asio::buffer(std::string(R"({"instruments":[]})")));
  CHECK((hear("time") && heard.size() <= 2));  // one may have been on its way
  CHECK((hear("time") && heard.size() == 1));
  ws.write(asio::buffer(std::string(R"({"instruments":[],"rest":true})")));
  CHECK(hear("rest " + second));
  // Longer than a message may be: closed.
  ws.write(asio::buffer(std::string(100'000, ' ')));
  CHECK_THROWS(hear("nothing"));
}

TEST_CASE("a client of the stream that pings now and then goes on; one that does nothing else has to go") {
  Site site;
  asio::io_context io;
  beast::websocket::stream<beast::tcp_stream> ws(io);
  beast::get_lowest_layer(ws).connect(site.endpoint);
  ws.handshake("localhost", "/api/v1/stream");
  beast::flat_buffer buffer;
  for (int i = 0; i < 10; ++i) ws.ping({});
  ws.read(buffer);
  boost::system::error_code error;
  for (int i = 0; i < 100 && !error; ++i) ws.ping({}, error);
  for (int i = 0; i < 100 && !error; ++i) ws.read(buffer, error);
  CHECK(error);
  CHECK(site.get("/healthz").result() == http::status::ok);
}

TEST_CASE("pages of other names and other sites' pages hear nothing") {
  Site site;
  const auto ask = [&](const std::string& host, const std::string& more = "") {
    const std::string answer =
        site.raw("GET /api/v1/health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + more + "\r\n");
    return answer.substr(9, 3);
  };
  CHECK((ask("127.0.0.1:9480") == "200" && ask("localhost") == "200" && ask("[::1]:1") == "200"));
  CHECK((ask("evil.example") == "421" && ask("127.0.0.1.evil.example:9480") == "421"));
  CHECK(ask("localhost", "Sec-Fetch-Site: cross-site\r\n") == "403");
  CHECK(ask("localhost", "Sec-Fetch-Site: same-site\r\n") == "403");
  CHECK((ask("localhost", "Sec-Fetch-Site: same-origin\r\n") == "200" &&
         ask("localhost", "Sec-Fetch-Site: none\r\n") == "200"));
  const auto stream = [&](const std::string& host, const std::string& origin) {
    return site
        .raw("GET /api/v1/stream HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + origin +
                 "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             12)
        .substr(9, 3);
  };
  CHECK(stream("localhost:9480", "http://localhost:9480") == "101");
  CHECK(stream("localhost:9480", "http://evil.example") == "403");
  CHECK(stream("evil.example", "http://evil.example") == "421");
}

TEST_CASE(
    "a thousand instruments: bounded metrics, all in the list, fifty streams, and one that reads nothing is dropped") {
  Site site("", std::chrono::seconds(10), 1'000, 120);
  const std::string metrics = site.get("/metrics").body();
  CHECK((metrics.size() > 50'000 && metrics.size() < (1U << 20)));
  CHECK(metrics.find("cvdd_instrument_live{") != metrics.npos);
  simdjson::dom::parser parser;
  const std::string list = site.get("/api/v1/instruments").body();
  CHECK(simdjson::dom::array(parsed(parser, list)["instruments"]).size() == 1'000);

  asio::io_context io;
  using Ws = beast::websocket::stream<beast::tcp_stream>;
  std::vector<std::unique_ptr<Ws>> streams;
  for (int i = 0; i < 50; ++i) {
    Ws& ws = *streams.emplace_back(std::make_unique<Ws>(io));
    beast::get_lowest_layer(ws).connect(site.endpoint);
    ws.handshake("localhost", i % 2 == 0 ? "/api/v1/stream" : "/api/v1/stream?instruments=binance:spot:BTCUSDT");
  }
  // The last of those who want all never reads. Everybody else hears of both kinds, for as long as it takes.
  Ws& deaf = *streams[48];
  std::size_t rows = 0, open = 0;
  const auto gone = [&] {
    const std::string text = site.get("/metrics").body();
    return text.find("cvdd_streams 49\n") != text.npos;
  };
  bool dropped = false;
  for (int round = 0; round < 60 && !dropped; ++round) {
    for (const auto& ws : streams) {
      if (ws.get() == &deaf) continue;
      for (int n = 0; n < 4; ++n) {
        beast::flat_buffer buffer;
        ws->read(buffer);
        const std::string text = beast::buffers_to_string(buffer.data());
        (text.find(R"("type":"bars")") != text.npos ? rows : open) += 1;
      }
    }
    dropped = gone();
  }
  CHECK(dropped);
  CHECK((rows > 49 && open > 49));
}
