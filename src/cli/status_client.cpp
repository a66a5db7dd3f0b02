#include "status_client.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

#include "cvdd/base/printable.hpp"
#include "cvdd/config/listen_address.hpp"

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

// Thousands of instruments are some megabytes.
constexpr std::uint64_t answer_max = std::uint64_t{64} << 20;

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
  parser.body_limit(answer_max);
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
  if (error == boost::asio::error::connection_refused) return {0, "", "nothing listens there: is it running?"};
  if (error) return {0, "", "does not answer as a cvdd: " + error.message()};
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

// Those of `what`: "instruments" or "groups".
std::vector<StatusLine> lines_of(const dom::element& all, const char* what) {
  std::vector<StatusLine> out;
  dom::array instruments;
  if (all[what].get(instruments) != simdjson::SUCCESS) return out;
  for (const dom::element i : instruments) {
    StatusLine line;
    std::string_view group;
    if (i["group"].get(group) == simdjson::SUCCESS) {
      line.exchange = "group";
      line.market = fmt::format("{} of {}", number_of(i, "counted"), number_of(i, "size"));
      line.symbol = text_of(i, "group");
    } else {
      line.exchange = text_of(i, "exchange");
      line.market = text_of(i, "market");
      line.symbol = text_of(i, "symbol");
    }
    line.state = text_of(i, "state");
    line.price = text_of(i, "price");
    line.proven = text_of(i, "proven_until");
    if (line.proven.size() > 19) line.proven = line.proven.substr(11, 8);
    if (const std::string why = text_of(i, "unproven"); !why.empty()) line.proven += " (" + why + ")";
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
      line.state = "live (" + std::string(written) + ")";
    }
    out.push_back(std::move(line));
  }
  return out;
}

// The body of /readyz, whatever it says. Empty: `error` tells why there is none.
std::optional<std::string> ask_health(const std::string& listen, const std::string& token, std::string& error) {
  Answered ready = get(listen, token, "/readyz");
  if (ready.error.empty() && (ready.status == 200 || ready.status == 503)) return std::move(ready.body);
  error = !ready.error.empty()  ? ready.error
          : ready.status != 401 ? fmt::format("does not answer as a cvdd: HTTP {}", ready.status)
          : token.empty()       ? "it wants a token: give --config, or --token"
                                : "the token is not its own: that of its [http] token is wanted";
  return std::nullopt;
}
constexpr const char* no_cvdd = "does not answer as a cvdd: what it says is not understood";
constexpr const char* instruments_target = "/api/v1/instruments?spark=0";
}  // namespace

std::optional<StatusModel> ask_status(const std::string& listen, const std::string& token, std::string& error) {
  const auto body = ask_health(listen, token, error);
  if (!body) return std::nullopt;
  StatusModel out;
  out.asked = listen;
  dom::parser parser;
  dom::element health, counts, disk;
  const bool understood =
      parser.parse(*body).get(health) == simdjson::SUCCESS && health["ready"].get(out.ready) == simdjson::SUCCESS &&
      health["instruments"].get(counts) == simdjson::SUCCESS && health["disk"].get(disk) == simdjson::SUCCESS;
  if (!understood) {
    error = no_cvdd;
    return std::nullopt;
  }
  out.live = number_of(counts, "live");
  out.wanted = number_of(counts, "wanted");
  out.gaps = number_of(health, "gaps");
  out.trades_per_second = number_of(health, "trades_per_second");
  out.backlog_rows = number_of(disk, "backlog_rows");
  dom::array reasons, not_ready;
  if (health["reasons"].get(reasons) == simdjson::SUCCESS) {
    for (const dom::element reason : reasons) {
      std::string_view text;
      if (reason.get(text) == simdjson::SUCCESS) out.troubles.push_back(printable(text, 500));
    }
  }
  if (health["not_ready"].get(not_ready) == simdjson::SUCCESS) {
    std::vector<Trouble> troubles;
    for (const dom::element i : not_ready) {
      troubles.push_back({fmt::format("{} {} {}", text_of(i, "exchange"), text_of(i, "market"), text_of(i, "symbol")),
                          text_of(i, "state"), text_of(i, "since"), text_of(i, "reason")});
    }
    for (std::string& line : told_together(troubles)) out.troubles.push_back(std::move(line));
  }
  const Answered list = get(listen, token, instruments_target);
  dom::parser other;
  dom::element all;
  if (list.status == 200 && other.parse(list.body).get(all) == simdjson::SUCCESS) {
    out.lines = lines_of(all, "instruments");
    out.groups = lines_of(all, "groups");
  }
  return out;
}

bool ask_alive(const std::string& listen, std::string& error) {
  const Answered answer = get(listen, "", "/healthz");
  if (answer.error.empty() && answer.status == 200) return true;
  error = !answer.error.empty() ? answer.error : fmt::format("HTTP {}: {}", answer.status, printable(answer.body, 300));
  return false;
}

std::string ascii_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size(); ++at) {
    const auto byte = static_cast<unsigned char>(json[at]);
    if (byte >= 0x20 && byte < 0x7F) {
      out += json[at];
      continue;
    }
    if (byte < 0x20) continue;  // between values: within text there is none
    std::uint32_t code = byte;
    const std::size_t size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (size > 1) code = byte & (0x7FU >> size);
    for (std::size_t i = 1; i < size && at + 1 < json.size(); ++i) {
      code = code << 6U | (static_cast<unsigned char>(json[++at]) & 0x3FU);
    }
    if (code >= 0x10000) {
      code -= 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (code >> 10U), 0xDC00 + (code & 0x3FFU));
    } else {
      out += fmt::format("\\u{:04x}", code);
    }
  }
  return out;
}

std::optional<std::string> ask_status_json(const std::string& listen, const std::string& token, bool& ready,
                                           std::string& error) {
  const auto body = ask_health(listen, token, error);
  if (!body) return std::nullopt;
  const Answered list = get(listen, token, instruments_target);
  dom::parser parser, other;
  dom::element health, all, instruments, groups;
  const bool understood =
      parser.parse(*body).get(health) == simdjson::SUCCESS && health["ready"].get(ready) == simdjson::SUCCESS &&
      list.status == 200 && other.parse(list.body).get(all) == simdjson::SUCCESS &&
      all["instruments"].get(instruments) == simdjson::SUCCESS && all["groups"].get(groups) == simdjson::SUCCESS;
  if (!understood) {
    error = no_cvdd;
    return std::nullopt;
  }
  return ascii_json(fmt::format("{{\"health\":{},\"instruments\":{},\"groups\":{}}}",
                                std::string(simdjson::minify(health)), std::string(simdjson::minify(instruments)),
                                std::string(simdjson::minify(groups))));
}

}  // namespace cvdd
