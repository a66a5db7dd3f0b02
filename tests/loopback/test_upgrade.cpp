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
  bool agreed = true;
  CHECK_FALSE(read_upgrade_answer(answer, key, agreed).has_value());
  return agreed;
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

TEST_CASE("a refusal says what the exchange wants us to know") {
  UpgradeAnswer answer(http::status::too_many_requests, 11);
  answer.set(http::field::retry_after, "17");
  answer.body() = "slow\ndown";
  bool agreed = true;
  const auto refusal = read_upgrade_answer(answer, key, agreed);
  CHECK_FALSE(agreed);
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
}
