// What two runs captured, cut and repaired again and again on threads and sockets, gives their rows again.
#include <fmt/format.h>

#include "catch.hpp"
#include "cvdd/daemon/replay.hpp"
#include "cvdd/storage/capture.hpp"
#include "running.hpp"

using namespace cvdd;
using namespace cvdd::test;

#if CVDD_WITH_ZSTD
namespace {
std::map<std::string, std::string> day_files(const std::string& folder) {
  std::map<std::string, std::string> texts;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("cvd-") || entry.is_symlink()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    texts[name] = {std::istreambuf_iterator<char>(in), {}};
  }
  return texts;
}
}  // namespace

TEST_CASE("a capture of cuts, repairs and a restart, replayed, gives the daemon's bytes", "[capture]") {
  const Folder folder;
  constexpr std::size_t count = 51;
  Exchanges exchanges(sim::make_instruments_everywhere(count, 600));
  std::size_t repaired = 0, revisions = 0;
  for (int run = 0; run < 2; ++run) {
    Running daemon(exchanges, folder, seconds(1), [&](DaemonOptions& o) {
      o.config.capture.dir = folder / "capture";
      for (auto& [where, settings] : o.config.exchanges) {
        settings.history_per_minute = 3'000;
        settings.redundancy = where.second == Market::spot ? 2 : 1;
      }
    });
    REQUIRE(daemon.until([](const Row& row) { return row.status == BarStatus::live; }));
    for (std::uint64_t cuts = 0; cuts < 8; ++cuts) {
      exchanges.trouble(cuts % 2 == 0 ? sim::LineFault::reset : sim::LineFault::swallow, cuts * 7);
      const Timestamp now = daemon.newest();
      REQUIRE(daemon.until([&](const Row& row) { return row.time > now + seconds(1); }));
    }
    const Timestamp now = daemon.newest();
    REQUIRE(daemon.until([&](const Row& row) { return row.time > now + seconds(5); }));
    CHECK(daemon.stop() == 0);
    CHECK(daemon.daemon().engine().capture()->running());
    for (const Row& row : daemon.rows()) {
      repaired += row.status == BarStatus::repaired ? 1U : 0U;
      revisions += row.rev > 0 ? 1U : 0U;
    }
  }
  exchanges.stop();
  ReplayOptions options;
  options.out_dir = folder / "replayed";
  for (const auto& entry : fs::directory_iterator(folder / "capture")) options.recordings.push_back(entry.path());
  CHECK(options.recordings.size() >= 2);
  const ReplaySummary summary = replay(options);
  fmt::print("capture: {} repaired rows, {} revisions; {}\n", repaired, revisions, summary_line(summary));
  CHECK(repaired > 0);
  CHECK(revisions > 0);
  CHECK((summary.torn == 0 && summary.broken_lines == 0 && summary.without_beginning == 0));
  const auto written = day_files(folder / "data"), replayed = day_files(folder / "replayed");
  REQUIRE_FALSE(written.empty());
  CHECK(written == replayed);
}
#endif
