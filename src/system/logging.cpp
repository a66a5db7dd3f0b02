#include "cvdd/system/logging.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "cvdd/base/log_folder.hpp"
#include "cvdd/base/printable.hpp"

namespace cvdd {

namespace {
constexpr std::string_view answers = "answers";  // the name of the logger whose lines are not folded
constexpr std::size_t lines_waiting_max = 8'192, line_max = 8'192, written_at_once = std::size_t{64} << 10;

// journald takes the level from the front of a line (sd-daemon(3)).
int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return 2;
    case spdlog::level::err:
      return 3;
    case spdlog::level::warn:
      return 4;
    case spdlog::level::info:
      return 6;
    default:
      return 7;
  }
}

// "device:inode" of the journal's socket, by which a program knows whether its standard error still is it.
bool speaks_to_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // `pool`: whose thread alone writes here, and which outlives it. Asking spdlog for it would wait for a lock that
  // spdlog::shutdown holds while it waits for that thread.
  Sink(bool journal, std::vector<std::string> secrets, spdlog::details::thread_pool* pool,
       std::function<void(std::string_view)> write)
      : journal_(journal), secrets_(std::move(secrets)), pool_(pool), write_(std::move(write)) {}
  ~Sink() override { write_out(); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // Whoever wrote a part of it: what is not a line's is not let through. Secrets first, or a cut one would pass.
    const std::string line = printable(without({message.payload.data(), message.payload.size()}, secrets_), line_max);
    const Timestamp now{std::chrono::duration_cast<std::chrono::microseconds>(message.time.time_since_epoch()).count()};
    // Lines of level info are changes of state: each of them is news, as is what somebody waits for.
    const std::string_view from{message.logger_name.data(), message.logger_name.size()};
    if (message.level >= spdlog::level::warn && from != answers && !folder_.print(line, now)) return;
    write(message.level, message.time, line);
    if (text_.size() >= written_at_once) write_out();
  }

  // After each line; where standard error is slow, many of them are written at once.
  void flush_() override {
    if (pool_->queue_size() > 0) return;
    const auto time = std::chrono::system_clock::now();
    const Timestamp now{std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()};
    for (const std::string& line : folder_.summaries(now)) write(spdlog::level::warn, time, line);
    const std::size_t lost = pool_->overrun_counter();
    if (lost > lost_) write(spdlog::level::warn, time, fmt::format("log lines were lost count={}", lost - lost_));
    lost_ = lost;
    write_out();
  }

 private:
  void write_out() {
    if (write_ && !text_.empty()) {
      write_(text_);
    } else {
      (void)std::fwrite(text_.data(), 1, text_.size(), stderr);
      (void)std::fflush(stderr);
    }
    text_.clear();
  }

  void write(spdlog::level::level_enum level, std::chrono::system_clock::time_point time, const std::string& line) {
    if (journal_) {
      text_ += fmt::format("<{}>{}\n", priority_of(level), line);
    } else {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
      const std::time_t seconds = static_cast<std::time_t>(ms / 1'000);
      std::tm parts{};
      ::gmtime_r(&seconds, &parts);
      char stamp[32];
      (void)std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
      const auto name = spdlog::level::to_string_view(level);
      text_ += fmt::format("{}.{:03}Z {:7} {}\n", stamp, ms % 1'000, std::string_view(name.data(), name.size()), line);
    }
  }

  const bool journal_;
  const std::vector<std::string> secrets_;
  spdlog::details::thread_pool* const pool_;
  const std::function<void(std::string_view)> write_;
  LogFolder folder_;
  std::string text_;  // of lines that are not written yet
  std::size_t lost_ = 0;
};

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}
}  // namespace

void start_logging(const std::string& level, std::vector<std::string> secrets,
                   std::function<void(std::string_view)> write) {
  spdlog::init_thread_pool(lines_waiting_max, 1);
  auto sink =
      std::make_shared<Sink>(speaks_to_journal(), std::move(secrets), spdlog::thread_pool().get(), std::move(write));
  auto logger = std::make_shared<spdlog::async_logger>("cvdd", std::move(sink), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
  spdlog::flush_every(std::chrono::seconds(10));
}

void set_log_level(const std::string& level) { spdlog::set_level(spdlog::level::from_str(level)); }

void stop_logging() { spdlog::shutdown(); }

void log_answer(spdlog::level::level_enum level, std::string_view line) {
  spdlog::default_logger()->clone(std::string(answers))->log(level, "{}", line);
}

void print_error(std::string_view line) {
  std::fflush(stdout);  // what was said before stands before it, and no line within another
  fmt::print(stderr, "{}{}\n", speaks_to_journal() ? "<3>" : "", printable(line, 2'000));
}

std::vector<std::string> secrets_of(const std::string& proxy) {
  const auto at = proxy.rfind('@');
  const auto scheme = proxy.find("://");
  if (at == std::string::npos || scheme == std::string::npos) return {};
  const std::string credentials = proxy.substr(scheme + 3, at - scheme - 3);
  const auto colon = credentials.find(':');
  if (colon == std::string::npos) return {};
  const std::string password = credentials.substr(colon + 1);
  return {password, decoded(password)};
}

}  // namespace cvdd
