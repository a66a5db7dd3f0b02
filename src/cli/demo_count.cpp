#include "demo_count.hpp"

#include <fmt/format.h>

#include <utility>

#include "cvdd/base/counted.hpp"

namespace cvdd {

void DemoCount::add(const Row& row) {
  begun_.insert(row.time.us);
  with_rows_.emplace(row.exchange, row.market, row.symbol);
  if (row.status == BarStatus::live || row.status == BarStatus::repaired) whole_.insert(row.time.us);
}

bool DemoCount::done() const { return bars_ > 0 && (complete() || begun_.size() >= bars_ + patience); }

std::string DemoCount::rule() const {
  return fmt::format(
      "it ends after {} that {} whole (live or repaired, of one instrument at least), once every instrument has a row; "
      "after {} in any case",
      counted(bars_, "bar"), bars_ == 1 ? "is" : "are", counted(bars_ + patience, "bar"));
}

std::string DemoCount::so_far() const {
  std::string out = fmt::format("{} so far, {} of {} whole", counted(begun_.size(), "bar"), whole_.size(), bars_);
  if (with_rows_.size() < instruments_) {
    out += fmt::format(", without a row: {}", counted(instruments_ - with_rows_.size(), "instrument"));
  }
  return out;
}

std::string DemoCount::waits() {
  if (bars_ == 0 || done() || begun_.size() <= told_of_) return "";
  told_of_ = begun_.size();
  const std::size_t now = whole_.size() + with_rows_.size();
  return std::exchange(come_, now) == now ? "it waits: " + so_far() : "";
}

std::string DemoCount::shortfall() const { return bars_ == 0 || complete() ? "" : "it was given up: " + so_far(); }

}  // namespace cvdd
