// What ship remembers between two runs: how far each file is acknowledged, and of which stream. If it is lost,
// everything is published again: there once in the store all the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cvdd/engine/source.hpp"

namespace cvdd::engine {

struct Checkpoint {
  std::int64_t stream_created = 0;  // ns since the epoch; 0: never seen
  std::uint64_t last_sequence = 0;  // the highest that the stream has acknowledged
  Positions files;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};
// Text with a checksum, and back; empty if it is not whole.
[[nodiscard]] std::string encode(const Checkpoint& checkpoint);
[[nodiscard]] std::optional<Checkpoint> decode_checkpoint(std::string_view text);

// The file; locked while it lives, so that no second ship works by it. Throws std::runtime_error.
class CheckpointFile {
 public:
  explicit CheckpointFile(std::string path);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;
  // Empty if there is none; `damaged` if there is one that can't be read as one.
  [[nodiscard]] std::optional<Checkpoint> read(bool& damaged) const;
  // Beside it, synced, renamed over it.
  void write(const Checkpoint& checkpoint) const;

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace cvdd::engine
