#include <string>
#include <vector>

#include "catch.hpp"
#include "cvdd/net/transport.hpp"

using namespace cvdd;

TEST_CASE("a URL says where to connect", "[net]") {
  struct Row {
    std::string text, scheme, host, port, path;
  };
  const std::vector<Row> rows = {
      {"wss://stream.example.com", "wss", "stream.example.com", "443", ""},
      {"wss://stream.example.com:9443/ws", "wss", "stream.example.com", "9443", "/ws"},
      {"https://api.example.com/", "https", "api.example.com", "443", ""},
      {"https://api.example.com/a/b/", "https", "api.example.com", "443", "/a/b"},
      {"WSS://Stream.Example.com/Path", "wss", "stream.example.com", "443", "/Path"},
      {"wss://[::1]", "wss", "::1", "443", ""},
      {"wss://[2001:db8::1]:8443/x", "wss", "2001:db8::1", "8443", "/x"},
      {"https://127.0.0.1:65535", "https", "127.0.0.1", "65535", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Url url;
    REQUIRE(parse_url(row.text, url));
    CHECK(url.scheme == row.scheme);
    CHECK(url.host == row.host);
    CHECK(url.port == row.port);
    CHECK(url.path == row.path);
  }
}

TEST_CASE("anything else is no URL, and leaves the output alone", "[net]") {
  const std::vector<std::string> rows = {"",
                                         "example.com",
                                         "ws://example.com",
                                         "http://example.com",
                                         "ftp://example.com",
                                         "wss:/example.com",
                                         "wss://",
                                         "wss:///path",
                                         "wss://:443",
                                         "wss://user@example.com",
                                         "wss://user:secret@example.com",
                                         "wss://exa mple.com",
                                         " wss://example.com",
                                         "wss://example.com ",
                                         "wss://example.com/a b",
                                         "wss://example.com:",
                                         "wss://example.com:0",
                                         "wss://example.com:65536",
                                         "wss://example.com:-1",
                                         "wss://example.com:+1",
                                         "wss://example.com:99999999999",
                                         "wss://example.com:44x",
                                         "wss://example.com/?a=b",
                                         "wss://example.com/#a",
                                         "wss://[::1",
                                         "wss://[::1]x",
                                         "wss://[nonsense]",
                                         "wss://[]",
                                         "wss://::1",
                                         "wss://a..b",
                                         "wss://.a",
                                         "wss://-a",
                                         "wss://example.com/a\r\nb",
                                         "wss://" + std::string(254, 'a')};
  for (const std::string& row : rows) {
    CAPTURE(row);
    Url url;
    url.host = "before";
    CHECK_FALSE(parse_url(row, url));
    CHECK(url.host == "before");
  }
}

TEST_CASE("network errors speak plainly", "[net]") {
  const boost::system::error_code error = NetError::upgrade_refused;
  CHECK(error.category() == net_category());
  CHECK(error.message() == "the server refused the WebSocket");
  CHECK(error == make_error_code(NetError::upgrade_refused));
}
