#include "outbox.hpp"

#include <unordered_map>

namespace cvdd::engine {

void Outbox::fill(const std::vector<std::string>& instruments) {
  ++piece_;
  queue_of_.clear();
  queues_.clear();
  ready_.clear();
  flying_.clear();
  done_.assign(instruments.size(), false);
  open_ = instruments.size();
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t row = 0; row < instruments.size(); ++row) {
    const auto [at, added] = index.try_emplace(instruments[row], queues_.size());
    if (added) {
      ready_.push_back(queues_.size());
      queues_.emplace_back();
    }
    queue_of_.push_back(at->second);
    queues_[at->second].rows.push_back(row);
  }
}

void Outbox::hold(Time now) {
  // What fails together is one failure.
  if (now < not_before_) return;
  not_before_ = now + std::chrono::microseconds(backoff_.next().us);
}

std::vector<std::size_t> Outbox::due(Time now) {
  bool late = false;
  for (auto at = flying_.begin(); at != flying_.end();) {
    if (now - at->second < settings_.patience) {
      ++at;
      continue;
    }
    late = true;
    ++timeouts_;
    Queue& queue = queues_[queue_of_[at->first]];
    queue.flying = false;
    ready_.push_back(queue_of_[at->first]);
    at = flying_.erase(at);
  }
  if (late) hold(now);
  std::vector<std::size_t> rows;
  if (now < not_before_) return rows;
  while (!ready_.empty() && flying_.size() < settings_.window) {
    Queue& queue = queues_[ready_.front()];
    ready_.pop_front();
    if (queue.flying || queue.rows.empty()) continue;
    queue.flying = true;
    flying_.emplace(queue.rows.front(), now);
    rows.push_back(queue.rows.front());
  }
  return rows;
}

void Outbox::stored(std::size_t row) {
  if (row >= done_.size() || done_[row]) return;
  done_[row] = true;
  --open_;
  flying_.erase(row);
  backoff_.reset();
  Queue& queue = queues_[queue_of_[row]];
  // A late answer is of the row that waits to be sent again: it is always the first.
  if (!queue.rows.empty() && queue.rows.front() == row) queue.rows.pop_front();
  queue.flying = false;
  if (!queue.rows.empty()) ready_.push_back(queue_of_[row]);
}

void Outbox::failed(std::size_t row, Time now) {
  if (row >= done_.size() || done_[row] || flying_.erase(row) == 0) return;
  queues_[queue_of_[row]].flying = false;
  ready_.push_back(queue_of_[row]);
  hold(now);
}

}  // namespace cvdd::engine
