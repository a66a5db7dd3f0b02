// Broken, truncated and hostile messages, on every exchange there is: refused and counted, never a trade, never the
// end.
#include <map>

#include "catch.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/sim/protocol.hpp"

using namespace cvdd;

namespace {
// One instrument of a market, and a message of it as its exchange would send it.
struct Sample {
  const Exchange* exchange = nullptr;
  Instrument instrument;
  std::string message;
};

std::vector<Sample> samples() {
  constexpr Timestamp start{1'763'675'700'000'000};
  std::vector<Sample> out;
  for (const sim::Protocol* protocol : sim::protocols()) {
    const auto instruments = sim::make_instruments_of(*protocol, protocol->markets().size(), 600);
    sim::Tape tape(3, start, instruments);
    tape.advance(start + seconds(10));
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      Sample sample;
      sample.instrument = instruments[i].instrument;
      sample.instrument.id = 0;
      sample.exchange = find_exchange(protocol->name(), sample.instrument.market);
      REQUIRE(sample.exchange != nullptr);
      std::vector<std::string> frames;
      auto trade = tape.trades(i).front();
      trade.block = false;
      protocol->frames(instruments[i], 0, std::span(&trade, 1), start, frames);
      sample.message = frames.front();
      out.push_back(std::move(sample));
    }
  }
  return out;
}

class Judge {
 public:
  explicit Judge(const Sample& sample) : sample_(sample), intake_(*sample.exchange, true) {
    intake_.add(sample_.instrument);
  }
  // How many trades a message brings; each of them must be sane.
  std::size_t trades(std::string_view message, bool counted = true) {
    std::vector<Record> records;
    const auto refused = intake_.counters().refused_total();
    const Parsed& parsed = intake_.take(message, {}, records);
    for (const Trade& trade : parsed.trades) {
      if (trade.placeholder) continue;
      CHECK((trade.price.is_positive() && trade.base.mantissa >= 0 && trade.quote.is_positive()));
    }
    const std::size_t found = parsed.trades.size();
    if (found == 0 && counted) {
      INFO(sample_.exchange->name << " " << message.substr(0, 300));
      CHECK((intake_.counters().refused_total() > refused || parsed.ignored || !parsed.acks.empty() || parsed.pong));
    }
    return found;
  }

 private:
  const Sample& sample_;
  Intake intake_;
};

// Every place where a value stands behind `"key":`.
std::vector<std::pair<std::size_t, std::size_t>> values_in(const std::string& message) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (auto at = message.find("\":"); at != message.npos; at = message.find("\":", at + 1)) {
    const auto begin = at + 2;
    if (message[begin] == '{' || message[begin] == '[') continue;
    auto end = begin;
    if (message[begin] == '"') {
      end = message.find('"', begin + 1) + 1;
    } else {
      end = message.find_first_of(",}]", begin);
    }
    out.emplace_back(begin, end - begin);
  }
  return out;
}
}  // namespace

TEST_CASE("hostile: the good message is good") {
  for (const Sample& s : samples()) {
    INFO(s.exchange->name << " " << s.message);
    CHECK(Judge(s).trades(s.message) == 1);
    CHECK(s.exchange->symbol_of(s.message) == s.instrument.symbol);
  }
}

TEST_CASE("hostile: every beginning of a message is refused") {
  for (const Sample& s : samples()) {
    Judge judge(s);
    for (std::size_t n = 0; n < s.message.size(); ++n) CHECK(judge.trades(s.message.substr(0, n)) == 0);
    for (const char* behind : {"}", "{}", ",", "x", "\"", "]", s.message.c_str()}) {
      CHECK(judge.trades(s.message + behind) == 0);
    }
  }
}

