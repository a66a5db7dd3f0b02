// The WebSocket handshake as values.
#include <boost/beast/http.hpp>

#include "catch.hpp"
#include "net/upgrade.hpp"

using namespace cvdd;
namespace http = boost::beast::http;

namespace {
// RFC 6455, 1.3.
const std::string key = "dGhlIHNhbXBsZSBub25jZQ==", accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

UpgradeAnswer agreement() {
  UpgradeAnswer answer(http::status::switching_protocols, 11);
  answer.set(http::field::upgrade, "WebSocket");
  answer.set(http::field::connection, "keep-alive, Upgrade");
  answer.set(http::field::sec_websocket_accept, accepted);
  return answer;
}
bool agrees(const UpgradeAnswer& answer) {
  std::string wrong;
  CHECK_FALSE(read_upgrade_answer(answer, key, wrong).has_value());
  return wrong.empty();
}
}  // namespace

TEST_CASE("an upgrade is agreed to by the key's own answer, and by nothing else") {
  CHECK(accept_of(key) == accepted);
  CHECK(random_websocket_key() != random_websocket_key());
  CHECK(random_websocket_key().size() == 24);
  CHECK(agrees(agreement()));
  for (const http::field field : {http::field::upgrade, http::field::connection, http::field::sec_websocket_accept}) {
    UpgradeAnswer answer = agreement();
    answer.erase(field);
    CHECK_FALSE(agrees(answer));
    answer.set(field, "close");
    CHECK_FALSE(agrees(answer));
  }
}

TEST_CASE("an upgrade that agrees to what nobody asked for is none") {
  for (const http::field field : {http::field::sec_websocket_extensions, http::field::sec_websocket_protocol}) {
    UpgradeAnswer answer = agreement();
    answer.set(field, "permessage-deflate");
    std::string wrong;
    CHECK_FALSE(read_upgrade_answer(answer, key, wrong).has_value());
    CHECK(wrong.find("nobody asked for") != wrong.npos);
  }
}

TEST_CASE("the answer's bytes may come in any pieces, behind answers that announce it, and have an end") {
  const std::string answer =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, answer.size() + 2}) {
    const std::string bytes = answer + "\x81\x01x";
    UpgradeReader reader;
    std::size_t begin = 0;
    for (std::size_t end = step; !reader.done(); end += step) {
      REQUIRE(end < bytes.size() + step);
      begin += reader.put(std::string_view(bytes).substr(begin, std::min(end, bytes.size()) - begin));
    }
    CHECK(reader.wrong().empty());
    CHECK(reader.answer().result_int() == 101);
    CHECK(begin == answer.size());  // the first frame is left where it is
  }
  const auto fed = [](std::string text, const std::string& more) {
    UpgradeReader reader;
    std::size_t sum = 0;
    for (int i = 0; i < 100'000 && !reader.done(); ++i) {
      sum += text.size();
      text.erase(0, reader.put(text));
      text += more;
    }
    CHECK(reader.done());
    CHECK(sum < 20'000'000'000);
    CHECK(text.size() < 600'000);
    return reader.wrong() + std::to_string(reader.answer().result_int());
  };
  const std::string long_part(10'000, 'x');
  CHECK(fed("HTTP/1.1 101 OK\r\nX: ", long_part).find("limit") != std::string::npos);
  CHECK(fed("", "HTTP/1.1 100 Continue\r\n\r\n").starts_with("only answers"));
  CHECK(fed("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n5;x=", long_part) == "503");
  CHECK(fed("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", long_part) == "503");
  CHECK(fed("HTTP/1.1 503 No\r\n\r\n", long_part) == "503");
}

TEST_CASE("a refusal says what the exchange wants us to know") {
  UpgradeAnswer answer(http::status::too_many_requests, 11);
  answer.set(http::field::retry_after, "17");
  answer.body() = "slow\ndown";
  std::string wrong;
  const auto refusal = read_upgrade_answer(answer, key, wrong);
  REQUIRE(refusal.has_value());
  CHECK(refusal->status == 429);
  CHECK(refusal->retry_after == std::chrono::seconds(17));
  CHECK(refusal->body.find('\n') == std::string::npos);
}

TEST_CASE("the request names the host, and the port unless it is the scheme's own") {
  Url url;
  REQUIRE(parse_url("wss://stream.example.com:9443", url));
  const std::string text = upgrade_request(url, "/stream?streams=a/b", key);
  CHECK(text.starts_with("GET /stream?streams=a/b HTTP/1.1\r\n"));
  CHECK(text.find("Host: stream.example.com:9443\r\n") != text.npos);
  CHECK(text.find("Sec-WebSocket-Key: " + key + "\r\n") != text.npos);
  CHECK(text.ends_with("\r\n\r\n"));
  url.header = "X-Gate-Size-Decimal: 1";
  CHECK(upgrade_request(url, "/", key).find("\r\nX-Gate-Size-Decimal: 1\r\n") != text.npos);
}
