// `cvdd status`: what /readyz and /api/v1/instruments of a running daemon say, as a table.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "cvdd/base/decimal.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/config/listen_address.hpp"
#include "cvdd/system/logging.hpp"
#include "load_config.hpp"

namespace cvdd {

namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace dom = simdjson::dom;

struct Answered {
  unsigned status = 0;
  std::string body, error;
};

// One GET, ten seconds for all of it.
Answered get(const std::string& listen, const std::string& token, const char* target) {
  Answered out;
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(listen, host, port)) return {0, "", "\"" + listen + "\" is no address and port"};
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  asio::io_context io(1);
  beast::tcp_stream stream(io);
  beast::flat_buffer buffer(std::size_t{128} << 10);  // headers and what is between chunks
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, listen);
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{256} << 20);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return {0, "", "\"" + host + "\" is no address"};
  stream.expires_after(std::chrono::seconds(10));
  // The blocking calls of Beast know no deadline: these do.
  const auto read = [&](boost::system::error_code e, std::size_t) {
    if (!e)
      http::async_read(stream, buffer, parser, [&](boost::system::error_code e2, std::size_t) { error = e2; });
    else
      error = e;
  };
  stream.async_connect(asio::ip::tcp::endpoint(address, port), [&](boost::system::error_code e) {
    if (!e)
      http::async_write(stream, request, read);
    else
      error = e;
  });
  io.run();
  if (error) return {0, "", error.message()};
  out.status = parser.get().result_int();
  out.body = std::move(parser.get().body());
  return out;
}

// Fit for a terminal: reasons are an exchange's own words.
std::string text_of(const dom::element& object, const char* key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return "";
  return printable(text, 300);
}
std::uint64_t number_of(const dom::element& object, const char* key) {
  std::uint64_t n = 0;
  return object[key].get(n) == simdjson::SUCCESS ? n : 0;
}

struct Line {
  std::string exchange, market, symbol, state, price, delta, cvd, hour, day, proven;
  std::uint64_t fills = 0;
};

