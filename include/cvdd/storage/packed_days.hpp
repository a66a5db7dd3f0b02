// Days that somebody has packed are not read: whether that would make a CVD begin anew. Pure.
#pragma once

#include <string>
#include <vector>

namespace cvdd {

// The newest packed day file (cvd-2026-11-20.csv.zst, .gz) among the names of a folder, if no file of its day or of a
// newer one is there unpacked: what CVDs go on from is in it. Empty: there is none.
[[nodiscard]] std::string packed_newest_day(const std::vector<std::string>& names);

// What to do then.
[[nodiscard]] std::string packed_advice(const std::string& directory, const std::string& name);

}  // namespace cvdd
