// What the exchange answers to a session's requests: who is subscribed, who is refused, who is asked for once more.
#include <algorithm>

#include "cvdd/feed/session.hpp"

namespace cvdd {

namespace {
constexpr std::size_t replies_max = 16;  // more of its questions at once are one too many
constexpr std::chrono::seconds temporary_pause{10};
// A connection on which nothing was accepted after so many refusals is no connection.
constexpr std::size_t refusals_max = 12;
}  // namespace

// What a message wants of us, or tells of our requests; false if the connection should end.
bool Session::answer(const Parsed& parsed) {
  if (parsed.pong) {
    std::erase_if(requests_, [](const Request& r) { return r.kind == RequestKind::probe; });
    update_waiting();
  }
  if (!parsed.reply.empty() && replies_.size() < replies_max) {
    replies_.push_back(parsed.reply);
    write_timer_->cancel();
  }
  for (const Ack& ack : parsed.acks) {
    if (!acknowledge(ack)) return false;
  }
  if (parsed.list_changed && context_.on_list_changed) context_.on_list_changed();
  // Read on: another connection takes over before this one is closed.
  closing_soon_ = closing_soon_ || parsed.closing_soon;
  return true;
}

std::string Session::topic_of(const Instrument& instrument) const {
  return context_.intake->exchange().trades(settings_.stream).topic_of(instrument);
}

// By its id, else the oldest that has one of the topics, else the oldest of all that wait.
std::deque<Session::Request>::iterator Session::request_of(const Ack& ack) {
  return std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
    if (ack.id != 0) return r.id == ack.id;
    if (r.kind == RequestKind::probe) return false;
    if (ack.topics.empty()) return true;
    // An answer that lists all there is may be to a request for what it does not have.
    if (ack.rest != Ack::Rest::open) return true;
    return std::any_of(r.instruments.begin(), r.instruments.end(), [&](const Instrument* i) {
      return std::find(ack.topics.begin(), ack.topics.end(), topic_of(*i)) != ack.topics.end();
    });
  });
}

// False: the connection is of no use.
bool Session::acknowledge(const Ack& ack) {
  const auto found = request_of(ack);
  if (found == requests_.end()) {
    if (ack.ok || !ack.topics.empty()) return true;
    why_ = "the exchange refused a request: " + ack.error;
    return false;
  }
  Request request = std::move(*found);
  requests_.erase(found);
  bool good = true;
  if (request.kind != RequestKind::probe) good = settle(std::move(request), ack);
  update_waiting();
  return good;
}

bool Session::settle(Request request, const Ack& ack) {
  std::vector<const Instrument*> named, rest;
  for (const Instrument* instrument : request.instruments) {
    const bool is = ack.topics.empty() ||
                    std::find(ack.topics.begin(), ack.topics.end(), topic_of(*instrument)) != ack.topics.end();
    (is ? named : rest).push_back(instrument);
  }
  if (request.kind == RequestKind::unsubscribe) {
    request.instruments = std::move(rest);
    if (ack.rest == Ack::Rest::open && !request.instruments.empty()) requests_.push_front(std::move(request));
    return true;
  }
  bool good = true;
  if (ack.ok) {
    accepted_any_ = accepted_any_ || !named.empty();
    for (const Instrument* i : named) {
      context_.intake->confirm(*i, context_.time->now(), records_, settings_.number);
    }
  } else if (ack.temporary) {
    ask_again(named);
    ask_after_ = context_.clock->steady() + temporary_pause;
  } else if (!ack.topics.empty() || named.size() == 1) {
    good = refuse(named, ack.error, !ack.topics.empty());
  } else {
    good = part(named, ack.error);
  }
  if (rest.empty()) return good;
  switch (ack.rest) {
    case Ack::Rest::open:
      request.instruments = std::move(rest);
      requests_.push_front(std::move(request));
      return good;
    case Ack::Rest::refused:
      return refuse(rest, "the exchange leaves it out of what it accepted", true) && good;
    case Ack::Rest::again:
      ask_again(rest);
      return good;
  }
  return good;
}

void Session::ask_again(std::vector<const Instrument*> instruments) {
  std::erase_if(instruments, [&](const Instrument* i) {
    return std::find(instruments_.begin(), instruments_.end(), i) == instruments_.end();  // not wanted any more
  });
  if (!instruments.empty()) apart_.push_back(std::move(instruments));
  write_timer_->cancel();
}

// Refused as a whole, and nobody says because of whom: each half for itself.
bool Session::part(const std::vector<const Instrument*>& instruments, const std::string& error) {
  if (!accepted_any_ && ++refusals_ >= refusals_max) {
    why_ = "the exchange refuses every request: " + error;
    return false;
  }
  const auto middle = instruments.begin() + std::ssize(instruments) / 2;
  ask_again({instruments.begin(), middle});
  ask_again({middle, instruments.end()});
  return true;
}

// Left out, told of, and tried again after a while: all others go on. A refusal that names nobody may be of the whole
// exchange, and is not believed for long.
bool Session::refuse(const std::vector<const Instrument*>& instruments, const std::string& error, bool named) {
  for (const Instrument* instrument : instruments) {
    if (std::find(instruments_.begin(), instruments_.end(), instrument) == instruments_.end()) continue;
    if (std::find(refused_.begin(), refused_.end(), instrument) != refused_.end()) continue;
    refused_.push_back(instrument);
    if (context_.on_refused) context_.on_refused(*instrument, error);
  }
  const Duration pause = named ? refused_pause : unnamed_pause;
  ask_refused_again_ = std::min(ask_refused_again_, context_.clock->steady() + std::chrono::microseconds(pause.us));
  if (refused_.size() < instruments_.size()) return true;
  refused_all_ = named;  // an empty connection would be closed for that
  why_ = "the exchange refuses all instruments of this connection: " + error;
  return false;
}

// One by one, so that those which are still refused take nobody with them.
void Session::ask_refused_again() {
  ask_refused_again_ = Liveness::Time::max();
  for (const Instrument* instrument : std::exchange(refused_, {})) ask_again({instrument});
}

}  // namespace cvdd
