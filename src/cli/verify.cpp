// `cvdd verify`: anybody's files against the exchanges' own candles. Reads rows by the contract (docs/csv.md) alone,
// and writes nothing.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "commands.hpp"
#include "cvdd/feed/instrument_list.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/proof.hpp"
#include "cvdd/recovery/history_client.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/system/logging.hpp"
#include "load_config.hpp"
#include "verify_bars.hpp"

namespace cvdd {

namespace {
using Place = std::pair<std::string, Market>;

constexpr Duration day_length = seconds(86'400);
constexpr std::chrono::seconds list_timeout{60};
constexpr int nothing_verified = 3;  // the exit status of it

// The day files of a folder that hold rows of [from, to), by day, parts in order.
std::map<std::string, std::vector<std::string>> day_files(const VerifyCommand& command) {
  std::map<std::string, std::vector<std::string>> days;
  std::error_code error;
  std::vector<DayFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(command.data, error)) {
    if (const auto file = day_file_from(entry.path().filename().string())) files.push_back(*file);
  }
  if (error) throw std::runtime_error(command.data + ": can't be listed: " + error.message());
  std::sort(files.begin(), files.end());
  for (const DayFile& file : files) {
    const auto begin = parse_time(file.day + "T00:00:00Z");
    if (!begin || *begin + day_length <= command.from || *begin >= command.to) continue;
    days[file.day].push_back(command.data + "/" + name_of(file));
  }
  return days;
}

template <class Use>
void each_row(const std::vector<std::string>& files, const Use& use) {
  for (const std::string& path : files) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(path + ": can't be read");
    std::string line;
    while (std::getline(in, line)) {
      if (line.empty() || line.front() != '2') continue;
      if (const auto row = parse_row(line)) use(*row);
    }
  }
}

bool wanted(const Row& row, const VerifyCommand& command) {
  return row.time >= command.from && row.time < command.to &&
         (command.exchange.empty() || row.exchange == command.exchange);
}

// Of a day: its exchanges and markets, and the length of its bars, the smallest distance of two of one instrument.
std::set<Place> places_of(const std::vector<std::string>& files, const VerifyCommand& command, Duration& interval) {
  std::set<Place> places;
  std::map<InstrumentKey, Timestamp> before;
  each_row(files, [&](const Row& row) {
    if (!wanted(row, command)) return;
    places.insert({row.exchange, row.market});
    const auto [last, first] = before.try_emplace({row.exchange, row.market, row.symbol}, row.time);
    const Duration apart = row.time - last->second;
    if (!first && apart.us > 0 && (interval.us == 0 || apart < interval)) interval = apart;
    last->second = row.time;
  });
  return places;
}

std::map<std::string, Claims> claims_of(const std::vector<std::string>& files, const VerifyCommand& command,
                                        const Place& place) {
  std::map<std::string, Claims> out;
  each_row(files, [&](const Row& row) {
    if (!wanted(row, command) || Place{row.exchange, row.market} != place) return;
    Claims& claims = out[row.symbol];
    const auto [known, first] = claims.try_emplace(row.time, claim_of(row));
    if (!first && row.rev >= known->second.rev) known->second = claim_of(row);
  });
  return out;
}

class Verifier {
 public:
  Verifier(asio::any_io_executor executor, const VerifyCommand& command, const Config& config)
      : executor_(std::move(executor)),
        command_(command),
        config_(config),
        net_(make_net_context({config.ca_file, config.proxy})),
        clock_(make_system_clock(executor_)),
        time_(*clock_) {}

  asio::awaitable<int> run() {
    for (const auto& [day, files] : day_files(command_)) {
      Duration interval;
      const std::set<Place> places = places_of(files, command_, interval);
      for (const Place& place : places) co_await market(place, day, files, interval);
    }
    if (all_.bars == 0) {
      print_error(
          "cvdd verify: " + command_.data +
          ": no rows of what was asked for; give the daemon's data_dir as --data, and look at --exchange, --from "
          "and --to");
      co_return 2;
    }
    fmt::print("all: {}\n", text_of(all_));
    if (all_.proven + all_.contradicted == 0) {
      print_error("cvdd verify: no bar could be asked about: nothing is verified");
      co_return nothing_verified;
    }
    co_return all_.contradicted == 0 ? 0 : 1;
  }

 private:
  // What is kept of a market from day to day.
  struct Side {
    explicit Side(const Exchange& e)
        : exchange(e), intake(e, false), budget(std::max(1U, e.history_per_minute)), gate(1, seconds(1)) {}
    const Exchange& exchange;
    Intake intake;
    RequestBudget budget;
    ExchangeGate gate;
    std::vector<Instrument> listed;
    std::unique_ptr<HistoryClient> client;
  };

  asio::awaitable<Side*> side_of(const Place& place) {
    const auto known = sides_.find(place);
    if (known != sides_.end()) co_return known->second.get();
    const Exchange* exchange = find_exchange(place.first, place.second);
    if (exchange == nullptr) co_return nullptr;
    auto side = std::make_unique<Side>(*exchange);
    const auto configured = config_.exchanges.find(place);
    std::vector<std::string> hosts(exchange->rest_hosts.begin(), exchange->rest_hosts.end());
    if (configured != config_.exchanges.end() && !configured->second.rest.empty()) hosts = configured->second.rest;
    HistoryContext context;
    for (const std::string& host : hosts) {
      Url url;
      if (!parse_url(host, url)) continue;
      url.header = exchange->header;
      context.hosts.push_back(url);
    }
    context.clock = clock_.get();
    context.time = &time_;
    context.gate = &side->gate;
    context.budget = &side->budget;
    context.intake = &side->intake;
    context.make_http_get = [this] { return make_http_get(executor_, net_); };
    Side* const made = side.get();
    context.heed = [this, made](const HttpResponse& response, std::string&) {
      const Manners manners = manners_of(response.status, std::nullopt);
      if (manners.stay_away.us > 0) made->gate.stay_away(undated(*clock_) + manners.stay_away);
    };
    context.name = place.first + " " + std::string(name_of(place.second));
    co_await list(*side, context);
    side->client = std::make_unique<HistoryClient>(std::move(context));
    co_return sides_.emplace(place, std::move(side)).first->second.get();
  }