TEST_CASE("hostile: a price or size that is none makes no trade") {
  const std::vector<std::string> bad{"0",          "\"0\"",    "\"0.000\"",    "-1",
                                     "\"-1\"",     "\"-0.5\"", "1e400",        "\"1e400\"",
                                     "\"\"",       "\"x\"",    "\"1,5\"",      "\"0x10\"",
                                     "null",       "true",     "[]",           "{}",
                                     "[1]",        "NaN",      "\"NaN\"",      "\"Infinity\"",
                                     "\"1e-400\"", "1e-30",    "\" 1\"",       "\"1 \"",
                                     "\"+1\"",     "\".5\"",   "\"1.\"",       "\"123456789012345678901234567890\"",
                                     "01",         "1.2.3",    "\"\xc3\x28\"", "\xff"};
  for (const Sample& s : samples()) {
    Judge judge(s);
    // Which values are price and size is found out by what changes a trade: with 7 there it is another one.
    std::size_t numbers = 0;
    for (const auto& [begin, length] : values_in(s.message)) {
      std::string other = s.message;
      other.replace(begin, length, other[begin] == '"' ? "\"7\"" : "7");
      Parsed now, then;
      const SymbolTable symbols{{s.instrument.symbol, &s.instrument}};
      s.exchange->parse(s.message, symbols, then);
      s.exchange->parse(other, symbols, now);
      if (now.trades.size() != 1 ||
          (now.trades[0].price == then.trades[0].price && now.trades[0].base == then.trades[0].base)) {
        continue;
      }
      ++numbers;
      // Where the sign of a size tells the side, a negative one is a size.
      std::string negative = s.message;
      negative.replace(begin, length, other[begin] == '"' ? "\"-7\"" : "-7");
      s.exchange->parse(negative, symbols, then);
      const bool sign_is_side = then.trades.size() == 1 && then.trades[0].aggressor == Aggressor::seller &&
                                now.trades[0].aggressor == Aggressor::buyer;
      for (const std::string& value : bad) {
        if (sign_is_side && value.find('-') < 2) continue;
        std::string message = s.message;
        message.replace(begin, length, value);
        INFO(message);
        CHECK(judge.trades(message) == 0);
      }
    }
    INFO(s.exchange->name << " " << s.message);
    CHECK(numbers == 2);
  }
}

TEST_CASE("hostile: any value of any type anywhere, and nothing breaks") {
  const std::string megabyte(1 << 20, 'x');
  const std::vector<std::string> anything{"null",
                                          "true",
                                          "[]",
                                          "{}",
                                          "-1",
                                          "1e999",
                                          "\"\"",
                                          "\"\\ud800\"",
                                          "\"" + megabyte + "\"",
                                          "18446744073709551616",
                                          "[[[[]]]]",
                                          "{\"a\":{\"b\":[1,2]}}",
                                          "\"\xff\xfe\""};
  for (const Sample& s : samples()) {
    Judge judge(s);
    for (const auto& [begin, length] : values_in(s.message)) {
      for (const std::string& value : anything) {
        std::string message = s.message;
        message.replace(begin, length, value);
        (void)judge.trades(message, false);
      }
    }
    CHECK(judge.trades(std::string(1 << 16, '[')) == 0);
    CHECK(judge.trades(std::string(1 << 16, '{')) == 0);
    CHECK(judge.trades("{\"data\":" + std::string(1000, '[') + std::string(1000, ']') + "}") == 0);
    CHECK(judge.trades("\"" + megabyte + "\"") == 0);
    CHECK(judge.trades(megabyte) == 0);
    CHECK(judge.trades("") == 0);
    CHECK(judge.trades("null") == 0);
    CHECK(judge.trades("{}") == 0);
    CHECK(judge.trades(std::string("\0\0\0", 3)) == 0);
    // And it is as well as before.
    CHECK(Judge(s).trades(s.message) == 1);
    const std::string foreign(sim::find_protocol(s.exchange->name)->foreign_frame());
    CHECK(judge.trades(foreign, !s.exchange->delivers_unrequested) == 0);
  }
}
