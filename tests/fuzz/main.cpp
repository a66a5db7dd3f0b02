// cvdd_fuzz [--seed N] [--rounds N | --minutes N] [--only TARGET]: the targets on bytes that are broken from good ones,
// by seed. Without a compiler that guides it: for every test run. With clang, -DCVDD_FUZZ=ON makes libFuzzer programs
// of the same targets.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/sim/protocol.hpp"
#include "cvdd/sim/tape.hpp"
#include "fuzz/targets.hpp"
#include "sim/binance_protocol.hpp"

using namespace cvdd;

namespace {
using Bytes = std::string;

Bytes framed(const Bytes& text) {
  Bytes out("\x81");
  if (text.size() < 126) return out + static_cast<char>(text.size()) + text;
  out.append({'\x7e', static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)});
  return out + text;
}

struct Seeds {
  std::vector<Bytes> messages, frames, rows, upgrades, requests, wants, toml, words;
};
void good_texts(Seeds& s) {
  s.upgrades = {
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x01x",
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 30\r\nContent-Length: "
      "4\r\n\r\nslow",
      "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nslow\r\n10\r\n0123456789abcdef\r\n0\r\nX: "
      "y\r\n\r\n",
      "HTTP/1.0 301 Moved\r\nLocation: https://x/\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbody until the end"};
  s.requests = {
      "GET /api/v1/bars?exchange=abc&symbol=BTC%2DUSD&from=2025-11-20T00:00:00Z@0.123&limit=7&format=csv "
      "HTTP/1.1\r\nHost: "
      "localhost:9480\r\nAccept-Encoding: br;q=1.0, gzip;q=0.5\r\n\r\n",
      "GET /api/v1/stream?instruments=abc:spot:X,abc:linear:Y HTTP/1.1\r\nHost: [::1]:1\r\nCookie: "
      "cvdd=1763675700.0123456789abcdef\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "HEAD / HTTP/1.0\r\n\r\n"};
  s.toml = {
      "data_dir = \"data\"\ninterval = \"1m\"\n[http]\nlisten = \"127.0.0.1:9480\"\ntoken = '0123456789abcdef'\nhosts "
      "= [\"a.b\"]\n"
      "[exchange.binance.spot]\nws = [\"wss://a:1\", \"wss://b\"]\nredundancy = 2\n",
      "[group.x]\nmembers = [\"*:spot:BTC*\", \"binance:linear:X\"]\n[binance]\nspot = [\"BTCUSDT\", "
      "\"ETH*\"]\nhistory = \"30d\"\n[okx]\noption = [\"BTC-USD-*\"] # all\n",
      "a.b.c.\"d.e\" = { x = [1, [2, {y = 3}]], z = \"\"\"\nlong\n\"\"\" }\n"};
  s.wants = {R"({"instruments":["binance:spot:BTCUSDT","okx:linear:BTC-USDT-SWAP"],"spark":"base","rest":true})",
             R"({"instruments":[],"groups":["btc",["a:spot:X"]],"spark":"0","rest":false,"anew":true})"};
  s.words = {"BTC 价格 € é", "a\nb\r<0>c\x1b[31md\x7f\xc2\x9b!", "\xe2\x80\xae right \xef\xbb\xbf \xf0\x9f\x98\x80"};
}
Seeds good_ones() {
  Seeds s;
  constexpr Timestamp start{1'763'675'700'000'000};
  sim::Tape tape(3, start, sim::make_instruments(9, 60));
  tape.advance(start + seconds(20));
  Row row;
  row.exchange = "abc";
  for (std::size_t i = 0; i < tape.instruments().size(); ++i) {
    const auto& what = tape.instruments()[i];
    for (const sim::TapeTrade& t : tape.trades(i)) {
      s.messages.push_back(sim::binance::wrapped(sim::binance::stream_name(what.instrument, "aggTrade"),
                                                 sim::binance::aggregate_frame(what, t, t.time)));
      row.symbol = what.instrument.symbol;
      row.time = bar_start(t.time, seconds(60));
      row.open = row.high = row.low = row.close = Decimal(t.price_ticks, what.price_decimals);
      row.buy_base = row.delta_base = row.cvd_base = Decimal(t.size_steps, what.size_decimals);
      row.buys = 1;
      row.first_id = row.last_id = std::to_string(t.id);
      Bytes line;
      append_row(line, row);
      line.pop_back();
      s.rows.push_back(line);
    }
    s.messages.push_back(sim::binance::exchange_info(what.instrument.market, tape.instruments(), start));
  }
  for (const sim::Protocol* protocol : sim::protocols()) {
    sim::Tape other(4, start, sim::make_instruments_of(*protocol, 4, 60));
    other.advance(start + seconds(10));
    for (std::size_t i = 0; i < other.instruments().size(); ++i) {
      const auto& what = other.instruments()[i];
      std::vector<Bytes> texts;
      protocol->frames(what, 0, other.trades(i), start, texts);
      for (const Bytes& text : texts) s.messages.push_back(protocol->wrapped(protocol->topics(what)[0], text));
    }
    s.messages.push_back(protocol->foreign_frame());
  }
  s.messages.push_back(R"({"result":null,"id":1})");
  s.messages.push_back(
      R"({"table":"trades","data":[{"price":"1","size":"2","side":"buy","time":"2026-01-01T00:00:00Z"}]})");
  s.messages.push_back(R"([[1499040000000,"1","2","0.5","1.5","10",1499040059999,"15",3,"4","6","0"]])");
  for (const Bytes& m : s.messages) s.frames.push_back(framed(m));
  // A ping, a message, one in two fragments, a close.
  const char control[] = {'\x89', 4,      'p', 'i', 'n', 'g', '\x01', 3, 'a', 'b',
                          'c',    '\x80', 3,   'd', 'e', 'f', '\x88', 2, 3,   '\xe8'};
  s.frames.push_back(framed("a") + Bytes(control, sizeof control));
  good_texts(s);
  return s;
}

Bytes broken(const std::vector<Bytes>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  Bytes out = seeds[below(seeds.size())];
  if (below(4) == 0) out += seeds[below(seeds.size())];
  for (std::size_t n = 1 + below(6); n > 0 && !out.empty(); --n) {
    const std::size_t at = below(out.size());
    switch (below(7)) {
      case 0:
        out[at] = static_cast<char>(random());
        break;
      case 1:
        out[at] = static_cast<char>(out[at] ^ (1 << below(8)));
        break;
      case 2:
        out.erase(at, 1 + below(20));
        break;
      case 3:
        out.insert(at, out.substr(below(out.size()), below(30)));
        break;
      case 4: {
        const char* const parts[] = {
            "\"", "{", "}", "[", "]", ",", ":", "-", "e99", "null", "0", "\\u0000", "99999999999999999999", "\xc3\x28"};
        out.insert(at, parts[below(std::size(parts))]);
        break;
      }
      case 5:
        out.resize(at);
        break;
      default: {
        const Bytes& other = seeds[below(seeds.size())];
        out = out.substr(0, at) + other.substr(below(other.size()));
      }
    }
    if (out.size() > 20'000) out.resize(20'000);
  }
  return out;
}

// Frames with any header, and something behind it.
Bytes any_header(std::mt19937_64& random) {
  Bytes bytes(2 + random() % 200, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  if (random() % 2 == 0) bytes[1] = static_cast<char>(bytes[1] & 0x7F);
  return bytes;
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("every parser on broken bytes");
  std::uint64_t seed = 1, rounds = 20'000;
  app.add_option("--seed", seed);
  app.add_option("--rounds", rounds, "of each target");
  double minutes = 0;
  std::string only;
  app.add_option("--minutes", minutes, "of the processor for each target, in place of rounds");
  app.add_option("--only", only, "this target alone");
  CLI11_PARSE(app, argc, argv);
  const Seeds seeds = good_ones();
  std::mt19937_64 random(seed);
  const auto run = [&](const char* name, const std::function<Bytes(std::mt19937_64&)>& made,
                       void (*target)(const std::uint8_t*, std::size_t)) {
    if (!only.empty() && only != name) return;
    const std::clock_t end = std::clock() + static_cast<std::clock_t>(minutes * 60 * CLOCKS_PER_SEC);
    std::uint64_t done = 0;
    for (; minutes > 0 ? std::clock() < end : done < rounds; ++done) {
      const Bytes bytes = made(random);
      target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
    fmt::print("{}: {} rounds\n", name, done);
    std::fflush(stdout);
  };
  const auto from = [](const std::vector<Bytes>& good) {
    return [&good](std::mt19937_64& numbers) { return broken(good, numbers); };
  };
  run("frames", from(seeds.frames), fuzz::frames);
  run("messages", from(seeds.messages), fuzz::messages);
  run("rows", from(seeds.rows), fuzz::rows);
  run("upgrades", from(seeds.upgrades), fuzz::upgrades);
  run("requests", from(seeds.requests), fuzz::requests);
  run("toml", from(seeds.toml), fuzz::toml);
  run("wants", from(seeds.wants), fuzz::wants);
  run("words", from(seeds.words), fuzz::words);
  run("any header", any_header, fuzz::frames);
  return 0;
}