// As many digits as a table has room for; the exact number is in the files.
std::string shortened(std::string_view number) {
  const auto point = number.find('.');
  if (point == number.npos) return std::string(number);
  const std::size_t whole = point - (number.starts_with('-') ? 1 : 0);
  const std::size_t digits = whole >= 6 ? 0 : 6 - whole;
  std::string out(number.substr(0, std::min(number.size(), point + 1 + digits)));
  while (out.ends_with('0') && out.size() > point) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::vector<Line> lines_of(const dom::element& all) {
  std::vector<Line> out;
  dom::array instruments;
  if (all["instruments"].get(instruments) != simdjson::SUCCESS) return out;
  for (const dom::element i : instruments) {
    Line line;
    line.exchange = text_of(i, "exchange");
    line.market = text_of(i, "market");
    line.symbol = text_of(i, "symbol");
    line.state = text_of(i, "state");
    line.price = text_of(i, "price");
    line.proven = text_of(i, "proven_until");
    if (line.proven.size() > 19) line.proven = line.proven.substr(11, 8);
    dom::element bar, change;
    if (i["bar"].get(bar) == simdjson::SUCCESS && bar.is_object()) {
      line.fills = number_of(bar, "buys") + number_of(bar, "sells");
      line.delta = shortened(text_of(bar, "delta_base"));
      line.cvd = shortened(text_of(bar, "cvd_base"));
    }
    if (i["change"].get(change) == simdjson::SUCCESS) {
      line.hour = shortened(text_of(change, "base_1h"));
      line.day = shortened(text_of(change, "base_24h"));
    }
    std::string_view written;
    if (i["written"]["status"].get(written) == simdjson::SUCCESS && written != "live" && line.state == "live") {
      line.state = "live, last bar " + std::string(written);
    }
    out.push_back(std::move(line));
  }
  return out;
}

// 0: ready; 1: not, or not to be reached.
int show(const std::string& listen, const std::string& token, std::size_t rows, bool clear) {
  const Answered ready = get(listen, token, "/readyz");
  std::string out = clear ? "\033[H\033[2J" : "";
  dom::parser parser, other;
  dom::element health, all;
  if (!ready.error.empty() || (ready.status != 200 && ready.status != 503)) {
    const std::string why = !ready.error.empty()  ? ready.error
                            : ready.status == 401 ? "it wants a token: give --config, or --token"
                                                  : fmt::format("HTTP {}", ready.status);
    fmt::print("{}", out);
    fmt::print(stderr, "cvdd status: {} does not answer as a cvdd: {}\n", listen, why);
    return 1;
  }
  bool good = false;
  dom::element counts, disk;
  const bool understood =
      parser.parse(ready.body).get(health) == simdjson::SUCCESS && health["ready"].get(good) == simdjson::SUCCESS &&
      health["instruments"].get(counts) == simdjson::SUCCESS && health["disk"].get(disk) == simdjson::SUCCESS;
  if (!understood) {
    fmt::print(stderr, "cvdd status: {} does not answer as a cvdd\n", listen);
    return 1;
  }
  out += fmt::format("{}: {} of {} instruments live, {} gaps in the last bar, {} trades/s",
                     good ? "ready" : "NOT READY", number_of(counts, "live"), number_of(counts, "wanted"),
                     number_of(health, "gaps"), number_of(health, "trades_per_second"));
  if (number_of(disk, "backlog_rows") > 0)
    out += fmt::format(", {} rows wait for the disk", number_of(disk, "backlog_rows"));
  out += "\n";
  dom::array not_ready;
  if (health["not_ready"].get(not_ready) == simdjson::SUCCESS) {
    std::size_t n = 0;
    for (const dom::element i : not_ready) {
      if (n++ == 10) {
        out += "  …\n";
        break;
      }
      out += fmt::format("  {} {} {}: {} since {} {}\n", text_of(i, "exchange"), text_of(i, "market"),
                         text_of(i, "symbol"), text_of(i, "state"), text_of(i, "since"), text_of(i, "reason"));
    }
  }
  const Answered list = get(listen, token, "/api/v1/instruments?spark=0");
  if (list.status == 200 && other.parse(list.body).get(all) == simdjson::SUCCESS) {
    std::vector<Line> lines = lines_of(all);
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.fills > b.fills; });
    if (lines.size() > rows) lines.resize(rows);
    out += fmt::format("\n{:<10}{:<9}{:<26}{:>14}{:>8}{:>14}{:>16}{:>14}{:>14}{:>10}  {}\n", "exchange", "market",
                       "symbol", "price", "fills", "bar delta", "CVD", "1 h", "24 h", "proven", "state");
    for (const Line& l : lines) {
      out += fmt::format("{:<10}{:<9}{:<26}{:>14}{:>8}{:>14}{:>16}{:>14}{:>14}{:>10}  {}\n", l.exchange, l.market,
                         l.symbol, l.price, l.fills, l.delta, l.cvd, l.hour, l.day, l.proven, l.state);
    }
    out +=
        "\nfills, delta: of the open bar; delta and CVD in base units; proven: bars before (UTC) have their final "
        "proof\n";
  }
  fmt::print("{}", out);
  std::fflush(stdout);
  return good ? 0 : 1;
}
}  // namespace

int status_command(const StatusCommand& command) {
  std::string listen = command.listen, token = command.token;
  if (!command.config.empty() || listen.empty()) {
    const auto help = config_that_helps(command.config);
    if (!help) return 2;
    if (listen.empty()) listen = help->config.http_listen;
    if (token.empty()) token = help->config.http_token;
    if (listen.empty()) {
      print_error(help->file + ": [http] listen is \"\": the daemon serves nothing that could be asked");
      return 2;
    }
  }
  if (!command.watch) return show(listen, token, command.rows, false);
  static volatile std::sig_atomic_t ended = 0;
  std::signal(SIGINT, [](int) { ended = 1; });
  std::signal(SIGTERM, [](int) { ended = 1; });
  int status = 0;
  while (ended == 0) {
    status = show(listen, token, command.rows, true);
    for (int i = 0; i < 10 && ended == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return status;
}

}  // namespace cvdd
