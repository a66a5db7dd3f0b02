// cvdd.toml and symbols.toml as values: parse, validate, explain. Text in, values or errors out; no file is opened.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/market_data.hpp"
#include "cvdd/base/types.hpp"
#include "cvdd/config/shard.hpp"

namespace cvdd {

// Which closed bars are compared with the exchange's candles (configuration key `audit`).
enum class AuditMode : std::uint8_t { off, sample, all };

// One mistake in a configuration, printed "file:line: key: what is wrong, what is expected (column N)".
struct ConfigError {
  std::string file;
  std::uint32_t line = 0;  // 1-based; 0: the file as a whole
  std::string key;         // dotted: "exchange.binance.spot.ws"
  std::string message;
  std::uint32_t column = 0;  // 1-based; 0: not known
};
[[nodiscard]] std::string to_string(const ConfigError& error);

// [exchange.NAME.MARKET]; empty lists mean the exchange's own hosts.
struct ExchangeConfig {
  std::vector<std::string> ws;                   // "wss://host[:port][/prefix]"
  std::vector<std::string> rest;                 // "https://host[:port][/prefix]"
  std::string stream;                            // "aggTrade" (default, "") or "trade"
  std::uint32_t history_per_minute = 0;          // history requests, at most; 0: about half of what the exchange allows
  std::uint32_t redundancy = 1;                  // connections that carry each instrument: 1 or 2
  std::uint32_t instruments_per_connection = 0;  // 0: as many as the exchange allows; more than that is that
  std::optional<std::vector<Decimal>> size_buckets;  // empty: as for all
  friend bool operator==(const ExchangeConfig&, const ExchangeConfig&) = default;
};

// [capture]: what exchanges say, as recordings (docs/capture.md).
struct CaptureConfig {
  std::string dir;                                   // "": off; made absolute as data_dir is
  std::vector<std::string> exchanges;                // empty: all
  Duration rotate = seconds(3'600);                  // 1m … 1d, a whole part of a UTC day
  Duration keep = seconds(7 * 86'400);               // of a file, from its beginning
  std::uint64_t max_size = std::uint64_t{20} << 30;  // bytes of all files
  friend bool operator==(const CaptureConfig&, const CaptureConfig&) = default;
};

struct Config {
  std::string data_dir = "data";  // made absolute against the file's folder by resolve_paths
  std::string symbols_file = "symbols.toml";
  Duration interval = seconds(60);  // 1s … 1d, divides a UTC day
  Duration close_delay = seconds(2);
  bool exchange_clock = false;           // clock = "exchange"
  bool repair = true;                    // fetch what was missed from the exchanges' history
  AuditMode audit = AuditMode::all;      // closed bars against the exchanges' own candles
  Duration proof_within = seconds(900);  // every bar has its final proof by then, where the exchange answers
  std::uint32_t proof_share = 40;        // of the history budget, in per cent: what proofs alone may take of it
  std::vector<Decimal> size_buckets;     // where buckets of trade sizes begin, in quote units, ascending; none: no flow
  bool sync = true;                      // sync = "bar": fdatasync after every bar; "off": the kernel decides
  std::string http_listen = "127.0.0.1:9480";
  std::vector<std::string> http_hosts;   // names by which the server is reached, beside addresses and localhost
  std::string http_token;                // "": whoever reaches the address may read
  bool http_required = false;            // without its address the daemon does not start
  bool instrument_metrics = false;       // /metrics tells of each instrument too
  std::string log_level = "info";        // trace debug info warn error
  Duration renew_after;                  // age at which connections are renewed; 0: before the exchange's limit
  std::optional<Duration> renew_at;      // since midnight UTC: they are renewed then, if the exchange's limit allows
  Duration coalesce = milliseconds(50);  // how long a connection may wait for more before it is read
  std::string ca_file;
  std::string proxy;
  CaptureConfig capture;
  Shard shard;  // which part of the symbol list is collected here
  std::map<std::pair<std::string, Market>, ExchangeConfig> exchanges;
  std::map<std::string, std::uint32_t> lines;  // dotted key → where it stands in the file; no line: not given
};

// [group.NAME] of the symbol list: instruments whose CVDs are summed where they are shown. It collects none.
struct MemberPattern {
  std::string exchange, market, symbol;  // with the wildcards * and ?; the symbol upper-cased
  friend bool operator==(const MemberPattern&, const MemberPattern&) = default;
};
struct GroupWanted {
  std::string name;
  std::vector<MemberPattern> members;
  friend bool operator==(const GroupWanted&, const GroupWanted&) = default;
};
[[nodiscard]] bool is_member(const GroupWanted& group, std::string_view exchange, Market market,
                             std::string_view symbol);

// What the symbol list wants: exchange and market → names as written, upper-cased, duplicates cut, order kept.
// Names may hold the wildcards * and ?.
struct SymbolList {
  std::map<std::pair<std::string, Market>, std::vector<std::string>> wanted;
  std::map<std::pair<std::string, Market>, std::vector<std::uint32_t>> lines;  // of each name of `wanted`, in its order
  std::vector<GroupWanted> groups;                                             // in the order of their names
  std::map<std::string, Duration> history;   // exchange → how far back the CVD of a new instrument begins
  std::map<std::string, DataKinds> context;  // exchange → what is kept beside the trades
};

// `known` answers whether exchange and market exist, so that this room names no exchange.
struct KnownMarkets {
  std::vector<std::pair<std::string, Market>> markets;
  std::vector<std::string> with_candles = {};                        // exchanges whose candles tell the takers' volume
  std::map<std::pair<std::string, Market>, DataKinds> context = {};  // what they publish beside trades
};

// Reads a configuration; every error found is appended to `errors` (none: the value is good).
[[nodiscard]] Config parse_config(std::string_view text, const std::string& file, const KnownMarkets& known,
                                  std::vector<ConfigError>& errors);
// A list without a name is an error, unless it says `empty = true`.
[[nodiscard]] SymbolList parse_symbols(std::string_view text, const std::string& file, const KnownMarkets& known,
                                       std::vector<ConfigError>& errors);

// "~" and "~/x" within the home folder; anything else, and everything without a home, as it is.
[[nodiscard]] std::string expand_home(const std::string& path, const std::string& home);

// Makes data_dir, symbols_file and ca_file absolute: "~" by `home`, the rest against the folder of `config_file`.
void resolve_paths(Config& config, const std::string& config_file, const std::string& home);

// Where a configuration is looked for that is not named, in this order.
[[nodiscard]] std::vector<std::string> config_places(const std::string& home);

// "250ms", "2s", "1m", "24h", "1d" → duration; empty if it is none.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

// "64MiB", "20GiB" → bytes; empty if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// "04:30" → time since midnight; empty if it is none.
[[nodiscard]] std::optional<Duration> parse_time_of_day(std::string_view text);

// Expands wildcards and finds names in what the exchange lists (`listed`, only those trading match a wildcard). Of
// these only the shard's own are found. Unknown names come back with up to three near matches each.
inline constexpr const char* not_listed = "not listed";
struct UnknownSymbol {
  std::string symbol;
  std::string reason;  // not_listed, "listed, but not trading", "matches nothing"
  std::vector<std::string> near;
};
struct Selection {
  std::vector<Instrument> found;  // each once; ids not yet given
  std::vector<UnknownSymbol> unknown;
};
[[nodiscard]] Selection select_instruments(const std::vector<std::string>& wanted,
                                           const std::vector<Instrument>& listed, const Shard& shard = {});

// From the instruments collected now (`active`, symbols) to those wanted: differences only. One that is still wanted
// and listed goes on while it is halted; one that the exchange no longer lists ends.
struct InstrumentChanges {
  std::vector<Instrument> begin;
  std::vector<std::string> end;  // symbols
};
[[nodiscard]] InstrumentChanges plan_changes(const Selection& selection, const std::vector<std::string>& wanted,
                                             const std::vector<Instrument>& listed,
                                             const std::vector<std::string>& active);

// The keys whose change takes a restart: "interval", "data_dir" … Only [log] level takes effect at once, beside the
// symbol list.
[[nodiscard]] std::vector<std::string> changes_that_need_a_restart(const Config& running, const Config& saved);

// Up to `most` of `candidates` that are nearest to `name` (edit distance), nearest first.
[[nodiscard]] std::vector<std::string> near_matches(std::string_view name, const std::vector<std::string>& candidates,
                                                    std::size_t most);

}  // namespace cvdd
