// Exchanges that mean harm: what one of them does must not be felt by the others.
#include <fmt/format.h>

#include <optional>

#include "attack/table.hpp"
#include "cvdd/sim/protocol.hpp"
#include "net/upgrade.hpp"
#include "sim/binance_protocol.hpp"

namespace cvdd::attack {

namespace {
struct Hostile {
  Attack attack;
  TlsServer::Script rest, stream, history;          // the list, the feed, past trades; empty: as an exchange should
  std::string reason;                               // in the log
  double rss_most = 64;                             // MiB more
  std::optional<std::int64_t> time = std::nullopt;  // that it says, in ms; empty: as it is
};

std::string answer(const std::string& body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(), body);
}

std::vector<sim::TapeInstrument> listed() {
  std::vector<sim::TapeInstrument> out;
  for (const auto& what : sim::make_instruments_everywhere(60, 600)) {
    if (what.instrument.exchange == "binance" && what.instrument.market == Market::spot) out.push_back(what);
  }
  return out;
}

Timestamp now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

std::string good_list() { return answer(sim::binance::exchange_info(Market::spot, listed(), now())); }

std::vector<sim::TapeInstrument> fifty_thousand() {
  std::vector<sim::TapeInstrument> out(50'000, listed()[0]);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].instrument.symbol = "X" + std::to_string(i) + "USDT";
  return out;
}

TlsServer::Script endless(const std::string& head, const std::string& more) {
  return [head, more](Wire& wire) {
    if (!wire.say(head)) return;
    while (wire.say(more)) {
    }
  };
}

std::string many(const std::string& one) {
  std::string out;
  while (out.size() < 64'000) out += one;
  return out;
}

// A server's text frame.
std::string framed(const std::string& text) {
  std::string out = "\x81";
  if (text.size() < 126) return out + static_cast<char>(text.size()) + text;
  const bool small = text.size() <= 0xFFFF;
  out += small ? '\x7e' : '\x7f';
  for (int shift = small ? 8 : 56; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift & 0xFFU);
  return out + text;
}

// A message as the exchange would send it.
std::string trade(std::uint64_t id, Duration ahead = {}, std::size_t of = 0) {
  const auto what = listed()[of];
  sim::TapeTrade t;
  t.id = t.first_fill = t.last_fill = id;
  t.time = now() + ahead;
  t.price_ticks = t.size_steps = 1'000;
  return sim::binance::wrapped(sim::binance::stream_name(what.instrument, "aggTrade"),
                               sim::binance::aggregate_frame(what, t, now()));
}
constexpr std::uint64_t trades_at_once = 500;
std::string many_trades(std::uint64_t first) {
  const std::string one = trade(0);
  const std::string id = "\"a\":0,";
  std::string out;
  for (std::uint64_t i = 0; i < trades_at_once; ++i) {
    std::string text = one;
    text.replace(text.find(id), id.size(), fmt::format("\"a\":{},", first + i));
    out += framed(text);
  }
  return out;
}

std::vector<Hostile> hostile_servers() {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", piece(16'000, 'x');
  const std::string refusal = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::vector<Hostile> all;
  const auto rest = [&](const char* name, bool in_short, TlsServer::Script script, const char* reason) {
    all.push_back({{name, fmt::format("log: \"{}\"", reason), in_short}, std::move(script), {}, {}, reason});
  };
  const auto stream = [&](const char* name, bool in_short, TlsServer::Script script, const char* reason) {
    all.push_back(
        {{name, *reason == '\0' ? "the others have their turn" : fmt::format("log: \"{}\"", reason), in_short},
         {},
         std::move(script),
         {},
         reason});
  };
  rest("answer: endless header", false, endless("HTTP/1.1 200 OK\r\nX: ", piece), "limit");
  rest("answer: endless chunk extension", true, endless(chunked + "5;x=", piece), "has no end");
  rest("answer: endless chunk extensions", false, endless(chunked, "1;x=" + piece + "\r\ny\r\n"), "has no end");
  rest("answer: endless trailers", false, endless(chunked + "0\r\n", "X: " + piece + "\r\n"), "has no end");
  rest("answer: endless 103", false, endless("", many("HTTP/1.1 103 Early Hints\r\n\r\n")), "announce another");
  const std::string list = answer(sim::binance::exchange_info(Market::spot, fifty_thousand(), Timestamp{1}));
  rest(
      "answer: a list of 50,000 instruments", false,
      [list](Wire& wire) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1'200));  // when somebody looks
        wire.say(list);
      },
      "listed=50000");
  all.back().attack.must_hold += ", 128 MiB";  // 23 MiB of text, and what it is parsed into
  all.back().rss_most = 128;
  rest("answer: a body without end", false, endless("HTTP/1.1 200 OK\r\n\r\n", piece), "larger than");
  stream("upgrade: endless header", false, endless("HTTP/1.1 101 OK\r\nX: ", piece), "limit");
  stream("upgrade: endless chunk extension of a refusal", true, endless(refusal + "1;x=", piece), "HTTP 403");
  stream("upgrade: endless trailers of a refusal", false, endless(refusal + "0\r\n", "X: " + piece + "\r\n"),
         "HTTP 403");
  const auto agreed = [](std::function<void(Wire&)> then) { return [then](Wire& wire) { then(wire); }; };
  stream("stream: new keys without end", true, agreed([](Wire& wire) {
           while (wire.new_keys()) {
           }
         }),
         "records without data");
  const char* const idle = "frames without data";
  stream("stream: empty frames without end", true, endless("", many(std::string("\x81\0", 2))), idle);
  stream("stream: pings without end", false, endless("", many(std::string("\x89\0", 2))), idle);
  stream("stream: empty fragments without end", false, endless(std::string("\x01\0", 2), many(std::string(2, '\0'))),
         idle);
  stream("stream: messages of nothing without end", false, endless("", many(framed(R"({"nothing":"at all"})"))),
         "that bring nothing");
  const std::string large = framed(R"({"nothing":")" + std::string(std::size_t{15} << 20, 'x') + "\"}");
  stream("stream: messages of 15 MiB", false, endless("", large), "");
  // As far as an instrument's bars may reach ahead at all: 100,000 of two seconds.
  constexpr Duration far = seconds(50 * 3'600);
  stream("stream: trades of times to come", false, agreed([far](Wire& wire) {
           std::this_thread::sleep_for(std::chrono::milliseconds(1'200));  // when somebody looks
           for (std::uint64_t id = 1; id < 100; ++id) {
             for (std::size_t i = 0; i < listed().size(); ++i) {
               if (!wire.say(framed(trade(id, {}, i)) + framed(trade(1'000 + id, far, i)))) return;
             }
             std::this_thread::sleep_for(std::chrono::milliseconds(50));
           }
           wire.listen();
         }),
         "");
  stream("history: trades of times to come", false, agreed([](Wire& wire) {
           for (std::uint64_t id = 1; wire.say(framed(trade(id * 10))); ++id) {
             std::this_thread::sleep_for(std::chrono::milliseconds(200));
           }
         }),
         "can't fetch missed trades");
  all.back().history = [far](Wire& wire) {
    std::string rows;
    for (std::uint64_t id = 1; id < 500; ++id) {
      const std::string message = trade(id, far);
      const auto begin = message.find("\"data\":") + 7;
      rows += (rows.empty() ? "" : ",") + message.substr(begin, message.size() - begin - 1);
    }
    wire.say(answer("[" + rows + "]"));
  };
  const auto steady_trades = agreed([](Wire& wire) {
    for (std::uint64_t id = 1; wire.say(framed(trade(id))); ++id) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  for (const std::int64_t time : {std::int64_t{1}, std::int64_t{253'370'764'800'000}}) {
    stream(time == 1 ? "time: it is 1970" : "time: it is the year 9999", false, steady_trades, "");
    all.back().time = time;
  }
  stream("stream: one trade again and again", false, endless("", many(framed(trade(1)))), "");
  stream("stream: new trades without end", false, agreed([](Wire& wire) {
           for (std::uint64_t id = 1; wire.say(many_trades(id)); id += trades_at_once) {
           }
         }),
         "");
  stream("stream: one byte a record without end", false, agreed([](Wire& wire) {
           const std::string message = framed(R"({"nothing":"at all"})");
           for (std::size_t at = 0; wire.say({&message[at], 1}); at = (at + 1) % message.size()) {
           }
         }),
         "");
  stream("stream: a frame that says 2^62 bytes", false, endless(std::string("\x82\x7f\x40\0\0\0\0\0\0\0", 10), piece),
         "too long");
  stream("stream: a message of endless fragments", false,
         endless("", std::string("\x02\x7e\x3e\x80", 4) + piece + many(std::string("\0\x7e\x3e\x80", 4) + piece)),
         "out of place");
  stream("stream: garbage", false, endless("", many("\xff\xfe<0>\x1b[2J\n")), "masked frame");
  return all;
}

Outcome run_one(const Bench& bench, const Hostile& hostile, const test::Identity& ca, const test::Identity& identity) {
  const bool is_stream = static_cast<bool>(hostile.stream);
  TlsServer server(identity, [&](Wire& wire) {
    const std::string request = wire.hear();
    if (request.find("Upgrade: websocket") != request.npos) {
      const bool refuses = hostile.attack.name.starts_with("upgrade");
      if (is_stream && (refuses || wire.agree_to(request, accept_of))) hostile.stream(wire);
    } else if (request.find("exchangeInfo") != request.npos) {
      if (hostile.rest) return hostile.rest(wire);
      wire.say(good_list());
    } else if (request.find("aggTrades") != request.npos && hostile.history) {
      hostile.history(wire);
    } else if (request.find("/time") != request.npos) {
      wire.say(answer(fmt::format("{{\"serverTime\":{}}}", hostile.time.value_or(now().us / 1'000))));
    }
  });
  VictimOptions options;
  options.cvdd = bench.cvdd;
  options.hostile = &server;
  options.hostile_ca = &ca;
  Victim victim(options);
  Outcome out;
  // There is no calm with such an exchange: the bound of p99 is one for all.
  const Limits limits{0.1, hostile.rss_most};
  const Seen from = victim.look();
  Watcher watcher(victim);
  std::this_thread::sleep_for(bench.time);
  const Seen to = victim.look();
  judge(bench, victim, watcher, from, from, from, to, limits, out);
  out.p99_calm = 0;
  if (to.trades <= from.trades) out.broken.emplace_back("no trade of the others came");
  if (!hostile.reason.empty() && victim.log().find(hostile.reason) == std::string::npos) {
    out.broken.push_back("no \"" + hostile.reason + "\" in the log");
  }
  if (victim.log().find('\x1b') != std::string::npos) out.broken.emplace_back("a terminal's command in the log");
  if (!victim.process().running()) out.broken.emplace_back("the daemon ended");
  if (bench.tell_logs) fmt::print("{}\n", victim.log());
  out.note = fmt::format("it got rid of {} MiB", server.sent() >> 20);
  // What is refused is not read for long.
  if (!hostile.reason.empty() && server.sent() > std::size_t{256} << 20) out.broken.push_back(out.note);
  return out;
}
}  // namespace

void run_servers(const Bench& bench, const std::string& only, Table& table) {
  const test::Identity ca = test::make_identity("", nullptr), identity = test::make_identity("IP:127.0.0.1", &ca);
  for (const Hostile& hostile : hostile_servers()) {
    if (bench.short_run && !hostile.attack.in_short_run) continue;
    if (hostile.attack.name.find(only) == std::string::npos) continue;
    table.add(hostile.attack, run_one(bench, hostile, ca, identity));
  }
}

}  // namespace cvdd::attack
