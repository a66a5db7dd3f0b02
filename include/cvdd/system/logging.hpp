// The log: standard error, or journald's priorities under systemd; written by a thread of its own, so that no slow
// terminal or pipe stops the daemon. Bounded: when 8,192 lines wait, the oldest are dropped, and a line says how many.
#pragma once

#include <spdlog/common.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cvdd {

// `secrets` never appear in a line. `write`: takes whole lines instead of standard error; on the logger's thread. Call
// once, before threads begin.
void start_logging(const std::string& level, std::vector<std::string> secrets = {},
                   std::function<void(std::string_view)> write = {});
void set_log_level(const std::string& level);
// Writes what waits, and ends the thread.
void stop_logging();

// A line that is never folded, however often it comes: what somebody who has just done something waits for.
void log_answer(spdlog::level::level_enum level, std::string_view line);

// For what is wrong before there is a log, or where a command only answers: one line to standard error at once,
// printable and with its priority where journald listens.
void print_error(std::string_view line);

// The password in a proxy address, as written and decoded: what must not be logged.
[[nodiscard]] std::vector<std::string> secrets_of(const std::string& proxy);

}  // namespace cvdd
