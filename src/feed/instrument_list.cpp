#include "cvdd/feed/instrument_list.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "cvdd/base/printable.hpp"
#include "cvdd/config/config.hpp"

namespace cvdd {

namespace {
constexpr std::size_t body_max = std::size_t{32} << 20, single_body_max = std::size_t{1} << 20;
constexpr std::size_t at_once_max = std::size_t{256} << 10;  // of a body that is parsed between two turns of others
constexpr std::size_t pages_max = 100;                       // of one part; more is a cursor that leads nowhere
constexpr std::size_t bodies_max = std::size_t{64} << 20;    // of all pages of a part
constexpr std::size_t name_max = 100;
constexpr char separator = '\x1e';  // between JSON texts (RFC 7464); none can hold it

bool is_plain(const std::string& name) { return name.size() <= name_max && printable(name, name_max) == name; }

// Files, terminals and memory are to hold their names: a megabyte, or what turns the direction of writing, is none.
void leave_out_odd_names(std::vector<Instrument>& instruments) {
  std::erase_if(instruments, [](const Instrument& i) {
    return !is_plain(i.symbol) || !is_plain(i.base) || !is_plain(i.quote) || !is_plain(i.settle);
  });
}

// One page of a part. False if the part ends here: it has failed, or is unknown.
asio::awaitable<bool> fetch_page(const ListRequest& request, const Url& host, SteadyTime deadline, std::size_t most,
                                 ListPart& part, std::string& next) {
  const Exchange& exchange = *request.exchange;
  const auto http = request.make_http_get();
  const std::string target = part.target + next;
  const auto response = co_await http->get(host, target, deadline, most);
  Outcome<InstrumentPage> page = Failure{};
  if (!response.has_value()) {
    part.error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
    co_return false;
  }
  if (response->status == 200) {
    std::function<void()> parse = [&] {
      page = exchange.parse_instruments(response->body);
      if (page) leave_out_odd_names(page->instruments);
    };
    if (request.beside && response->body.size() > at_once_max) {
      co_await request.beside(std::move(parse));
    } else {
      parse();
    }
  }
  if (page && part.instruments.size() + page->instruments.size() > listed_max) {
    page = Failure{"more than " + std::to_string(listed_max) + " instruments"};
  }
  if (!page && exchange.is_unknown != nullptr && exchange.is_unknown(response->status, response->body)) {
    part.state = ListPart::State::unknown;
    part.error = host.host + ": not known: " + printable(response->body, 200);
    co_return false;
  }
  if (!page) {
    part.error = host.host + ": " + (response->status != 200 ? words_of(*response) : page.error());
    if (response->status != 200 && request.heed) request.heed(*response, part.error);
    co_return false;
  }
  std::ranges::move(page->instruments, std::back_inserter(part.instruments));
  part.bodies.push_back(std::move(response->body));
  next = page->next;
  co_return true;
}

asio::awaitable<void> fetch_part(const ListRequest& request, Url host, std::size_t most, ListPart& part) {
  std::string why, next;
  if (request.may_ask && !request.may_ask(why)) {
    if (part.error.empty()) part.error = why;
    co_return;
  }
  part = {part.target, ListPart::State::failed, {}, {}, {}};
  const SteadyTime deadline = request.deadline();
  do {
    if (!co_await fetch_page(request, host, deadline, most, part, next)) {
      part.instruments.clear();
      part.bodies.clear();
      co_return;
    }
    std::size_t bytes = 0;
    for (const std::string& body : part.bodies) bytes += body.size();
    if (part.bodies.size() > pages_max || bytes > bodies_max) {
      part = {part.target, ListPart::State::failed, {}, {}, host.host + ": the list of instruments has no end"};
      co_return;
    }
  } while (!next.empty());
  part.state = ListPart::State::read;
}

// What failed at one host is asked for at the next.
asio::awaitable<void> fetch_parts(const ListRequest& request, std::size_t most, std::vector<ListPart>& parts) {
  for (const Url& host : request.hosts) {
    for (ListPart& part : parts) {
      if (part.state == ListPart::State::failed) co_await fetch_part(request, host, most, part);
    }
  }
}

std::vector<ListPart> parts_of(const std::vector<std::string>& targets) {
  std::vector<ListPart> parts;
  for (const std::string& target : targets) parts.emplace_back().target = target;
  return parts;
}
}  // namespace

bool InstrumentList::complete() const {
  return std::ranges::none_of(parts, [](const ListPart& p) { return p.state == ListPart::State::failed; });
}

std::vector<Instrument> InstrumentList::instruments() const {
  std::vector<Instrument> all;
  for (const ListPart& part : parts) all.insert(all.end(), part.instruments.begin(), part.instruments.end());
  return all;
}

std::vector<std::string> InstrumentList::bodies() const {
  std::vector<std::string> all;
  for (const ListPart& part : parts) all.insert(all.end(), part.bodies.begin(), part.bodies.end());
  return all;
}

std::string InstrumentList::error() const {
  bool any = false;
  std::string unknown;
  for (const ListPart& part : parts) {
    if (part.state == ListPart::State::failed) return part.error;
    if (part.state == ListPart::State::unknown) unknown = part.error;
    any = any || !part.instruments.empty();
  }
  if (any) return {};
  return unknown.empty() ? "no usable instrument of this market in the list" : unknown;
}

asio::awaitable<InstrumentList> fetch_instrument_list(const ListRequest& request) {
  const Exchange& exchange = *request.exchange;
  InstrumentList list;
  list.parts = parts_of(exchange.instruments_targets(request.wanted));
  co_await fetch_parts(request, body_max, list.parts);
  if (exchange.instrument_target == nullptr || !list.error().empty()) co_return list;
  std::vector<std::string> targets;
  for (const UnknownSymbol& name : select_instruments(request.wanted, list.instruments()).unknown) {
    const bool pattern = name.symbol.find_first_of("*?") != std::string::npos;
    if (!pattern && name.reason == not_listed && targets.size() < single_names_max) {
      targets.push_back(exchange.instrument_target(name.symbol));
    }
  }
  std::vector<ListPart> single = parts_of(targets);
  co_await fetch_parts(request, single_body_max, single);
  std::ranges::move(single, std::back_inserter(list.parts));
  co_return list;
}

std::vector<Instrument> ListMemory::complete(const InstrumentList& list, const std::vector<Instrument>& before,
                                             bool& doubtful) {
  std::vector<Instrument> all = list.instruments();
  std::unordered_set<std::string> there;
  for (const Instrument& instrument : all) there.insert(instrument.symbol);
  const auto keep = [&](const std::vector<Instrument>& some) {
    for (const Instrument& instrument : some) {
      if (there.insert(instrument.symbol).second) all.push_back(instrument);
    }
  };
  std::map<std::string, Part> parts;
  doubtful = false;
  for (const ListPart& part : list.parts) {
    const auto known = parts_.find(part.target);
    Part& next = parts[part.target];
    if (known != parts_.end()) next = std::move(known->second);
    const bool failed = part.state == ListPart::State::failed;
    const bool shrunk = !failed && part.instruments.size() * 3 < next.instruments.size() * 2;
    if (failed || (shrunk && ++next.shrunk < shrunk_believed_after)) {
      doubtful = true;
      keep(known == parts_.end() ? before : next.instruments);
      if (known == parts_.end()) parts.erase(part.target);  // still nobody knows what it holds
    } else {
      next = {part.instruments, 0};
    }
  }
  parts_ = std::move(parts);
  return all;
}

std::string pack_bodies(const std::vector<std::string>& bodies) {
  std::string packed;
  for (const std::string& body : bodies) {
    if (!packed.empty()) packed += separator;
    packed += body;
  }
  return packed;
}

std::string pack_bodies(const InstrumentList& list) {
  std::string packed;
  for (const ListPart& part : list.parts) {
    for (const std::string& body : part.bodies) {
      if (!packed.empty()) packed += separator;
      packed += body;
    }
  }
  return packed;
}

bool unpack_instruments(const Exchange& exchange, std::string_view packed, std::vector<Instrument>& instruments) {
  std::vector<Instrument> all;
  while (!packed.empty()) {
    const auto end = std::min(packed.find(separator), packed.size());
    auto page = exchange.parse_instruments(packed.substr(0, end));
    if (!page) return false;
    leave_out_odd_names(page->instruments);
    std::ranges::move(page->instruments, std::back_inserter(all));
    packed.remove_prefix(std::min(end + 1, packed.size()));
  }
  instruments = std::move(all);
  return !instruments.empty();
}

}  // namespace cvdd
