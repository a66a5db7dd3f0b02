// Two ways lead through a message: the short one, for what exchanges send, and simdjson's. They must see the same,
// whatever is broken. A space in front sends a message the long way.
#include <array>
#include <random>

#include "catch.hpp"
#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/sim/protocol.hpp"
#include "exchange_fixture.hpp"
#include "exchanges/fields.hpp"
#include "told.hpp"

using namespace cvdd;

namespace {
constexpr Timestamp start{1'763'675'700'000'000};

// A market of a simulated exchange, its instruments, and what it sends of them.
struct Sent {
  explicit Sent(const Exchange& of) : exchange(of), protocol(*sim::find_protocol(of.name)) {
    auto made = sim::make_instruments_of(protocol, 2 * protocol.markets().size(), 600);
    std::erase_if(made, [&](const auto& what) { return what.instrument.market != exchange.market; });
    tape = std::make_unique<sim::Tape>(7, start, made);
    tape->advance(start + seconds(60));
    for (const auto& what : tape->instruments()) symbols.emplace(what.instrument.symbol, &what.instrument);
    for (std::size_t i = 0; i < tape->instruments().size(); ++i) {
      const auto& what = tape->instruments()[i];
      const auto topics = protocol.topics(what);
      for (std::size_t topic = 0; topic < topics.size(); ++topic) {
        for (const std::size_t count : {1U, 2U}) {
          std::vector<std::string> frames;
          protocol.frames(what, topic, tape->trades(i).first(count), start, frames);
          messages.push_back(protocol.wrapped(topics[topic], frames.front()));
        }
      }
    }
    messages.emplace_back(protocol.foreign_frame());
  }
  // Whether both ways agree; how many trades they see.
  std::size_t compare(const std::string& message) {
    exchange.parse(message, symbols, parsed);
    const std::string quick = told(parsed);
    const std::size_t trades = parsed.trades.size();
    exchange.parse(" " + message, symbols, parsed);
    if (quick != told(parsed)) FAIL_CHECK(message << "\n quick: " << quick << "\n slow: " << told(parsed));
    ++compared;
    return trades;
  }

  const Exchange& exchange;
  const sim::Protocol& protocol;
  std::unique_ptr<sim::Tape> tape;
  SymbolTable symbols;
  std::vector<std::string> messages;
  Parsed parsed;
  std::size_t compared = 0;
};

// The fields of the innermost objects, in another order each time; nested ones stay where they are.
std::string shuffled(const std::string& message, std::mt19937& random) {
  std::string out;
  for (std::size_t at = 0; at < message.size();) {
    const auto open = message.find('{', at);
    const auto close = open == message.npos ? open : message.find_first_of("{}", open + 1);
    if (close == message.npos) return out + message.substr(at);
    out += message.substr(at, open - at);
    if (message[close] == '{') {
      out += message.substr(open, close - open);
    } else {
      std::vector<std::string> fields;
      for (std::size_t from = open + 1; from < close;) {
        const auto comma = std::min(message.find(',', from), close);
        fields.push_back(message.substr(from, comma - from));
        from = comma + 1;
      }
      std::shuffle(fields.begin(), fields.end(), random);
      out += '{';
      for (std::size_t i = 0; i < fields.size(); ++i) out += (i > 0 ? "," : "") + fields[i];
      out += '}';
    }
    at = close + (message[close] == '{' ? 0U : 1U);
  }
  return out;
}
}  // namespace

TEST_CASE("the short way and the long one see the same in every exchange's messages, whatever is broken") {
  constexpr std::array parts = {"\"", "\\",   "{",    "}", ",", ":",    " ",  "0",  "-",   "1e5", "null",
                                "\n", "\x01", "true", "[", "]", "\xc3", "{}", "[]", "1.5", ".",   "\\u0041"};
  for (const Exchange* exchange : all_exchanges()) {
    INFO(exchange->name << " " << name_of(exchange->market));
    Sent market(*exchange);
    std::mt19937 random(1);
    std::size_t trades = 0;
    for (const std::string& text : market.messages) {
      trades += market.compare(text);
      for (std::size_t i = 0; i <= text.size(); ++i) {
        trades += market.compare(text.substr(0, i));
        for (unsigned k = 0; k < 3; ++k) {
          const char* const part = parts[random() % parts.size()];
          trades += market.compare(text.substr(0, i) + part + text.substr(i));
          if (i < text.size()) trades += market.compare(text.substr(0, i) + part + text.substr(i + 1));
          // A piece left out, and a piece twice: fields missing, fields and rows repeated.
          const std::size_t other = random() % (text.size() + 1), from = std::min(i, other), to = std::max(i, other);
          trades += market.compare(text.substr(0, from) + text.substr(to));
          trades += market.compare(text.substr(0, to) + text.substr(from));
        }
      }
    }
    CHECK((market.compared > 5'000 && trades > 300));
  }
}

TEST_CASE("the short way takes fields in any order, and others between them") {
  for (const Exchange* exchange : all_exchanges()) {
    INFO(exchange->name << " " << name_of(exchange->market));
    Sent market(*exchange);
    std::mt19937 random(2);
    for (const std::string& text : market.messages) {
      const std::size_t trades = market.compare(text);
      for (int i = 0; i < 40; ++i) CHECK(market.compare(shuffled(text, random)) == trades);
      for (auto at = text.find(",\""); at != text.npos; at = text.find(",\"", at + 1)) {
        for (const char* field :
             {R"(,"unheard_of":"x")", R"(,"n":[1,{"a":null}])", R"(,"a_key_that_is_longer_than_any":0)"}) {
          (void)market.compare(text.substr(0, at) + field + text.substr(at));
        }
      }
      // More keys than anybody has: all of them are forgotten again.
      std::string many = "{";
      for (int i = 0; i < 100; ++i) many += "\"key" + std::to_string(i) + "\":0,";
      (void)market.compare(many + text.substr(1));
      CHECK(market.compare(text) == trades);
    }
  }
}

TEST_CASE("what stands behind the rows may say that they are somebody else's, on both ways") {
  struct Case {
    const char* exchange;
    std::vector<std::string> symbols;
    const char *head, *rows, *behind;
  };
  // A row that names nobody is refused as one of whom the head names; rows of another channel are none.
  const Case cases[] = {
      {"okx",
       {"A-USDT", "B-USDT"},
       R"({"arg":{"channel":"trades","instId":"A-USDT"},)",
       R"("data":[{"tradeId":"1","px":"1","sz":"1","side":"buy","ts":"1630048897897"}])",
       R"(,"arg":{"channel":"trades","instId":"B-USDT"}})"},
      {"okx",
       {"A-USDT", "B-USDT"},
       R"({"arg":{"channel":"trades","instId":"A-USDT"},)",
       R"("data":[{"instId":"A-USDT","tradeId":"1","px":"1","sz":"1","side":"buy","ts":"1630048897897"}])",
       R"(,"arg":{"channel":"tickers","instId":"A-USDT"}})"},
      {"bybit",
       {"AUSDT", "BUSDT"},
       R"({"topic":"publicTrade.AUSDT","type":"snapshot",)",
       R"("data":[{"T":1672304486865,"S":"Buy","v":"0.001","p":"16578.50","i":"1","BT":false}])",
       R"(,"topic":"publicTrade.BUSDT"})"},
      {"deribit",
       {"A_USDC", "B_USDC"},
       R"({"method":"subscription","params":{"channel":"trades.A_USDC.100ms",)",
       R"("data":[{"trade_seq":1,"trade_id":"1","timestamp":1590484512188,"price":1,"direction":"buy","amount":1}])",
       R"(,"channel":"trades.B_USDC.100ms"}})"}};
  for (const Case& c : cases) {
    INFO(c.exchange << " " << c.behind);
    test::Asked asked(c.exchange, Market::spot, c.symbols);
    const auto said = [&](const std::string& message) { return told(asked.parse(message)); };
    const std::string open = c.head + std::string(c.rows);
    const std::string closed = open + (std::string_view(c.head).find("params") == std::string_view::npos ? "}" : "}}");
    CHECK(said(closed) == said(" " + closed));
    CHECK(said(open + c.behind) == said(" " + open + c.behind));
    CHECK(said(open + c.behind) != said(closed));
  }
}

TEST_CASE("short numbers are read as all numbers are") {
  std::mt19937 random(3);
  std::size_t read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(16, static_cast<char>("0x."[i % 3]));  // what stands in front is looked at
    const std::size_t begin = text.size(), size = random() % 19;
    for (std::size_t k = 0; k < size; ++k) text += "00123456789."[random() % (i % 2 == 0 ? 11 : 12)];
    if (i % 7 == 0) text += "-e x"[random() % 4];
    json::Scalar field;
    field.kind = json::Scalar::Kind::string;
    field.text = std::string_view(text).substr(begin);
    field.roomy = true;
    const auto decimal = fields::decimal(field), same = parse_decimal(field.text);
    const auto integer = fields::integer(field), whole = parse_digits(field.text);
    INFO("'" << field.text << "'");
    REQUIRE(decimal.has_value() == same.has_value());
    REQUIRE(integer == whole);
    if (!decimal) continue;
    REQUIRE((decimal->mantissa == same->mantissa && decimal->scale == same->scale));
    ++read;
  }
  CHECK(read > 50'000);
}
