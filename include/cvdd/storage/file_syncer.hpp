// Syncs files away from the threads that must not wait for a disk. One thread of its own, or none (simulation): then
// it happens when the results are asked for. Requests of one file are merged, so nothing here can grow.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "cvdd/base/latency.hpp"
#include "cvdd/storage/csv_store.hpp"

namespace cvdd {

class FileSyncer {
 public:
  FileSyncer(FileSink& files, bool threaded);
  // Waits for the sync that is going on, and makes those that were asked for.
  ~FileSyncer();
  FileSyncer(const FileSyncer&) = delete;
  FileSyncer& operator=(const FileSyncer&) = delete;

  // The two calls belong to one thread.
  void request(std::vector<CsvStore::SyncRequest> requests);
  [[nodiscard]] std::vector<CsvStore::SyncRequest> results();
  // Returns when everything asked for is done; the results are still to be fetched.
  void wait();
  // Any thread: the longest sync so far, microseconds.
  [[nodiscard]] const Latency& time() const { return time_; }
  [[nodiscard]] std::uint64_t slowest_us() const { return slowest_us_.load(std::memory_order_relaxed); }

 private:
  void run();
  [[nodiscard]] int sync(const std::string& path);

  FileSink& files_;
  const bool threaded_;
  std::mutex mutex_;
  std::condition_variable more_, idle_;
  std::map<std::string, std::uint64_t> waiting_;  // path → length to confirm
  std::vector<CsvStore::SyncRequest> done_;
  bool busy_ = false, stopping_ = false;
  std::atomic<std::uint64_t> slowest_us_{0};
  Latency time_;
  std::thread thread_;
};

}  // namespace cvdd
