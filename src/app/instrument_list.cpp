#include "cvdd/app/instrument_list.hpp"

namespace cvdd {

namespace {
constexpr std::size_t body_max = std::size_t{64} << 20;
constexpr std::size_t pages_max = 100;  // of one target; more is a cursor that leads nowhere
constexpr char separator = '\x1e';      // between JSON texts (RFC 7464); none can hold it
}  // namespace

asio::awaitable<InstrumentList> fetch_instrument_list(const Exchange& exchange, Url host,
                                                      std::vector<std::string> wanted,
                                                      std::function<std::unique_ptr<HttpGet>()> make_http_get,
                                                      SteadyTime deadline) {
  InstrumentList list;
  for (const std::string& target : exchange.instruments_targets(wanted)) {
    InstrumentPage page;
    std::size_t pages = 0;
    do {
      const auto http = make_http_get();
      const std::string asked = target + page.next;
      const auto response = co_await http->get(host, asked, deadline, body_max);
      page.next.clear();
      if (!response.has_value()) {
        list.error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
      } else if (response->status != 200) {
        list.refused = *response;
        list.error = host.host + ": HTTP " + std::to_string(response->status) + ": " + response->body.substr(0, 200);
      } else if (!exchange.parse_instruments(response->body, page, list.error)) {
        list.error = host.host + ": " + list.error;
      } else if (++pages > pages_max) {
        list.error = host.host + ": the list of instruments has no end";
      } else {
        list.bodies.push_back(response->body);
      }
      if (!list.error.empty()) co_return list;
    } while (!page.next.empty());
    list.instruments.insert(list.instruments.end(), page.instruments.begin(), page.instruments.end());
  }
  if (list.instruments.empty()) list.error = host.host + ": no usable instrument of this market in the list";
  co_return list;
}

std::string pack_bodies(const std::vector<std::string>& bodies) {
  std::string packed;
  for (const std::string& body : bodies) {
    if (!packed.empty()) packed += separator;
    packed += body;
  }
  return packed;
}

bool unpack_instruments(const Exchange& exchange, std::string_view packed, std::vector<Instrument>& instruments) {
  InstrumentPage page;
  std::string error;
  while (!packed.empty()) {
    const auto end = std::min(packed.find(separator), packed.size());
    if (!exchange.parse_instruments(packed.substr(0, end), page, error)) return false;
    packed.remove_prefix(std::min(end + 1, packed.size()));
  }
  instruments = std::move(page.instruments);
  return !instruments.empty();
}

}  // namespace cvdd
