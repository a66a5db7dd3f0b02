#include "cvdd/daemon/health.hpp"

namespace cvdd {

namespace {
std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}
}  // namespace

std::string status_line(const Health& h) {
  std::string line = grouped(h.live) + (h.live == 1 ? " instrument live, " : " instruments live, ") + grouped(h.gaps) +
                     (h.gaps == 1 ? " gap, " : " gaps, ") + grouped(h.trades_per_second) + " trades/s";
  if (h.live < h.instruments) line += ", " + grouped(h.instruments - h.live) + " not live";
  if (h.backlog_rows > 0) line += ", " + grouped(h.backlog_rows) + " rows wait for the disk";
  if (!making_progress(h)) line += ", the aggregator hangs";
  return line;
}

}  // namespace cvdd
