// SIGTERM and SIGINT: the flag that ends every loop of the engine, and waits that it ends.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

namespace cvdd::engine {

// Set by SIGTERM and SIGINT after the first call. Any thread.
[[nodiscard]] std::atomic<bool>& stop_flag();
// Returns after `time`, or within 50 ms after the flag was set.
void wait_or_stop(std::chrono::milliseconds time);

// Up to 100 letters, digits, "-", "_" and ".": what a subject, a database and a log can hold.
[[nodiscard]] bool is_collector_name(std::string_view name);

// `given`, or the name of this host, by which its rows are known in the store. Throws std::invalid_argument if it is no
// name that a subject and a database can hold.
[[nodiscard]] std::string collector_name(const std::string& given);

}  // namespace cvdd::engine
