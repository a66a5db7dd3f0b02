#include "cvdd/storage/file_syncer.hpp"

#include <chrono>
#include <utility>

namespace cvdd {

FileSyncer::FileSyncer(FileSink& files, bool threaded) : files_(files), threaded_(threaded) {
  if (threaded_) thread_ = std::thread([this] { run(); });
}

FileSyncer::~FileSyncer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FileSyncer::request(std::vector<CsvStore::SyncRequest> requests) {
  if (requests.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (CsvStore::SyncRequest& r : requests) waiting_[std::move(r.path)] = r.upto;
  }
  more_.notify_one();
}

std::vector<CsvStore::SyncRequest> FileSyncer::results() {
  const std::lock_guard lock(mutex_);
  if (!threaded_) {
    for (const auto& [path, upto] : std::exchange(waiting_, {})) done_.push_back({path, upto, files_.sync(path)});
  }
  return std::exchange(done_, {});
}

void FileSyncer::wait() {
  if (!threaded_) return;
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return waiting_.empty() && !busy_; });
}

int FileSyncer::sync(const std::string& path) {
  using namespace std::chrono;
  const auto begin = steady_clock::now();
  const int error = files_.sync(path);
  const auto took = static_cast<std::uint64_t>(duration_cast<microseconds>(steady_clock::now() - begin).count());
  time_.add({static_cast<std::int64_t>(took)});
  if (took > slowest_us_.load(std::memory_order_relaxed)) slowest_us_.store(took, std::memory_order_relaxed);
  return error;
}

void FileSyncer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto [path, upto] = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    busy_ = true;
    lock.unlock();
    const int error = sync(path);
    lock.lock();
    busy_ = false;
    done_.push_back({path, upto, error});
    if (waiting_.empty()) idle_.notify_all();
  }
}

}  // namespace cvdd
