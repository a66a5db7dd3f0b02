// cvdd-engine load: the loader, told on the terminal.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "cvdd/base/backoff.hpp"
#include "cvdd/engine/commands.hpp"
#include "cvdd/system/logging.hpp"
#include "loader.hpp"
#include "stop.hpp"

namespace cvdd::engine {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto poll = std::chrono::milliseconds(200);
constexpr std::size_t connections = 2;  // to a database that takes rows by several: reading keeps up with two

// One line that is written over again, on a terminal only.
class ProgressBar {
 public:
  ProgressBar(const Loader& loader, std::uint64_t bytes) : loader_(loader), bytes_(bytes) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show() {
    const auto now = Clock::now();
    if (!terminal_ || now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    const LoadCounts& counts = loader_.counts();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_).count();
    const std::uint64_t percent = bytes_ == 0 ? 100 : std::min<std::uint64_t>(100, counts.bytes * 100 / bytes_);
    const std::string bar(percent * 30 / 100, '=');
    fmt::print(stderr, "\r[{:30}] {:3} %  {} rows, {} rows/s\x1b[K", bar, percent, counts.rows,
               ms > 0 ? counts.rows * 1'000 / static_cast<std::uint64_t>(ms) : 0);
    std::fflush(stderr);
    drawn_ = true;
  }
  void clear() {
    if (!drawn_) return;
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    drawn_ = false;
  }

 private:
  const Loader& loader_;
  std::uint64_t bytes_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1, drawn_ = false;
  Clock::time_point begun_ = Clock::now(), shown_{};
};

void sum_up(const LoadCounts& counts, const StoreUrl& url, Clock::time_point begun) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count();
  fmt::print("{} rows of {} files to {} in {}.{:03} s{}{}\n", counts.rows, counts.files, url.shown, ms / 1'000,
             ms % 1'000, counts.rejected > 0 ? fmt::format(", {} rejected", counts.rejected) : "",
             counts.broken_files > 0 ? fmt::format(", {} files could not be read", counts.broken_files) : "");
}

// Until stopped. What is temporary is waited for.
int follow(Loader& loader) {
  Backoff backoff(seconds(1), seconds(30), 1);
  while (!stop_flag()) {
    try {
      loader.pass(stop_flag());
      backoff.reset();
      wait_or_stop(poll);
    } catch (const StoreError& error) {
      // Also what only somebody's hand mends: a password that was changed is changed back by a hand, too.
      spdlog::error("{}", error.what());
      wait_or_stop(std::chrono::milliseconds(backoff.next().us / 1'000));
    } catch (const std::runtime_error& error) {
      spdlog::error("{}", error.what());
      wait_or_stop(std::chrono::milliseconds(backoff.next().us / 1'000));
    }
  }
  return 0;
}
}  // namespace

int load_command(const LoadCommand& command) {
  const auto begun = Clock::now();
  StoreUrl url;
  Loader::Settings settings;
  try {
    url = parse_store_url(command.to);
    settings = {.directory = command.data, .collector = collector_name(command.collector)};
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "cvdd-engine load: {}\n", error.what());
    return 2;
  }
  start_logging("info", url.secrets);
  try {
    const auto store = make_store(url, {.durable = false, .connections = connections, .ca_file = command.ca_file});
    Loader loader(*store, settings);
    ProgressBar bar(loader, loader.bytes_to_do());
    loader.complain = [&](const std::string& what) {
      bar.clear();
      spdlog::warn("{}", what);
    };
    loader.progress = [&] { bar.show(); };
    if (!command.follow) {
      loader.pass(stop_flag());
      bar.clear();
      sum_up(loader.counts(), url, begun);
      return loader.counts().broken_files > 0 || stop_flag() ? 1 : 0;
    }
    spdlog::info("following {} into {} as collector={}", command.data, url.shown, settings.collector);
    const int status = follow(loader);
    sum_up(loader.counts(), url, begun);
    return status;
  } catch (const StoreError& error) {
    spdlog::error("{}", error.what());
    return error.kind == StoreError::Kind::permanent ? 2 : 1;
  } catch (const std::runtime_error& error) {
    spdlog::error("{}", error.what());
    return 2;
  }
}

}  // namespace cvdd::engine
