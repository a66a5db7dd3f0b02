// The day files, found and read in pieces: for who looks through them. Blocks on the disk.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/storage/file_sink.hpp"

namespace cvdd::web {

inline constexpr std::size_t days_max = 400;  // in one request

// "cvd-2026-11-20.csv" → 0, "cvd-2026-11-20.2.csv" → 2.
[[nodiscard]] std::size_t part_of(const std::string& name);

// Files of the days that [from, to) touches, by day, then part. 0 or errno.
[[nodiscard]] int files_between(FileSink& files, const std::string& directory, Timestamp from, Timestamp to,
                                std::vector<std::string>& out);

// `take(text, offset)`: whole lines, and where they begin; false: enough. False too if it was stopped, or the file
// can't be read: `error` is errno then. A file that is gone has nothing. From byte `at` on.
using TakePiece = std::function<bool(std::string_view text, std::uint64_t offset)>;
[[nodiscard]] bool each_piece(FileSink& files, const std::string& path, std::uint64_t at,
                              const std::function<bool()>& stop, int& error, const TakePiece& take);

// The n-th field of a line, 0-based; empty if there is none.
[[nodiscard]] std::string_view field(std::string_view line, std::size_t n);

}  // namespace cvdd::web
