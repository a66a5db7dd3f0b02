#include "cvdd/storage/capture.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "capture_entry.hpp"
#include "capture_writer.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::milliseconds write_every{50};
constexpr std::size_t write_at = std::size_t{4} << 20;  // sooner than that
}  // namespace

Capture::Capture(CaptureSettings settings, Surroundings around)
    : settings_(std::move(settings)),
      around_(std::move(around)),
      writer_(std::make_unique<CaptureWriter>(settings_, *around_.files)) {
  buffer_.reserve(write_at);
  taken_.reserve(write_at);
  if (around_.threaded) thread_ = std::thread([this] { run(); });
}

Capture::~Capture() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  if (thread_.joinable()) thread_.join();
  write_what_waits();
  if (!running()) return;
  if (const int error = writer_->finish(); error != 0) give_up(std::strerror(error));
}

bool Capture::wants(std::string_view exchange) const {
  const auto& names = settings_.exchanges;
  return names.empty() || std::find(names.begin(), names.end(), exchange) != names.end();
}

void Capture::give_up(const std::string& why) {
  if (!running_.exchange(false)) return;
  around_.on_problem("the capture has stopped until the next start, rows go on dir=" + settings_.dir + " reason=\"" +
                     why + "\"");
}

// ------------------------------------------------------------------ whoever has something to tell

void Capture::put(std::uint8_t kind, std::uint32_t connection, std::string_view bytes) {
  if (buffer_.size() + bytes.size() > buffer_max) return give_up("it could not be written as fast as it came");
  append_entry(buffer_, {around_.now(), bytes.size(), connection, static_cast<CaptureEntryKind>(kind)}, bytes);
}

void Capture::hand_over(std::unique_lock<std::mutex> lock) {
  const bool soon = buffer_.size() >= write_at;
  lock.unlock();
  if (!soon) return;
  if (around_.threaded) return more_.notify_one();
  write_what_waits();
}

std::uint32_t Capture::connection(ConnectionNote text) {
  std::unique_lock lock(mutex_);
  text.connection = ++connections_;
  const std::uint32_t number = connections_;
  if (!running()) return number;
  put(static_cast<std::uint8_t>(CaptureEntryKind::note), 0, to_text(text));
  hand_over(std::move(lock));
  return number;
}

void Capture::opened(std::uint32_t connection) {
  if (!running()) return;
  std::unique_lock lock(mutex_);
  put(static_cast<std::uint8_t>(CaptureEntryKind::open), connection, {});
  hand_over(std::move(lock));
}

void Capture::closed(std::uint32_t connection) {
  if (!running()) return;
  std::unique_lock lock(mutex_);
  put(static_cast<std::uint8_t>(CaptureEntryKind::close), connection, {});
  hand_over(std::move(lock));
}

void Capture::received(std::uint32_t connection, std::span<const std::string_view> messages) {
  if (!running()) return;
  // One look at the clock, and one at the buffer: what was read at once was received at once.
  std::size_t size = 0;
  for (const std::string_view message : messages) size += message.size() + sizeof(CaptureEntryHead);
  CaptureEntryHead head{around_.now(), 0, connection, CaptureEntryKind::in};
  std::unique_lock lock(mutex_);
  if (buffer_.size() + size > buffer_max) return give_up("it could not be written as fast as it came");
  for (const std::string_view message : messages) {
    head.size = message.size();
    append_entry(buffer_, head, message);
  }
  hand_over(std::move(lock));
}

void Capture::sent(std::uint32_t connection, std::string_view message) {
  if (!running()) return;
  std::unique_lock lock(mutex_);
  put(static_cast<std::uint8_t>(CaptureEntryKind::out), connection, message);
  hand_over(std::move(lock));
}

void Capture::note(std::uint32_t connection, std::string_view text) {
  if (!running()) return;
  std::unique_lock lock(mutex_);
  put(static_cast<std::uint8_t>(CaptureEntryKind::note), connection, text);
  hand_over(std::move(lock));
}

void Capture::note(std::uint32_t connection, const StatusNote& status) { note(connection, to_text(status)); }
void Capture::begin(RunNote run) {
  run.began = around_.now();
  note(0, to_text(run));
}

void Capture::instrument(const Instrument& instrument) {
  if (!wants(instrument.exchange)) return;
  {
    const std::lock_guard lock(mutex_);
    if (instrument.id >= captured_.size()) captured_.resize(instrument.id + 1);
    captured_[instrument.id] = true;
  }
  note(0, to_text(InstrumentNote{instrument}));
}

bool Capture::captured(std::uint32_t instrument) const {
  return instrument < captured_.size() && captured_[instrument];
}

// Nothing, if it is of nobody who is captured.
void Capture::note_of(std::uint32_t instrument, std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    if (!captured(instrument)) return;
  }
  note(0, text);
}

void Capture::added(const AddedNote& n) { note_of(n.instrument, to_text(n)); }
void Capture::buckets(const BucketsNote& n) { note_of(n.instrument, to_text(n)); }
void Capture::candles(const CandlesNote& n) { note_of(n.instrument, to_text(n)); }

void Capture::records(std::span<const Record> records) {
  if (!running()) return;
  std::unique_lock lock(mutex_);
  const auto bytes = [](std::span<const Record> of) {
    return std::string_view(reinterpret_cast<const char*>(of.data()), of.size_bytes());
  };
  const auto ours = [&](const Record& r) { return captured(r.instrument()); };
  if (std::ranges::all_of(records, ours)) {
    put(static_cast<std::uint8_t>(CaptureEntryKind::records), 0, bytes(records));
  } else {
    std::vector<Record> some;
    std::ranges::copy_if(records, std::back_inserter(some), ours);
    if (!some.empty()) put(static_cast<std::uint8_t>(CaptureEntryKind::records), 0, bytes(some));
  }
  hand_over(std::move(lock));
}

void Capture::closed_bars(Timestamp upto) { note(0, to_text(CloseNote{upto})); }
void Capture::finished(Timestamp whole_until, Timestamp now) { note(0, to_text(FinishNote{whole_until, now})); }

// ------------------------------------------------------------------ the writing thread

void Capture::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    more_.wait_for(lock, write_every, [&] { return stopping_ || buffer_.size() >= write_at; });
    lock.unlock();
    write_what_waits();
    lock.lock();
  }
}

void Capture::write_what_waits() {
  taken_.clear();
  {
    const std::lock_guard lock(mutex_);
    std::swap(buffer_, taken_);
  }
  if (!running()) return;
  try {
    if (const int error = writer_->write(taken_, around_.now()); error != 0) return give_up(std::strerror(error));
  } catch (const std::runtime_error& error) {
    return give_up(error.what());
  }
  bytes_.store(writer_->bytes(), std::memory_order_relaxed);
  // What a slow moment of the disk took is given back.
  if (taken_.capacity() > 4 * write_at) std::string().swap(taken_);
}

}  // namespace cvdd
