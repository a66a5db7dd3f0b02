// What a run knows of contract sizes when it begins, from what the run before had kept.
#include "catch.hpp"
#include "daemon/unit_history.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
UnitHistory kept_in(MemoryFiles& files) {
  UnitHistory history(files, "units.txt");
  history.load();
  return history;
}
}  // namespace

TEST_CASE("unit history: the next run knows when sizes changed, and when the list was read") {
  MemoryFiles files;
  UnitHistory first(files, "units.txt");
  first.changed("BTC-USDT-SWAP", {5'000'000});
  first.listed({7'000'000});
  first.save();
  const UnitHistory next = kept_in(files);
  CHECK(next.changed_by("BTC-USDT-SWAP") == Timestamp{5'000'000});
  CHECK(next.changed_by("ETH-USDT-SWAP").us == 0);
  CHECK(next.listed_before_at() == Timestamp{7'000'000});
  CHECK(next.doubted_from("BTC-USDT-SWAP").us == 0);
}

TEST_CASE("unit history: what rows have not said yet outlives the process, however often it ends") {
  MemoryFiles files;
  UnitHistory first(files, "units.txt");
  first.changed("BTC-USDT-SWAP", {5'000'000});
  first.doubt("BTC-USDT-SWAP", {3'000'000});
  first.save();
  UnitHistory second = kept_in(files);
  CHECK(second.doubted_from("BTC-USDT-SWAP") == Timestamp{3'000'000});
  CHECK(second.changed_by("BTC-USDT-SWAP") == Timestamp{5'000'000});
  second.doubt("BTC-USDT-SWAP", {4'000'000});  // of less than before: all of it stays in doubt
  second.save();
  UnitHistory third = kept_in(files);
  CHECK(third.doubted_from("BTC-USDT-SWAP") == Timestamp{3'000'000});
  third.told("BTC-USDT-SWAP");
  third.save();
  CHECK(kept_in(files).doubted_from("BTC-USDT-SWAP").us == 0);
}
