#include "connection_pool.hpp"

#include <algorithm>

namespace cvdd {

std::vector<std::size_t> ConnectionPool::spread(std::size_t instruments, std::size_t per_connection) {
  const std::size_t most = std::max<std::size_t>(per_connection, 1);
  const std::size_t connections = (instruments + most - 1) / most;
  std::vector<std::size_t> sizes(connections);
  for (std::size_t i = 0; i < connections; ++i) {
    sizes[i] = instruments / connections + (i < instruments % connections ? 1 : 0);
  }
  return sizes;
}

// ---- Instruments that come and go ----

// While another one takes over, both have to carry the same.
bool ConnectionPool::may_grow(Number number, const Connection& connection) const {
  return !connection.stopping && primary_of(number) == 0 && !renewing(number) && !renewing(twin_of(number)) &&
         connection.instruments.size() < per_connection_;
}

ConnectionPool::Steps ConnectionPool::begin(std::span<const Instrument* const> instruments) {
  Steps steps;
  auto rest = instruments;
  for (auto& [number, connection] : connections_) {
    if (rest.empty()) break;
    if (!may_grow(number, connection)) continue;
    const auto share = rest.first(std::min(per_connection_ - connection.instruments.size(), rest.size()));
    for (const Instrument* instrument : share) carried_[instrument] = number;
    add(number, share, steps);
    if (const Number twin = twin_of(number); twin != 0) add(twin, share, steps);
    rest = rest.subspan(share.size());
  }
  for (const std::size_t size : spread(rest.size(), per_connection_)) {
    const auto share = rest.first(size);
    open(share, 0, false, steps);
    const Number first = last_;
    for (const Instrument* instrument : share) carried_[instrument] = first;
    if (redundancy_ > 1) {
      open(share, first, false, steps);
      twins_[first] = last_;
    }
    rest = rest.subspan(size);
  }
  return steps;
}

ConnectionPool::Steps ConnectionPool::end(std::span<const Instrument* const> instruments) {
  std::map<Number, Instruments> shares;
  for (const Instrument* instrument : instruments) {
    const auto carried = carried_.find(instrument);
    if (carried == carried_.end()) continue;
    shares[carried->second].push_back(instrument);
    carried_.erase(carried);
  }
  Steps steps;
  for (const auto& [primary, share] : shares) {
    for (const Number number : {primary, twin_of(primary)}) {
      if (number == 0) continue;
      for (const Renewal& r : renewals_) {
        if (r.old == number) remove(r.next, share, steps);
      }
      remove(number, share, steps);
    }
  }
  return steps;
}

void ConnectionPool::open(std::span<const Instrument* const> instruments, Number queue_of, bool takes_over,
                          Steps& steps) {
  const Instruments list(instruments.begin(), instruments.end());
  connections_[++last_].instruments = list;
  steps.push_back({Step::Kind::open, last_, list, queue_of, takes_over});
}

void ConnectionPool::add(Number to, std::span<const Instrument* const> instruments, Steps& steps) {
  Instruments& list = connections_[to].instruments;
  list.insert(list.end(), instruments.begin(), instruments.end());
  steps.push_back({Step::Kind::add, to, {instruments.begin(), instruments.end()}});
}

void ConnectionPool::remove(Number from, const Instruments& instruments, Steps& steps) {
  Connection& connection = connections_[from];
  std::erase_if(connection.instruments, [&](const Instrument* i) { return std::ranges::count(instruments, i) > 0; });
  steps.push_back({Step::Kind::remove, from, instruments});
  if (connection.instruments.empty()) stop(from, steps);
}

void ConnectionPool::stop(Number connection, Steps& steps) {
  connections_[connection].stopping = true;
  steps.push_back({Step::Kind::stop, connection});
}

// ---- One takes over from another ----

ConnectionPool::Steps ConnectionPool::renew(Number old) {
  Steps steps;
  const auto found = connections_.find(old);
  if (found == connections_.end() || found->second.stopping || renewing(old)) return steps;
  open(found->second.instruments, old, true, steps);
  renewals_.push_back({old, last_, {}});
  return steps;
}

ConnectionPool::Steps ConnectionPool::take_over(const std::function<bool(Number)>& delivers, Time now) {
  Steps steps;
  for (Renewal& r : renewals_) {
    if (!delivers(r.next)) {
      r.delivers_since.reset();
      continue;
    }
    if (!r.delivers_since) r.delivers_since = now;
    if (now - *r.delivers_since < overlap) continue;
    hand_over(r.old, r.next);
    stop(r.old, steps);
    ++renewed_;
  }
  std::erase_if(renewals_,
                [&](const Renewal& r) { return connections_[r.old].stopping || connections_[r.next].stopping; });
  return steps;
}

void ConnectionPool::hand_over(Number old, Number next) {
  for (auto& [instrument, number] : carried_) {
    if (number == old) number = next;
  }
  if (const auto pair = twins_.extract(old)) twins_[next] = pair.mapped();
  for (auto& [primary, twin] : twins_) {
    if (twin == old) twin = next;
  }
}

void ConnectionPool::forget(Number connection) {
  connections_.erase(connection);
  twins_.erase(connection);
  std::erase_if(renewals_, [&](const Renewal& r) { return r.old == connection || r.next == connection; });
}

// ---- How it stands ----

bool ConnectionPool::renewing(Number connection) const {
  return std::ranges::any_of(renewals_, [&](const Renewal& r) { return r.old == connection || r.next == connection; });
}

bool ConnectionPool::refers_to(const Instrument& instrument) const {
  return carried_.contains(&instrument) || std::ranges::any_of(connections_, [&](const auto& c) {
           return std::ranges::count(c.second.instruments, &instrument) > 0;
         });
}

ConnectionPool::Number ConnectionPool::twin_of(Number connection) const {
  const auto pair = twins_.find(connection);
  return pair == twins_.end() ? 0 : pair->second;
}

ConnectionPool::Number ConnectionPool::primary_of(Number twin) const {
  const auto pair = std::ranges::find_if(twins_, [&](const auto& p) { return p.second == twin; });
  return pair == twins_.end() ? 0 : pair->first;
}

}  // namespace cvdd
