// Lists that are asked for by part: one bad name, one part that fails, one that is empty for a moment; none of them
// takes the others along or ends anybody.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "catch.hpp"
#include "cvdd/feed/instrument_list.hpp"

using namespace cvdd;

namespace {
using Names = std::vector<std::string>;

Names symbols_of(const std::vector<Instrument>& instruments) {
  Names out;
  for (const Instrument& i : instruments) out.push_back(i.symbol);
  return out;
}

// "host target" → status and body; what is not there is not reached.
struct Server {
  std::map<std::string, std::pair<unsigned, std::string>> answers;
  Names asked;
  InstrumentList fetch(const Exchange& exchange, const Names& wanted, const Names& hosts = {"https://a"});
};

class Get final : public HttpGet {
 public:
  explicit Get(Server& server) : server_(server) {}
  asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime, std::size_t) override {
    const std::string key = url.host + " " + std::string(target);
    server_.asked.push_back(key);
    const auto found = server_.answers.find(key);
    if (found == server_.answers.end()) co_return boost::system::error_code(NetError::timed_out);
    HttpResponse response;
    response.status = found->second.first;
    response.body = found->second.second;
    co_return response;
  }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  Server& server_;
  std::string detail_ = "made up";
};

InstrumentList Server::fetch(const Exchange& exchange, const Names& wanted, const Names& hosts) {
  ListRequest request;
  request.exchange = &exchange;
  request.wanted = wanted;
  request.make_http_get = [this] { return std::make_unique<Get>(*this); };
  request.deadline = [] { return SteadyTime{}; };
  for (const std::string& host : hosts) REQUIRE(parse_url(host, request.hosts.emplace_back()));
  asio::io_context io(1);
  InstrumentList list;
  asio::co_spawn(io, fetch_instrument_list(request), [&](const std::exception_ptr& e, InstrumentList found) {
    if (e) std::rethrow_exception(e);
    list = std::move(found);
  });
  io.run();
  return list;
}

std::string okx_row(const std::string& symbol) {
  return R"({"instType":"OPTION","instId":")" + symbol + R"(","ctVal":"1","ctMult":"1","ctValCcy":")" +
         symbol.substr(0, 3) + R"(","settleCcy":"BTC","instFamily":")" + symbol.substr(0, 7) + R"(","state":"live"})";
}
std::string okx_list(const std::string& rows) { return R"({"code":"0","msg":"","data":[)" + rows + "]}"; }
const std::string okx_path = "a /api/v5/public/instruments?instType=OPTION&instFamily=";
}  // namespace

TEST_CASE("a part that the exchange does not know is nobody's end: its names are unknown, the others go on") {
  const Exchange& okx = *find_exchange("okx", Market::option);
  Server server;
  server.answers[okx_path + "BTC-USD"] = {200, okx_list(okx_row("BTC-USD-261225-90000-C"))};
  server.answers[okx_path + "BTCUSD-261225"] = {200,
                                                R"({"code":"51000","msg":"Parameter instFamily error","data":[]})"};
  const InstrumentList list = server.fetch(okx, {"BTC-USD-261225-90000-C", "BTCUSD-261225-80000-C"});
  CHECK((list.complete() && list.error().empty()));
  CHECK(symbols_of(list.instruments()) == Names{"BTC-USD-261225-90000-C"});
  CHECK(list.bodies().size() == 1);
  // Nothing but a name that it does not know: that is no list.
  CHECK(server.fetch(okx, {"BTCUSD-261225-80000-C"}).error().find("51000") != std::string::npos);
}

TEST_CASE("every exchange's way to say that it does not know a parameter, and others that mean the moment") {
  const auto unknown = [](const char* name, Market market, unsigned status, std::string_view body) {
    return find_exchange(name, market)->is_unknown(status, body);
  };
  CHECK(unknown("okx", Market::option, 200, R"({"code":"51000","msg":"Parameter instFamily error","data":[]})"));
  CHECK_FALSE(unknown("okx", Market::option, 200, R"({"code":"50011","msg":"Too Many Requests","data":[]})"));
  CHECK_FALSE(unknown("okx", Market::option, 200, okx_list("")));
  CHECK(unknown("deribit", Market::spot, 400,
                R"({"jsonrpc":"2.0","error":{"message":"Invalid params","data":{"reason":"invalid currency",)"
                R"("param":"currency"},"code":-32602}})"));
  CHECK_FALSE(unknown("deribit", Market::spot, 429, R"({"error":{"code":10028,"message":"too_many_requests"}})"));
  CHECK(unknown("bybit", Market::option, 200, R"({"retCode":10001,"retMsg":"baseCoin is illegal!","result":{}})"));
  CHECK_FALSE(unknown("bybit", Market::option, 200, R"({"retCode":10006,"retMsg":"Too many visits!","result":{}})"));
  CHECK(unknown("binance", Market::spot, 400, R"({"code":-1121,"msg":"Invalid symbol."})"));
  CHECK_FALSE(unknown("binance", Market::spot, 429, R"({"code":-1003,"msg":"Too many requests."})"));
  for (const char* broken : {"", "{", "<html>", "[]", "null"}) {
    CHECK_FALSE(unknown("okx", Market::option, 200, broken));
    CHECK_FALSE(unknown("deribit", Market::spot, 502, broken));
    CHECK_FALSE(unknown("bybit", Market::option, 200, broken));
    CHECK_FALSE(unknown("binance", Market::spot, 200, broken));
  }
}

