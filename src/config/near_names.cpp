#include <algorithm>
#include <numeric>

#include "cvdd/config/config.hpp"

namespace cvdd {

namespace {
// Edit distance, given up beyond `limit`; swapped neighbours count as one edit.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  if (longer - shorter > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      row[k] = std::min({above[k] + 1, row[k - 1] + 1, above[k - 1] + (a[i - 1] == b[k - 1] ? 0U : 1U)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) row[k] = std::min(row[k], before[k - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}
}  // namespace

std::vector<std::string> near_matches(std::string_view name, const std::vector<std::string>& candidates,
                                      std::size_t most) {
  const std::size_t limit = std::clamp<std::size_t>(name.size() / 3, 1, 3);
  std::vector<std::pair<std::size_t, const std::string*>> found;
  for (const std::string& candidate : candidates) {
    std::size_t d = distance(name, candidate, limit);
    // "BTC" is near "BTCUSDT", though many letters are missing.
    if (d > limit && name.size() >= 3 && candidate.starts_with(name)) d = limit;
    if (d <= limit) found.emplace_back(d, &candidate);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (const auto& [d, candidate] : found) {
    if (out.size() == most) break;
    out.push_back(*candidate);
  }
  return out;
}

}  // namespace cvdd
