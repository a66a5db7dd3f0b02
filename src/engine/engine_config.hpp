// The configuration of ship and sink as values: text in, values or errors out. No file is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/config/config.hpp"

namespace cvdd::engine {

struct NatsConfig {
  std::vector<std::string> servers{"nats://127.0.0.1:4222"};  // "nats://HOST:PORT", "tls://HOST:PORT"
  std::string stream = "CVD";
  std::string user, password;            // a secret: never printed
  std::string credentials;               // file (JWT and seed)
  std::string ca_file;                   // PEM roots instead of the system's
  std::string certificate, key;          // files: of this client, where the server wants one
  bool create_stream = false;            // ship makes the stream if it is not there
  std::uint32_t replicas = 3;            // … with so many copies: 1, 3 or 5
  Duration max_age{7 * 86'400'000'000};  // … that keep a row so long
  Duration duplicates{3'600'000'000};    // … and know what was published for so long
};

struct EngineConfig {
  std::string data_dir = "/var/lib/cvdd";  // ship
  std::string collector;                   // "": this host's name
  Duration interval = seconds(60);         // of the bars, told in a header
  NatsConfig nats;
  std::string checkpoint = "/var/lib/cvdd-engine/ship.checkpoint";
  std::string ship_listen = "127.0.0.1:9481";  // metrics; "": none
  std::string sink_to = "sqlite:/var/lib/cvdd-engine/cvd.db";
  std::string sink_ca_file;  // ClickHouse
  std::string consumer = "sink";
  std::uint32_t workers = 1;
  std::string sink_listen = "127.0.0.1:9482";
  std::string log_level = "info";
};

// Every error found is appended to `errors`; none: the value is good. Paths are as written.
[[nodiscard]] EngineConfig parse_engine_config(std::string_view text, const std::string& file,
                                               std::vector<ConfigError>& errors);
// Relative paths become relative to the folder of `file`.
void resolve_engine_paths(EngineConfig& config, const std::string& file, const std::string& home);
// What must not get into a log.
[[nodiscard]] std::vector<std::string> secrets_in(const EngineConfig& config);

// Reads and checks; prints every error as "file:line: key: what is wrong". Empty if there is any.
[[nodiscard]] std::optional<EngineConfig> load_engine_config(const std::string& file);

}  // namespace cvdd::engine
