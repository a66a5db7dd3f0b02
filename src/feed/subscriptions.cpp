#include "cvdd/feed/subscriptions.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

namespace cvdd {

namespace {
bool has(const std::vector<Subscription>& list, const Subscription& what) {
  return std::ranges::find(list, what) != list.end();
}
bool tells_trades(const Subscription& what) { return what.channel->kinds.has(DataKind::trade); }
bool names(const Ack& ack, const Subscription& what) {
  return std::ranges::find(ack.topics, what.channel->topic_of(*what.instrument)) != ack.topics.end();
}
}  // namespace

void Subscriptions::begin() {
  connected_ = true;
  to_subscribe_.assign(wanted_.begin(), wanted_.end());
  to_unsubscribe_.clear();
  apart_.clear();
  refused_.clear();
  requests_.clear();
  accepted_any_ = hour_reserved_ = false;
  refusals_ = 0;
  ask_after_ = {};
  ask_refused_at_ = Time::max();
  hour_.reset();
  if (exchange_.limits.requests_per_hour > 0) hour_.emplace(exchange_.limits.requests_per_hour, seconds(3'600));
}

void Subscriptions::add(const Subscription& what) {
  wanted_.push_back(what);
  if (connected_) to_subscribe_.push_back(what);
}

void Subscriptions::remove(const Subscription& what) {
  if (std::erase(wanted_, what) == 0 || !connected_) return;
  if (std::erase(to_subscribe_, what) + std::erase(refused_, what) == 0) to_unsubscribe_.push_back(what);
}

void Subscriptions::renew(const Subscription& what) {
  if (!connected_ || !has(wanted_, what)) return;
  to_unsubscribe_.push_back(what);
  to_subscribe_.push_back(what);
}

bool Subscriptions::refers_to(const Instrument& instrument) const {
  const auto in = [&](const auto& list) {
    return std::ranges::any_of(list, [&](const Subscription& s) { return s.instrument == &instrument; });
  };
  return in(wanted_) || in(to_subscribe_) || in(to_unsubscribe_) || in(refused_) || std::ranges::any_of(apart_, in) ||
         std::ranges::any_of(requests_, [&](const Request& request) { return in(request.what); });
}

// ---- Requests ----

bool Subscriptions::hour_allows(Time now) {
  if (!hour_ || std::exchange(hour_reserved_, false)) return true;
  const auto since_start = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  const Duration wait = hour_->take(Timestamp{since_start.count()});
  if (wait.us <= 0) return true;
  hour_reserved_ = true;
  ask_after_ = now + std::chrono::microseconds(wait.us);
  return false;
}

// As many as one request may name, all of one channel.
Subscriptions::List Subscriptions::take(std::deque<Subscription>& queue) const {
  const auto most = std::min<std::ptrdiff_t>(exchange_.limits.instruments_per_request, std::ssize(queue));
  const auto end = std::find_if(queue.begin(), queue.begin() + most,
                                [&](const Subscription& s) { return s.channel != queue.front().channel; });
  List some(queue.begin(), end);
  queue.erase(queue.begin(), end);
  return some;
}

std::string Subscriptions::text_of(Verb verb, const List& what) const {
  std::vector<const Instrument*> instruments;
  instruments.reserve(what.size());
  for (const Subscription& s : what) instruments.push_back(s.instrument);
  return exchange_.request(verb, *what.front().channel, instruments, next_id_);
}

// Unsubscribes first: that makes room.
std::string Subscriptions::next(Time now) {
  if (!due(now) || !hour_allows(now)) return {};
  if (!to_unsubscribe_.empty()) {
    List some = take(to_unsubscribe_);
    std::string text = text_of(Verb::unsubscribe, some);
    if (!text.empty()) remember(Kind::unsubscribe, std::move(some), now);
    return text;
  }
  List some;
  if (!apart_.empty()) {
    some = std::move(apart_.front());
    apart_.pop_front();
  } else {
    some = take(to_subscribe_);
  }
  std::string text = text_of(Verb::subscribe, some);
  remember(Kind::subscribe, std::move(some), now);
  return text;
}

std::uint64_t Subscriptions::remember(Kind kind, List what, Time now) {
  requests_.push_back({kind, std::move(what), next_id_, now});
  return next_id_++;
}

std::uint64_t Subscriptions::probe(Time now) { return remember(Kind::probe, {}, now); }

void Subscriptions::probe_answered() {
  std::erase_if(requests_, [](const Request& r) { return r.kind == Kind::probe; });
}

// ---- Answers ----

// By its id, else the oldest that has one of the topics, else the oldest of all that wait if the answer speaks of all:
// one that lists what there is may be to a request for what it does not have.
std::deque<Subscriptions::Request>::iterator Subscriptions::request_of(const Ack& ack) {
  if (ack.id != 0) return std::ranges::find(requests_, ack.id, &Request::id);
  const auto no_probe = [](const Request& r) { return r.kind != Kind::probe; };
  const auto named = std::ranges::find_if(requests_, [&](const Request& r) {
    return no_probe(r) && std::ranges::any_of(r.what, [&](const Subscription& s) { return names(ack, s); });
  });
  const bool of_all = ack.topics.empty() || ack.rest != Ack::Rest::open;
  return named != requests_.end() || !of_all ? named : std::ranges::find_if(requests_, no_probe);
}

// Of an answer that names more than anybody can have asked for: what was asked for, once, and something that was not.
Ack Subscriptions::without_strangers(const Ack& ack) const {
  std::unordered_set<std::string> asked, named;
  for (const Request& r : requests_) {
    for (const Subscription& s : r.what) asked.insert(s.channel->topic_of(*s.instrument));
  }
  for (const std::string& topic : ack.topics) {
    if (asked.contains(topic)) named.insert(topic);
  }
  Ack out = {ack.id, ack.ok, {named.begin(), named.end()}, ack.rest, ack.error, ack.temporary};
  out.topics.emplace_back();
  return out;
}

Subscriptions::Changes Subscriptions::acknowledge(const Ack& ack, Time now) {
  return take(ack.topics.size() > topics_max ? without_strangers(ack) : ack, now);
}

Subscriptions::Changes Subscriptions::take(const Ack& ack, Time now) {
  Changes changes;
  const auto found = request_of(ack);
  if (found == requests_.end()) {
    if (!ack.ok && ack.topics.empty()) changes.useless = "the exchange refused a request: " + ack.error;
    return changes;
  }
  Request request = std::move(*found);
  requests_.erase(found);
  if (request.kind != Kind::probe) settle(std::move(request), ack, now, changes);
  return changes;
}

void Subscriptions::settle(Request request, const Ack& ack, Time now, Changes& changes) {
  List named, rest;
  for (const Subscription& s : request.what) (ack.topics.empty() || names(ack, s) ? named : rest).push_back(s);
  if (request.kind == Kind::subscribe) answer_for(named, ack, now, changes);
  if (rest.empty()) return;
  if (ack.rest == Ack::Rest::open) {
    request.what = std::move(rest);
    requests_.push_front(std::move(request));
  } else if (request.kind == Kind::unsubscribe) {
    return;
  } else if (ack.rest == Ack::Rest::refused) {
    refuse(rest, "the exchange leaves it out of what it accepted", true, now, changes);
  } else {
    ask_apart(std::move(rest), changes);
  }
}

void Subscriptions::answer_for(const List& named, const Ack& ack, Time now, Changes& changes) {
  if (ack.ok) {
    accepted_any_ = accepted_any_ || !named.empty();
    changes.confirmed.insert(changes.confirmed.end(), named.begin(), named.end());
  } else if (ack.temporary) {
    ask_apart(named, changes);
    ask_after_ = now + temporary_pause;
  } else if (!ack.topics.empty() || named.size() == 1) {
    refuse(named, ack.error, !ack.topics.empty(), now, changes);
  } else {
    part(named, ack.error, changes);
  }
}

// In a request of its own, as far as it is still wanted.
void Subscriptions::ask_apart(List what, Changes& changes) {
  std::erase_if(what, [&](const Subscription& s) { return !has(wanted_, s); });
  if (!what.empty()) apart_.push_back(std::move(what));
  changes.more_to_ask = true;
}

// Refused as a whole, and nobody says because of whom: each half for itself.
void Subscriptions::part(const List& what, const std::string& error, Changes& changes) {
  if (tells_trades(what.front()) && !accepted_any_ && ++refusals_ >= refusals_max) {
    changes.useless = "the exchange refuses every request: " + error;
    return;
  }
  const auto middle = what.begin() + std::ssize(what) / 2;
  ask_apart({what.begin(), middle}, changes);
  ask_apart({middle, what.end()}, changes);
}

// Left out, told of, and tried again after a while: all others go on. A connection without trades is of no use.
void Subscriptions::refuse(const List& what, const std::string& error, bool named, Time now, Changes& changes) {
  for (const Subscription& s : what) {
    if (!has(wanted_, s) || has(refused_, s)) continue;
    refused_.push_back(s);
    changes.refused.push_back({s, error});
  }
  const Duration pause = named ? refused_pause : unnamed_pause;
  ask_refused_at_ = std::min(ask_refused_at_, now + std::chrono::microseconds(pause.us));
  const auto granted = [&](const Subscription& s) { return tells_trades(s) && !has(refused_, s); };
  const bool trades_refused = std::ranges::any_of(what, tells_trades);
  if (!trades_refused || std::ranges::any_of(wanted_, granted)) return;
  changes.useless = "the exchange refuses all instruments of this connection: " + error;
  if (named) changes.stay_away = refused_pause;
}

// One by one, so that those which are still refused take nobody with them.
void Subscriptions::ask_refused_again(Time now) {
  if (now < ask_refused_at_) return;
  ask_refused_at_ = Time::max();
  for (const Subscription& s : std::exchange(refused_, {})) apart_.push_back({s});
}

// ---- How it stands ----

bool Subscriptions::settled() const {
  return !asking() && std::ranges::all_of(requests_, [](const Request& r) { return r.kind == Kind::probe; });
}

std::optional<Subscriptions::Time> Subscriptions::waiting_since() const {
  const auto oldest = std::ranges::find_if(
      requests_, [](const Request& r) { return r.kind == Kind::probe || tells_trades(r.what.front()); });
  return oldest == requests_.end() ? std::nullopt : std::optional(oldest->sent);
}

bool Subscriptions::is_refused(const Subscription& what) const { return has(refused_, what); }

}  // namespace cvdd
