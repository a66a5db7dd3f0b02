// Writes down what connections said and what the daemon made of it, as recordings (docs/capture.md). Whoever has
// something to tell leaves a copy in one bounded buffer, in order; a thread of its own makes it lines and files.
// Collecting never waits for it: a buffer that is full, or a disk that takes no more, ends the capture, with one line.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/storage/capture_notes.hpp"
#include "cvdd/storage/file_sink.hpp"

namespace cvdd {

struct CaptureSettings {
  std::string dir;
  std::vector<std::string> exchanges;                // empty: all
  Duration rotate = seconds(3'600);                  // a new file this often, at whole multiples of it
  Duration keep = seconds(7 * 86'400);               // older files are deleted
  std::uint64_t max_size = std::uint64_t{20} << 30;  // bytes of all files; the oldest are deleted
};

class CaptureWriter;

class Capture {
 public:
  struct Surroundings {
    FileSink* files = nullptr;
    std::function<Timestamp()> now;                      // the machine's clock; any thread
    std::function<void(const std::string&)> on_problem;  // one line that an operator should read; any thread
    bool threaded = true;                                // false: it is written by whoever tells something
  };
  // Throws std::runtime_error if the directory can't be had, or this cvdd was built without libzstd.
  Capture(CaptureSettings settings, Surroundings around);
  // Writes what waits.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Whether what this exchange says is captured. Any thread, as all below.
  [[nodiscard]] bool wants(std::string_view exchange) const;
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }  // written to files

  // A connection that is about to be made; its number is given here.
  [[nodiscard]] std::uint32_t connection(ConnectionNote note);
  void opened(std::uint32_t connection);
  void closed(std::uint32_t connection);
  // What was read at once, before anybody makes something of it.
  void received(std::uint32_t connection, std::span<const std::string_view> messages);
  void sent(std::uint32_t connection, std::string_view message);
  void note(std::uint32_t connection, const StatusNote& status);

  // What the ledger is told, in its order. Of instruments that are not captured nothing is kept.
  void begin(RunNote note);
  void instrument(const Instrument& instrument);
  void added(const AddedNote& note);
  void buckets(const BucketsNote& note);
  void candles(const CandlesNote& note);
  void records(std::span<const Record> records);
  void closed_bars(Timestamp upto);
  void finished(Timestamp whole_until, Timestamp now);

  // What waits to be written, at most. Ten seconds of the busiest load known.
  static constexpr std::size_t buffer_max = std::size_t{128} << 20;

 private:
  void put(std::uint8_t kind, std::uint32_t connection, std::string_view bytes);  // with the mutex
  void note(std::uint32_t connection, std::string_view text);
  void note_of(std::uint32_t instrument, std::string_view text);
  [[nodiscard]] bool captured(std::uint32_t instrument) const;  // with the mutex
  void give_up(const std::string& why);
  void run();
  void write_what_waits();
  void hand_over(std::unique_lock<std::mutex> lock);

  CaptureSettings settings_;
  Surroundings around_;
  std::unique_ptr<CaptureWriter> writer_;
  std::atomic<bool> running_{true};
  std::atomic<std::uint64_t> bytes_{0};
  std::mutex mutex_;
  std::condition_variable more_;
  std::string buffer_, taken_;  // taken_: what is being written; of the writing thread
  std::uint32_t connections_ = 0;
  std::vector<bool> captured_;  // by Instrument::id
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cvdd