TEST_CASE("a part that one host can't give is asked for at the next, the others are not") {
  const Exchange& okx = *find_exchange("okx", Market::option);
  Server server;
  server.answers[okx_path + "BTC-USD"] = {200, okx_list(okx_row("BTC-USD-261225-90000-C"))};
  server.answers[okx_path + "ETH-USD"] = {503, "no"};
  const std::string other = "b /api/v5/public/instruments?instType=OPTION&instFamily=ETH-USD";
  server.answers[other] = {200, okx_list(okx_row("ETH-USD-261225-4000-C"))};
  InstrumentList list = server.fetch(okx, {"*"}, {"https://a", "https://b"});
  CHECK((list.error().empty() && list.instruments().size() == 2));
  CHECK(server.asked == Names{okx_path + "BTC-USD", okx_path + "ETH-USD", other});
  server.answers.erase(other);
  list = server.fetch(okx, {"*"}, {"https://a", "https://b"});
  CHECK((!list.complete() && list.error().starts_with("b: ")));
  CHECK(symbols_of(list.instruments()) == Names{"BTC-USD-261225-90000-C"});
}

TEST_CASE("a name that is on no list is asked for by itself, where lists are not whole") {
  const Exchange& spot = *find_exchange("binance", Market::spot);
  const auto listed = [](const std::string& symbol) {
    return R"({"symbols":[{"symbol":")" + symbol + R"(","status":"TRADING","baseAsset":"A","quoteAsset":"B"}]})";
  };
  Server server;
  server.answers["a /api/v3/exchangeInfo"] = {200, listed("BTCUSDT")};
  server.answers["a /api/v3/exchangeInfo?symbol=TRDUSDT"] = {200, listed("TRDUSDT")};
  server.answers["a /api/v3/exchangeInfo?symbol=NOSUCH"] = {400, R"({"code":-1121,"msg":"Invalid symbol."})"};
  const InstrumentList list = server.fetch(spot, {"BTCUSDT", "TRDUSDT", "NOSUCH", "X*"});
  CHECK(list.error().empty());
  CHECK(symbols_of(list.instruments()) == Names{"BTCUSDT", "TRDUSDT"});
  CHECK(server.asked.size() == 3);
}

TEST_CASE("names that files, terminals or memory can't hold are left out of a list, and a list has an end") {
  const Exchange& spot = *find_exchange("binance", Market::spot);
  const auto row = [](const std::string& symbol, const std::string& base = "A") {
    return R"({"symbol":")" + symbol + R"(","status":"TRADING","baseAsset":")" + base + R"(","quoteAsset":"B"})";
  };
  std::string rows = row("GOOD");
  for (const std::string& odd : {std::string(101, 'X'), std::string(1'000'000, 'Y'),
                                 std::string("A\xe2\x80\xae"
                                             "B"),
                                 std::string("A\xc2\x85"
                                             "B"),
                                 std::string("A,B"), std::string("A B"), std::string()}) {
    rows += "," + row(odd);
  }
  rows += "," + row("LONGBASE", std::string(101, 'X')) + "," + row(std::string(100, 'Z')) + "," + row("\xe4\xbb\xb7");
  Server server;
  server.answers["a /api/v3/exchangeInfo"] = {200, R"({"symbols":[)" + rows + "]}"};
  CHECK(symbols_of(server.fetch(spot, {"*"}).instruments()) == Names{"GOOD", std::string(100, 'Z'), "\xe4\xbb\xb7"});

  // Pages that are mostly nothing, each with the way to the next.
  const Exchange& linear = *find_exchange("bybit", Market::linear);
  const std::string first = linear.instruments_targets(Names{"*"}).front();
  const std::string page = R"({"retCode":0,"result":{"category":"linear","list":[],"nextPageCursor":"x"}})";
  Server endless;
  const std::string padded = page + std::string(std::size_t{20} << 20, ' ');
  endless.answers["a " + first] = {200, padded};
  const auto next = linear.parse_instruments(page);
  REQUIRE((next && !next->next.empty()));
  endless.answers["a " + first + next->next] = {200, padded};
  const InstrumentList list = endless.fetch(linear, {"*"});
  CHECK(list.error().find("has no end") != std::string::npos);
  CHECK(endless.asked.size() == 4);  // 64 MiB of it
}

