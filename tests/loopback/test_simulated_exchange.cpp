#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "catch.hpp"
#include "cvdd/sim/server.hpp"
#include "sim/binance_protocol.hpp"
#include "sim/certificate.hpp"
#include "sim/recording.hpp"

using namespace cvdd;
using namespace cvdd::sim;

namespace {
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
Certificate read_certificate(const std::string& pem) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                    BIO_free_all);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}
}  // namespace

TEST_CASE("the simulated authority vouches for its server", "[sim]") {
  const auto set = make_certificates();
  auto ca = read_certificate(set.ca_pem), leaf = read_certificate(set.leaf_pem);
  REQUIRE((ca && leaf));
  std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  X509_STORE_add_cert(store.get(), ca.get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT);
  std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(), X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  REQUIRE(X509_verify_cert(context.get()) == 1);
  REQUIRE(X509_check_host(leaf.get(), "fstream.binance.com", 0, 0, nullptr) == 1);
  REQUIRE(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0) == 1);
  REQUIRE(X509_check_host(leaf.get(), "example.com", 0, 0, nullptr) == 0);
}

TEST_CASE("addresses tell market, door and streams", "[sim]") {
  auto address = parse_address("/binance/linear/market/stream?streams=a@trade/b%40aggTrade", "localhost");
  REQUIRE(address.market == Market::linear);
  auto entry = binance::parse_entry(address);
  REQUIRE(entry);
  REQUIRE((entry->door == binance::Door::market && entry->combined));
  REQUIRE(entry->streams == std::vector<std::string>{"a@trade", "b@aggTrade"});
  REQUIRE_FALSE(binance::delivers(Market::linear, entry->door, "a@trade"));
  REQUIRE(binance::delivers(Market::linear, entry->door, "b@aggTrade"));
  auto real = parse_address("/ws/x@trade", "dstream.binance.com");
  REQUIRE(owner_of(real) == find_protocol("binance"));
  REQUIRE(real.market == Market::inverse);
  auto nothing = parse_address("/nothing", "stream.binance.com:9443");
  REQUIRE(owner_of(nothing) != nullptr);
  REQUIRE_FALSE(binance::parse_entry(nothing));
}

TEST_CASE("control messages are answered as the exchange does", "[sim]") {
  auto parse = [](std::string_view text) { return binance::parse_request(Market::spot, text); };
  auto request = parse(R"({"method":"SUBSCRIBE","params":["a@trade"],"id":7})");
  REQUIRE(request.method == binance::Method::subscribe);
  REQUIRE(binance::acknowledgement(request.id) == R"({"result":null,"id":7})");
  REQUIRE(parse("x").error == R"({"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"})");
  REQUIRE(parse(R"({"method":"SET_PROPERTY","params":["x",true],"id":1})").error ==
          R"({"code":0,"msg":"Unknown property","id":1})");
  REQUIRE(parse("[]").method == binance::Method::bad);
  REQUIRE(parse(R"({"method":"LIST_SUBSCRIPTIONS","id":{}})").method == binance::Method::bad);
}

TEST_CASE("frames have the exchange's fields", "[sim]") {
  auto what = make_instruments(3, 60);
  const TapeTrade t{{1'700'000'000'001'000}, 5, 10, 11, 8'300'001, 3, true};
  const Timestamp now{1'700'000'000'009'000};
  REQUIRE(binance::aggregate_frame(what[0], t, now) ==
          R"({"e":"aggTrade","E":1700000000009,"s":"BTCUSDT","a":5,"p":"83000.01000000","q":"0.00003000",)"
          R"("f":10,"l":11,"T":1700000000001,"m":true,"M":true})");
  REQUIRE(binance::single_frame(what[1], t, 11, now) ==
          R"({"e":"trade","E":1700000000009,"T":1700000000001,"s":"BTCUSDT","t":11,"p":"83000.01","q":"0.001",)"
          R"("X":"MARKET","m":true,"st":1})");
}

TEST_CASE("a recording's market comes from its prefix or name", "[sim]") {
  std::string path;
  REQUIRE(market_of_file("inverse:/x/spot.jsonl", path) == Market::inverse);
  REQUIRE(path == "/x/spot.jsonl");
  REQUIRE(market_of_file("/swap/binance_usdm.jsonl.gz", path) == Market::linear);
  REQUIRE(market_of_file("a.jsonl", path) == Market::spot);
}

TEST_CASE("a stopped server lets its thread end", "[sim]") {
  boost::asio::io_context io;
  auto tape = std::make_shared<Tape>(1, Timestamp{1'700'000'000'000'000}, std::vector<TapeInstrument>{});
  Server server(io, {}, tape);
  server.start();
  io.run_for(std::chrono::milliseconds(30));
  REQUIRE(server.port() != 0);
  server.stop();
  io.restart();
  io.run_for(std::chrono::seconds(5));
  REQUIRE(io.stopped());
}
