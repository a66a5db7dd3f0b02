#include "departed.hpp"

#include <string_view>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"

namespace cvdd {

namespace {
// The next line, without its end; empty: there is none.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}
}  // namespace

void Departed::put(const std::string& symbol, const LastKnown& known) {
  (void)take(symbol);
  Text& text = known_[symbol];
  append_row(text.row, known.row);
  text.last_id = known.last_id;
  for (const FlowRow& row : known.flow) append_flow_row(text.flow, row);
  text.age = by_age_.emplace(known.row.time, symbol);
  if (known_.size() <= most_) return;
  known_.erase(by_age_.begin()->second);
  by_age_.erase(by_age_.begin());
}

std::shared_ptr<const LastKnown> Departed::take(const std::string& symbol) {
  const auto found = known_.find(symbol);
  if (found == known_.end()) return nullptr;
  const Text text = std::move(found->second);
  by_age_.erase(text.age);
  known_.erase(found);
  std::string_view rows = text.row, flows = text.flow;
  const auto row = parse_row(next_line(rows));
  if (!row) return nullptr;
  auto known = std::make_shared<LastKnown>();
  known->row = *row;
  known->last_id = text.last_id;
  known->last_id_bar = row->time;
  while (!flows.empty()) {
    if (auto flow = parse_flow_row(next_line(flows))) known->flow.push_back(std::move(*flow));
  }
  return known;
}

}  // namespace cvdd