TEST_CASE("what failed, or is empty for a moment, is as it was; what stays empty is believed") {
  const auto instrument = [](const char* symbol) {
    Instrument i;
    i.symbol = symbol;
    return i;
  };
  const auto list_of = [&](std::vector<std::pair<ListPart::State, std::vector<Instrument>>> parts) {
    InstrumentList list;
    for (auto& [state, instruments] : parts) {
      list.parts.push_back({"part" + std::to_string(list.parts.size()), state, std::move(instruments), {}, "why"});
    }
    return list;
  };
  using State = ListPart::State;
  const Instrument a = instrument("A"), b = instrument("B"), c = instrument("C");
  ListMemory memory;
  bool doubtful = true;
  // At the start a part fails of which the files know something.
  CHECK(symbols_of(memory.complete(list_of({{State::read, {a}}, {State::failed, {}}}), {a, b}, doubtful)) ==
        Names{"A", "B"});
  CHECK(doubtful);
  CHECK(symbols_of(memory.complete(list_of({{State::read, {a}}, {State::failed, {}}}), {a, b}, doubtful)) ==
        Names{"A", "B"});
  CHECK(symbols_of(memory.complete(list_of({{State::read, {a}}, {State::read, {c}}}), {a, b}, doubtful)) ==
        Names{"A", "C"});
  CHECK_FALSE(doubtful);
  // Now its memory is exact: what left the other part is gone.
  CHECK(symbols_of(memory.complete(list_of({{State::read, {b}}, {State::failed, {}}}), {a, c}, doubtful)) ==
        Names{"B", "C"});
  CHECK(doubtful);
  for (unsigned i = 1; i < ListMemory::shrunk_believed_after; ++i) {
    const State state = i % 2 == 0 ? State::unknown : State::read;
    CHECK(symbols_of(memory.complete(list_of({{State::read, {b}}, {state, {}}}), {b, c}, doubtful)) == Names{"B", "C"});
    CHECK(doubtful);
  }
  CHECK(symbols_of(memory.complete(list_of({{State::read, {b}}, {State::read, {}}}), {b, c}, doubtful)) == Names{"B"});
  CHECK_FALSE(doubtful);
  // One that never held anything may be empty.
  CHECK(symbols_of(memory.complete(list_of({{State::read, {b}}, {State::read, {}}, {State::unknown, {}}}), {b},
                                   doubtful)) == Names{"B"});
  CHECK_FALSE(doubtful);
}

TEST_CASE("a list that has suddenly lost more than a third is doubted; exchanges take few off at a time") {
  const auto part_of = [](std::initializer_list<const char*> symbols) {
    InstrumentList list;
    list.parts.push_back({"part", ListPart::State::read, {}, {}, ""});
    for (const char* symbol : symbols) {
      Instrument i;
      i.symbol = symbol;
      list.parts.back().instruments.push_back(i);
    }
    return list;
  };
  ListMemory memory;
  bool doubtful = true;
  CHECK(symbols_of(memory.complete(part_of({"A", "B", "C", "D", "E", "F"}), {}, doubtful)).size() == 6);
  CHECK(symbols_of(memory.complete(part_of({"A", "B", "C", "D"}), {}, doubtful)).size() == 4);
  CHECK_FALSE(doubtful);
  // Half of it, and one that is new.
  CHECK(symbols_of(memory.complete(part_of({"A", "G"}), {}, doubtful)) == Names{"A", "G", "B", "C", "D"});
  CHECK(doubtful);
  CHECK(symbols_of(memory.complete(part_of({"A", "B", "C", "G"}), {}, doubtful)) == Names{"A", "B", "C", "G"});
  CHECK_FALSE(doubtful);
  for (unsigned i = 1; i < ListMemory::shrunk_believed_after; ++i) {
    CHECK(symbols_of(memory.complete(part_of({"A"}), {}, doubtful)).size() == 4);
  }
  CHECK(symbols_of(memory.complete(part_of({"A"}), {}, doubtful)) == Names{"A"});
  CHECK_FALSE(doubtful);
}
