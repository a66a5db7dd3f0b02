// The log's end on the machine's own clock: a standard error that is slow, and thousands of lines that wait for it.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "catch.hpp"
#include "cvdd/system/logging.hpp"

using namespace cvdd;

namespace {
// A standard error whose every write takes 5 ms.
struct SlowError {
  SlowError() {
    before = stderr;
    stderr = ::fopencookie(this, "w", {nullptr, &SlowError::write, nullptr, nullptr});
    ::setvbuf(stderr, nullptr, _IONBF, 0);
  }
  ~SlowError() { put_back(); }
  void put_back() {
    if (stderr == before) return;
    std::FILE* const ours = stderr;
    stderr = before;
    std::fclose(ours);
  }
  static ssize_t write(void* cookie, const char* text, std::size_t size) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    static_cast<SlowError*>(cookie)->text.append(text, size);
    return static_cast<ssize_t>(size);
  }
  std::FILE* before;
  std::string text;
};
}  // namespace

TEST_CASE("the log ends within seconds with 8,192 lines waiting and a slow standard error, and none is lost") {
  SlowError slow;
  start_logging("info", {"s3cret-value"});
  for (int i = 0; i < 8'192; ++i) spdlog::info("line n={} {}", i, i == 7 ? "x\n<0>\x1b[2J s3cret-value" : "");
  const auto begin = std::chrono::steady_clock::now();
  stop_logging();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  slow.put_back();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stdout_sink_mt>()));
  CHECK(std::count(slow.text.begin(), slow.text.end(), '\n') == 8'192);
  CHECK(slow.text.find("line n=8191") != std::string::npos);
  CHECK(slow.text.find("line n=7 x <0> [2J ***\n") != std::string::npos);
}
