#pragma once

#include <cstdint>
#include <string>

#include "support/memory_files.hpp"

namespace cvdd::simtest {

// Whether the files of a capture, replayed into the empty folder `out`, give the day files that were written. Tells of
// it on standard output.
[[nodiscard]] bool same_when_replayed(const MemoryFiles& written, const std::string& capture, const std::string& out,
                                      std::uint64_t seed);

// Whether each row's buckets add up to it, and each bucket's CVD is the sum of its deltas. Tells of it too.
[[nodiscard]] bool flow_adds_up(const MemoryFiles& written);

}  // namespace cvdd::simtest
