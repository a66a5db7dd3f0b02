// Readers of the HTTP server that mean harm, or only want too much: rows come in time all the same, and health is told.
#include <fmt/format.h>

#include <functional>
#include <vector>

#include "attack/http.hpp"
#include "attack/table.hpp"

namespace cvdd::attack {

namespace {
using Until = std::chrono::steady_clock::time_point;
constexpr std::size_t crowd = 120;

struct Reader {
  Attack attack;
  // What one of them does until then; how often it was answered.
  std::function<std::size_t(const Victim&, std::size_t number, Until)> act;
  std::size_t how_many = crowd;
  bool wants_answers = true;
};

bool over(Until until) { return std::chrono::steady_clock::now() >= until; }

// Asks without pause, on one connection for as long as it is left to it.
std::function<std::size_t(const Victim&, std::size_t, Until)> asking(std::vector<std::string> targets,
                                                                     const std::string& more = "") {
  return [targets = std::move(targets), more](const Victim& victim, std::size_t number, Until until) {
    std::size_t answers = 0;
    while (!over(until)) {
      Connection connection(victim.port(), std::chrono::seconds(3));
      for (std::size_t n = number; !over(until); ++n) {
        const int status = connection.ask(targets[n % targets.size()], more);
        if (status == 0) break;
        answers += status == 200 ? 1U : 0U;
      }
    }
    return answers;
  };
}

std::size_t connect_and_leave(const Victim& victim, std::size_t, Until until) {
  while (!over(until)) const Connection connection(victim.port(), std::chrono::milliseconds(200));
  return 0;
}

std::size_t slow_header(const Victim& victim, std::size_t, Until until) {
  while (!over(until)) {
    Connection connection(victim.port(), std::chrono::milliseconds(100));
    bool held = connection.say("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    while (held && !over(until)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      held = connection.say("x");
    }
  }
  return 0;
}

std::size_t ask_and_not_read(const Victim& victim, std::size_t number, Until until) {
  const char* const targets[] = {"/api/v1/instruments", "/api/v1/instruments?spark=quote", "/metrics"};
  while (!over(until)) {
    Connection connection(victim.port(), std::chrono::milliseconds(100));
    connection.say(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", targets[number % 3]));
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  }
  return 0;
}

std::size_t ask_a_lot_at_once(const Victim& victim, std::size_t, Until until) {
  std::string many;
  for (int i = 0; i < 400; ++i) many += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  while (!over(until)) {
    Connection connection(victim.port(), std::chrono::milliseconds(200));
    while (!over(until) && connection.say(many)) {
    }
  }
  return 0;
}

std::size_t listen_without_reading(const Victim& victim, std::size_t number, Until until) {
  const std::string names = number % 2 == 0 ? "" : "?instruments=bybit:spot:BTCUSDT,okx:spot:BTC-USDT";
  while (!over(until)) {
    Connection connection(victim.port(), std::chrono::milliseconds(500));
    connection.say("GET /api/v1/stream" + names +
                   " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    while (!over(until) && connection.say("\x8a")) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return 0;
}

// A client's text frame, with a mask that changes nothing.
std::string framed(const std::string& text) {
  std::string out("\x81\xFE", 2);
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size() & 0xFF);
  return out + std::string(4, '\0') + text;
}

// As much as one message may want: 200 instruments in full, the rest in short, and 50 sums of 50.
std::string want_everything(const Victim& victim) {
  int status = 0;
  const std::string list = get(victim.port(), "/api/v1/instruments?spark=0", status);
  std::vector<std::string> names;
  const auto value = [&](const char* key, std::size_t from) {
    const auto at = list.find(std::string("\"") + key + "\":\"", from) + std::string_view(key).size() + 4;
    return list.substr(at, list.find('"', at) - at);
  };
  for (auto at = list.find("{\"exchange\":"); at != list.npos && names.size() < 200;
       at = list.find("{\"exchange\":", at + 1)) {
    names.push_back(fmt::format("\"{}:{}:{}\"", value("exchange", at), value("market", at), value("symbol", at)));
  }
  // As many sums as a message has room for, each of others.
  const std::size_t room = 30'000;
  std::string out =
      fmt::format(R"({{"instruments":[{}],"spark":"base","rest":true,"anew":true,"groups":[)", fmt::join(names, ","));
  for (std::size_t g = 0; g < 50 && names.size() >= 10; ++g) {
    std::string one;
    for (std::size_t i = 0; i < 20; ++i) one += (i > 0 ? "," : "") + names[(g * 7 + i) % names.size()];
    if (out.size() + one.size() + 4 > room) break;
    out += (g > 0 ? ",[" : "[") + one + "]";
  }
  return out + "]}";
}

std::function<std::size_t(const Victim&, std::size_t, Until)> wanting(const std::string& want) {
  return [frame = framed(want)](const Victim& victim, std::size_t, Until until) {
    std::size_t heard = 0;
    while (!over(until)) {
      Connection connection(victim.port(), std::chrono::milliseconds(500));
      connection.say(
          "GET /api/v1/stream?instruments= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
          "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
      for (bool good = true; good && !over(until);) {
        good = connection.say(frame);
        for (int i = 0; i < 20 && !over(until); ++i) heard += connection.hear().empty() ? 0U : 1U;
      }
    }
    return heard;
  };
}

// A stream that says the same empty frame without end, and reads whatever it is told.
std::function<std::size_t(const Victim&, std::size_t, Until)> frames_without_end(const std::string& head,
                                                                                 const std::string& first = "") {
  const auto empty = [](const std::string& byte) { return byte + std::string("\x80\0\0\0\0", 5); };
  std::string many;
  while (many.size() < 60'000) many += empty(head);
  return [many, begin = first.empty() ? "" : empty(first)](const Victim& victim, std::size_t, Until until) {
    while (!over(until)) {
      Connection connection(victim.port(), std::chrono::milliseconds(200));
      connection.say(
          "GET /api/v1/stream?instruments= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
          "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
      for (bool good = connection.say(begin); good && !over(until);) good = connection.say(many) && connection.drain();
    }
    return std::size_t{0};
  };
}

std::vector<Reader> hostile_readers(const Victim& victim) {
  const std::string must = "nothing late, p99 at most doubled, 30 % of a core";
  const std::string bars = victim.bars_target();
  std::vector<Reader> all;
  const auto add = [&](const char* name, bool in_short, auto act, std::size_t how_many = crowd, bool answers = true) {
    all.push_back({{name, must, in_short}, act, how_many, answers});
  };
  add("readers: 120 on /metrics", false, asking({"/metrics"}));
  add("readers: 120 on /api/v1/instruments", true, asking({"/api/v1/instruments"}));
  add("readers: 120 on all of its forms, packed", false,
      asking({"/api/v1/instruments", "/api/v1/instruments?spark=quote", "/api/v1/instruments?spark=0", "/metrics"},
             "Accept-Encoding: gzip\r\n"));
  add("readers: 120 on /api/v1/bars", false, asking({bars, bars + "&limit=20000&format=csv"}));
  add("readers: 120 on /api/v1/connections and /readyz", false, asking({"/api/v1/connections", "/readyz"}));
  add("readers: 120 on everything, a connection for each", true,
      asking({"/metrics", "/api/v1/instruments", "/readyz", "/api/v1/connections", bars, "/"},
             "Connection: close\r\n"));
  add("readers: 200 headers that never end", true, slow_header, 200, false);
  add("readers: 200 that ask and read nothing", false, ask_and_not_read, 200, false);
  add("readers: 64 streams that read nothing", false, listen_without_reading, 64, false);
  add("readers: 64 streams that want everything anew, again and again", true, wanting(want_everything(victim)), 64);
  add("readers: 8 streams that ping without end", false, frames_without_end("\x89"), 8, false);
  add("readers: 8 streams that say empty fragments without end", false,
      frames_without_end(std::string(1, '\0'), "\x01"), 8, false);
  add("readers: 16 that connect and leave", false, connect_and_leave, 16, false);
  add("readers: 8 with 400 requests at once, again and again", false, ask_a_lot_at_once, 8, false);
  return all;
}

Outcome run_one(const Bench& bench, Victim& victim, const Reader& reader, const Seen& calm_from, const Seen& calm_to) {
  Outcome out;
  const Seen from = victim.look();
  Watcher watcher(victim);
  const Until until = std::chrono::steady_clock::now() + bench.time;
  std::atomic<std::size_t> answers{0};
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < reader.how_many; ++i) {
    all.emplace_back([&, i] { answers += reader.act(victim, i, until); });
  }
  std::this_thread::sleep_until(until);
  watcher.stop();
  for (std::thread& thread : all) thread.join();
  const Seen to = victim.look();
  judge(bench, victim, watcher, calm_from, calm_to, from, to, {}, out);
  if (!bench.short_run && out.cpu_more > 30) out.broken.push_back(fmt::format("{:.0f} % of a core", out.cpu_more));
  if (reader.wants_answers && answers == 0) out.broken.emplace_back("nobody was answered");
  if (to.trades <= from.trades) out.broken.emplace_back("no trade came");
  if (!victim.process().running()) out.broken.emplace_back("the daemon ended");
  out.note = fmt::format("{} answers, {:.0f} trades/s", answers.load(),
                         (to.trades - from.trades) / std::chrono::duration<double>(to.at - from.at).count());
  return out;
}

// Who has the token finds a place among those who have none.
Outcome locked_out(const Bench& bench) {
  VictimOptions options;
  options.cvdd = bench.cvdd;
  options.token = "attack-0123456789";
  Victim victim(options);
  Outcome out;
  Watcher watcher(victim);
  const Until until = std::chrono::steady_clock::now() + bench.time;
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < 200; ++i) all.emplace_back([&, i] { (void)slow_header(victim, i, until); });
  std::size_t asked = 0, answered = 0;
  while (!over(until)) {
    Connection connection(victim.port());
    ++asked;
    answered += connection.ask("/readyz", "Authorization: Bearer " + options.token + "\r\n") > 0 ? 1U : 0U;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  watcher.stop();
  for (std::thread& thread : all) thread.join();
  judge(bench, victim, watcher, {}, {}, {}, {}, {}, out);
  if (answered * 100 < asked * 95)
    out.broken.push_back(fmt::format("{} of {} with the token were answered", answered, asked));
  out.note = fmt::format("{} of {} with the token answered", answered, asked);
  return out;
}
}  // namespace

void run_readers(const Bench& bench, const std::string& only, Table& table) {
  const Attack locked{"readers: 200 without the token", "who has it is answered", false};
  if (!bench.short_run && locked.name.find(only) != std::string::npos) table.add(locked, locked_out(bench));
  VictimOptions options;
  options.cvdd = bench.cvdd;
  options.instruments = bench.instruments;
  options.trades_per_minute = bench.trades_per_minute;
  options.interval = bench.short_run ? "2s" : "10s";
  Victim victim(options);
  const Seen calm_from = victim.look();
  std::this_thread::sleep_for(bench.time);
  const Seen calm_to = victim.look();
  for (const Reader& reader : hostile_readers(victim)) {
    if (bench.short_run && !reader.attack.in_short_run) continue;
    if (reader.attack.name.find(only) == std::string::npos) continue;
    table.add(reader.attack, run_one(bench, victim, reader, calm_from, calm_to));
  }
}

}  // namespace cvdd::attack
