// Two real threads: these tests also run under the thread sanitizer.
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "catch.hpp"
#include "cvdd/pipeline/aggregator.hpp"
#include "cvdd/pipeline/channel.hpp"
#include "cvdd/pipeline/wakeup.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
Record trade(std::uint32_t instrument, std::uint64_t id, std::int64_t us) {
  static Instrument of;
  Instrument known = of;
  known.id = instrument;
  Trade t;
  t.instrument = &known;
  t.time = {us};
  t.id = id;
  t.aggressor = id % 3 == 0 ? Aggressor::seller : Aggressor::buyer;
  t.price = {100, 0};
  t.base = {1, 0};
  t.quote = {100, 0};
  return Record::from(t).value();
}
}  // namespace

TEST_CASE("what goes into a channel comes out whole and in order, however full it is") {
  Channel channel(64);
  Wakeup wakeup;
  constexpr std::uint64_t total = 200'000;
  std::thread producer([&] {
    for (std::uint64_t id = 0; id < total;) {
      const Record record = Record::mark(RecordKind::subscribed, 1, {static_cast<std::int64_t>(id)}, id);
      if (channel.push(std::span(&record, 1)) == 1) {
        ++id;
        wakeup.ring();
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::vector<Record> batch(32);
  std::uint64_t next = 0;
  bool in_order = true;
  while (next < total) {
    const std::size_t n = channel.pop(batch);
    for (std::size_t i = 0; i < n; ++i) in_order = in_order && batch[i].id() == next++;
    if (n == 0) {
      wakeup.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(1), [&] { return !channel.empty(); });
    }
  }
  producer.join();
  CHECK(in_order);
  CHECK(channel.empty());
}

TEST_CASE("a queue that is emptied now and then begins at its front again, and loses nothing by it") {
  Channel channel(1'024);
  std::atomic<bool> taking{true};
  constexpr std::uint64_t total = 300'000;
  std::thread producer([&] {
    std::vector<Record> batch;
    for (std::uint64_t id = 0; id < total;) {
      batch.clear();
      for (std::uint64_t n = id % 90; batch.size() <= n && id + batch.size() < total;) {
        batch.push_back(Record::mark(RecordKind::subscribed, 1, {1}, id + batch.size()));
      }
      for (std::span<const Record> left = batch; !left.empty();) {
        const std::size_t pushed = channel.push(left);
        left = left.subspan(pushed);
        if (pushed == 0) std::this_thread::yield();
      }
      id += batch.size();
      if (id % 5 == 0) std::this_thread::yield();
    }
    taking = false;
  });
  std::uint64_t next = 0;
  bool in_order = true;
  while (taking || !channel.empty()) {
    const auto some = channel.front(1'000);
    if (some.empty()) {
      std::this_thread::yield();
      continue;
    }
    for (const Record& record : some) in_order = in_order && record.id() == next++;
    channel.release(some.size());
  }
  producer.join();
  CHECK(in_order);
  CHECK(next == total);
}

TEST_CASE("everyday load stays in the first lines of a queue, and a burst uses all of it") {
  Channel channel(256);
  const auto push = [&](std::size_t n) {
    const std::vector<Record> records(n, Record::mark(RecordKind::subscribed, 1, {1}));
    return channel.push(records);
  };
  const auto take = [&] {
    const auto some = channel.front(1'000);
    channel.release(some.size());
    return some;
  };
  CHECK(push(1) == 1);
  const Record* const front = take().data();
  for (int i = 0; i < 1'000; ++i) {
    CHECK(push(20) == 20);
    CHECK(channel.waiting() == 20);
    const auto some = take();
    REQUIRE(some.size() == 20);
    REQUIRE(some.data() - front < 64 + 20);
    CHECK(channel.empty());
  }
  CHECK(push(1'000) == 256);
  CHECK(push(1) == 0);
  std::size_t taken = 0;
  while (!channel.empty()) taken += take().size();
  CHECK(taken == 256);
}

TEST_CASE("the aggregator counts every record of several channels once") {
  MemoryFiles files;
  CsvStore store(files, "/memory");
  const Remembered restored;
  constexpr std::int64_t minute = 60'000'000;
  std::atomic<std::int64_t> clock{1'000 * minute + 1};
  std::vector<Row> rows;  // written by the aggregator thread, read after it ended
  AggregatorOptions options;
  options.now = [&] { return Timestamp{clock.load()}; };
  options.on_rows = [&](std::span<const Row> written) { rows.insert(rows.end(), written.begin(), written.end()); };
  options.on_problem = [](const std::string& line) { FAIL(line); };
  options.on_note = options.on_problem;
  FileSyncer syncer(files, true);
  Aggregator aggregator(options, store, syncer, restored);
  Instrument instruments[2];
  std::shared_ptr<Channel> channels[2];
  for (std::uint32_t i = 0; i < 2; ++i) {
    instruments[i].exchange = "test";
    instruments[i].symbol = i == 0 ? "A" : "B";
    instruments[i].id = i;
    channels[i] = std::make_shared<Channel>(128);
  }
  aggregator.start();
  constexpr std::uint64_t total = 30'000;
  std::thread producer([&] {
    for (std::uint32_t i = 0; i < 2; ++i) {
      aggregator.add_instrument(instruments[i]);
      aggregator.add_channel(channels[i]);
      const Record begin = Record::mark(RecordKind::subscribed, i, {clock.load()});
      (void)channels[i]->push(std::span(&begin, 1));
    }
    for (std::uint64_t id = 1; id <= total; ++id) {
      for (std::uint32_t i = 0; i < 2; ++i) {
        const Record record = trade(i, id, 1'000 * minute + static_cast<std::int64_t>(id));
        while (channels[i]->push(std::span(&record, 1)) == 0) {
          aggregator.wakeup().ring();
          std::this_thread::yield();
        }
      }
      aggregator.wakeup().ring();
    }
  });
  producer.join();
  aggregator.stop();
  REQUIRE(rows.size() == 2);
  for (const Row& row : rows) {
    CHECK(row.status == BarStatus::partial);
    CHECK(row.sells == total / 3);
    CHECK(row.buys == total - total / 3);
    CHECK(row.delta_base == Decimal(static_cast<Int128>(total - 2 * (total / 3)), 0));
  }
}