  // What the exchange lists now; else what the folder remembers of it.
  asio::awaitable<void> list(Side& side, const HistoryContext& context) {
    ListRequest request;
    request.exchange = &side.exchange;
    request.hosts = context.hosts;
    request.wanted = {"*"};
    request.make_http_get = context.make_http_get;
    request.deadline = [this] { return clock_->steady() + list_timeout; };
    const InstrumentList list = co_await fetch_instrument_list(request);
    side.listed = list.instruments();
    std::ifstream in(command_.data + "/instruments-" + std::string(side.exchange.name) + "-" +
                         std::string(name_of(side.exchange.market)) + ".json",
                     std::ios::binary);
    const std::string kept{std::istreambuf_iterator<char>(in), {}};
    std::vector<Instrument> before;
    if (!kept.empty()) (void)unpack_instruments(side.exchange, kept, before);
    for (Instrument& instrument : before) {  // those that are not listed any more
      if (std::ranges::find(side.listed, instrument.symbol, &Instrument::symbol) == side.listed.end()) {
        side.listed.push_back(std::move(instrument));
      }
    }
    if (const std::string error = list.error(); !error.empty()) {
      print_error(fmt::format("cvdd verify: {}: the list of instruments can't be had: {}", context.name, error));
    }
  }

  asio::awaitable<void> market(const Place& place, const std::string& day, const std::vector<std::string>& files,
                               Duration interval) {
    Side* const side = co_await side_of(place);
    for (const auto& [symbol, claims] : claims_of(files, command_, place)) {
      Tally tally;
      std::string why = side == nullptr ? "an exchange or market that cvdd does not know" : "";
      std::vector<std::string> lines;
      if (side != nullptr) why = co_await compare(*side, symbol, claims, interval, tally, lines);
      if (!why.empty()) {
        tally.bars = claims.size();
        tally[NotAskable::nobody] = tally.bars;
        why = ": " + why;
      }
      fmt::print("{} {} {} {}: {}{}\n", place.first, name_of(place.second), symbol, day, text_of(tally), why);
      for (const std::string& line : lines) fmt::print("  {}\n", line);
      all_.add(tally);
    }
  }

  // Why nobody could be asked; empty: somebody was.
  asio::awaitable<std::string> compare(Side& side, const std::string& symbol, const Claims& claims, Duration interval,
                                       Tally& tally, std::vector<std::string>& lines) {
    const auto instrument = std::ranges::find(side.listed, symbol, &Instrument::symbol);
    if (instrument == side.listed.end()) co_return "not listed any more";
    if (interval.us == 0) co_return "of one bar alone nobody knows how long it is";
    ProofRules rules;
    rules.interval = interval;
    rules.candle = candle_length(side.exchange, interval);
    if (rules.candle.us == 0) co_return "no candles of this length";
    const Timestamp from = bar_start(claims.begin()->first, rules.candle);
    const Timestamp to = bar_start(claims.rbegin()->first, rules.candle) + rules.candle;
    std::vector<Candle> candles;
    std::string error;
    if (!co_await side.client->candles(*instrument, from, to, candles, error, rules.candle)) co_return error;
    tally = compare_bars(claims, candles, rules, side.exchange.candle_facts(), lines);
    co_return "";
  }

  asio::any_io_executor executor_;
  const VerifyCommand& command_;
  const Config& config_;
  std::shared_ptr<NetContext> net_;
  std::unique_ptr<Clock> clock_;
  ExchangeTime time_;
  std::map<Place, std::unique_ptr<Side>> sides_;
  Tally all_;
};
}  // namespace

int verify_command(const VerifyCommand& command) {
  VerifyCommand asked = command;
  // Its hosts, proxy and certificates are of use even where the folder is given.
  const auto help = config_that_helps(command.config);
  if (!help) return 2;
  if (help->file.empty() && command.data.empty()) {
    print_error("cvdd verify: which folder? Give --data; " + no_config_found());
    return 2;
  }
  const Config& config = help->config;
  asked.data = expand_home(asked.data, home_folder());
  if (asked.data.empty()) asked.data = config.data_dir;
  if (!std::filesystem::is_directory(asked.data)) {
    print_error(fmt::format("cvdd verify: {}: no such folder; give the daemon's data_dir as --data", asked.data));
    return 2;
  }
  asio::io_context io(1);
  int status = 1;
  Verifier verifier(io.get_executor(), asked, config);
  asio::co_spawn(io, verifier.run(), [&](const std::exception_ptr& e, int result) {
    if (e) std::rethrow_exception(e);
    status = result;
  });
  try {
    io.run();
  } catch (const std::runtime_error& error) {
    print_error(fmt::format("cvdd verify: {}", error.what()));
    return 1;
  }
  return status;
}

}  // namespace cvdd
