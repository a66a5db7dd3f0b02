#include "silence_monitor.hpp"

namespace cvdd {

// What history has and the connection still does not bring proves that it is mute.
SilenceMonitor::Lull SilenceMonitor::lulled(Connection connection, Time now) {
  Asked& lull = lulls_[connection];
  if (lull.owed && now >= *lull.owed + lull_ask_every) {
    ++stalls_;
    lulls_.erase(connection);
    return Lull::mute;
  }
  if (now < lull.next) return Lull::wait;
  lull.next = now + lull_ask_every;
  return Lull::ask;
}

SilenceMonitor::Remedy SilenceMonitor::answered(Connection connection, Answered answer, Ids ids, bool lulled,
                                                Time now) {
  using Kind = Remedy::Kind;
  if (answer == Answered::deaf) ++stalls_;
  if (lulled) {  // it is about all of it
    if (answer == Answered::deaf) {
      lulls_.erase(connection);
      return {Kind::mute};
    }
    Asked& lull = lulls_[connection];
    if (answer == Answered::late && !lull.owed) lull.owed = now;
    return {lull.owed ? Kind::none : Kind::vouch};
  }
  if (answer != Answered::deaf) return {Kind::vouch};
  auto& times = stalled_[connection];
  while (!times.empty() && times.front() + stalls_remembered < now) times.pop_front();
  times.push_back(now);
  if (times.size() == 1) return {Kind::resubscribe};
  return {ids == Ids::opaque ? Kind::condemn : Kind::renew, times.size() > 2};
}

SilenceMonitor::Quiet SilenceMonitor::look(const Carried& carried, const std::function<bool(Connection)>& suspicious,
                                           Intake& intake, Timestamp now) {
  Quiet out;
  const Instrument* most = nullptr;
  double overdue = 1;
  std::map<Connection, const Instrument*> suspects;
  for (const auto& [instrument, connection] : carried) {
    if (!intake.confirmed(*instrument)) continue;
    const TradeRate& pace = intake.pace(*instrument);
    if (pace.overdue(now) > overdue) {
      overdue = pace.overdue(now);
      most = instrument;
    }
    const auto since = intake.owed_since(*instrument);
    if (since && *since + owed_max < now) out.deaf.push_back(instrument);
    if (!suspicious(connection)) continue;
    const Instrument*& suspect = suspects[connection];
    const bool known = instrument->ids == Ids::opaque || intake.last_id(*instrument).has_value();
    if (known && (suspect == nullptr || pace.expected(now) > intake.pace(*suspect).expected(now))) suspect = instrument;
  }
  for (const Instrument* instrument : out.deaf) intake.owes_nothing(*instrument);
  if (most != nullptr) {
    intake.pace(*most).asked();
    out.ask.push_back(most);
  }
  for (const auto& [connection, suspect] : suspects) {
    if (suspect != nullptr && suspect != most) out.ask.push_back(suspect);
  }
  return out;
}

const Instrument* SilenceMonitor::busiest(std::span<const Instrument* const> instruments, Intake& intake,
                                          Timestamp now) {
  const Instrument* busiest = nullptr;
  for (const Instrument* instrument : instruments) {
    if (!intake.confirmed(*instrument)) continue;
    if (busiest == nullptr || intake.pace(*instrument).expected(now) > intake.pace(*busiest).expected(now)) {
      busiest = instrument;
    }
  }
  return busiest;
}

void SilenceMonitor::forget(Connection connection) {
  lulls_.erase(connection);
  stalled_.erase(connection);
}

}  // namespace cvdd
