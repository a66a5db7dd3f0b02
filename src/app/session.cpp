#include "cvdd/app/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace cvdd {

namespace {
using Millis = std::chrono::milliseconds;
constexpr Millis write_timeout{10'000};
constexpr Millis write_loop_every{2'000};
constexpr Millis oversleeping_max{500};
constexpr std::size_t replies_max = 16;  // more of its questions at once are one too many
}  // namespace

Session::Session(SessionContext context, SessionSettings settings)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      timer_(context_.clock->timer()),
      write_timer_(context_.clock->timer()),
      backoff_(seconds(1), seconds(30), settings_.seed) {}

void Session::stop() {
  stopping_ = true;
  timer_->cancel();
  write_timer_->cancel();
}

asio::awaitable<void> Session::pause(Millis time) { co_await timer_->wait_until(context_.clock->steady() + time); }

asio::awaitable<void> Session::run() {
  co_await connect_again_and_again();
  ended_ = true;
}

asio::awaitable<void> Session::connect_again_and_again() {
  while (!stopping_) {
    // Who overslept its turn (the machine was frozen) takes another: all who did would come at once.
    for (bool overslept = true; overslept && !stopping_;) {
      const Duration wait = context_.gate->take_attempt(context_.time->now());
      const auto turn = context_.clock->steady() + std::chrono::microseconds(wait.us);
      if (wait.us > 0) co_await pause(Millis(wait.us / 1000 + 1));
      overslept = context_.clock->steady() > turn + oversleeping_max;
    }
    if (stopping_) co_return;
    if (co_await connect()) {
      co_await converse();
      co_await transport_->close(context_.clock->steady() + Millis(500));
      transport_.reset();
      if (stopping_) {  // the open bars are written as partial: no loss to mark
        // What was waiting for room has been counted as seen: no other connection will bring it.
        if (!records_.empty() || !marks_.empty()) co_await deliver();
        for (const Instrument* instrument : instruments_) context_.intake->leave(*instrument, settings_.number);
        co_return;
      }
      lose_all();
      if (!watch_->any_data()) context_.hosts->failed(host_, context_.clock->steady());
      watch_.reset();
      connected_at_ = {};
      ++counters_.ends[static_cast<std::size_t>(cause_)];
      last_end_ = why_;
      co_await deliver();
      live_ = false;
      spdlog::warn("connection ended, reconnecting session=\"{}\" reason=\"{}\"", settings_.name, why_);
    }
    if (stopping_) co_return;
    Duration delay = backoff_.next();
    if (std::exchange(refused_all_, false)) delay = std::max(delay, refused_pause);
    co_await pause(Millis(delay.us / 1000));
  }
}

asio::awaitable<bool> Session::connect() {
  transport_ = context_.make_transport();
  host_ = context_.hosts->pick(context_.clock->steady(), context_.avoid_host ? context_.avoid_host() : std::nullopt);
  const Url& host = settings_.hosts[host_];
  ++counters_.connects;
  const std::string target = context_.intake->exchange().ws_target(settings_.stream);
  const auto deadline = context_.clock->steady() + settings_.connect_timeout;
  const auto connected = co_await transport_->connect(host, target, deadline);
  if (connected.has_value()) {
    last_failure_.clear();
    connected_at_ = context_.clock->steady();
    spdlog::info("connected session=\"{}\" host={}:{} instruments={}", settings_.name, host.host, host.port,
                 instruments_.size());
    co_return true;
  }
  ++counters_.failures;
  context_.hosts->failed(host_, context_.clock->steady());
  const bool refused = transport_->last_refusal().has_value();
  ++counters_.ends[static_cast<std::size_t>(refused ? EndCause::refused : EndCause::network)];
  const std::string failure = connected.error().message() + ": " + transport_->last_error_detail() + heed_refusal();
  last_end_ = failure;
  // One line per change of state: the same failure again is not news.
  if (failure != last_failure_) {
    spdlog::warn("can't connect, trying again session=\"{}\" host={}:{} reason=\"{}\"", settings_.name, host.host,
                 host.port, failure);
    last_failure_ = failure;
  }
  transport_.reset();
  co_return false;
}

// What the answer to the upgrade asks of us, done, and said in a few words.
std::string Session::heed_refusal() {
  const auto refusal = transport_->last_refusal();
  if (!refusal) return "";
  const auto wait = refusal->retry_after ? std::optional(seconds(refusal->retry_after->count())) : std::nullopt;
  const Manners manners = manners_of(refusal->status, wait);
  if (manners.reason.empty()) return "";
  std::string said = " (" + std::string(manners.reason);
  if (manners.stay_away.us > 0) {
    context_.gate->stay_away(context_.time->now() + manners.stay_away);
    said += "; staying away for " + std::to_string(manners.stay_away.us / 1'000'000) + " s";
  }
  if (manners.leave_host.us > 0) {
    context_.hosts->refused(host_, context_.clock->steady() + std::chrono::microseconds(manners.leave_host.us));
    said += "; " + std::string(context_.intake->exchange().region_note);
  }
  return said + ")";
}

asio::awaitable<void> Session::converse() {
  using namespace asio::experimental::awaitable_operators;
  watch_.emplace(settings_.limits, context_.clock->steady());
  lull_.resume(context_.clock->steady());
  doubting_ = false;
  requests_.clear();
  closing_soon_ = false;
  if (settings_.renew_after.count() > 0) renew_at_ = context_.clock->steady() + settings_.renew_after;
  why_.clear();
  cause_ = EndCause::network;
  mute_ = false;
  co_await (read_messages() || write_requests());
}

// Subscribes batch by batch at the exchange's pace, answers what it asks, and asks for a sign of life: whenever the
// line is quiet, or as often as the exchange wants to be asked.
asio::awaitable<void> Session::write_requests() {
  const Exchange& exchange = context_.intake->exchange();
  TokenBucket pace(std::max(1U, exchange.limits.messages_per_second), seconds(1));
  std::optional<TokenBucket> hour;
  if (exchange.limits.requests_per_hour > 0) hour.emplace(exchange.limits.requests_per_hour, seconds(3'600));
  bool reserved = false;  // of the hour
  begin_asking();
  while (!stopping_) {
    const auto now = context_.clock->steady();
    if (condemned_) {
      why_ = "trades that the exchange has did not come";
      cause_ = EndCause::mute;
      mute_ = true;
      co_return;
    }
    if (now >= ask_refused_again_) ask_refused_again();
    std::string text;
    if (!replies_.empty()) {
      text = std::move(replies_.front());
      replies_.pop_front();
    } else if (asking() && now >= ask_after_) {
      if (hour && !reserved) {
        const Duration wait = hour->take(context_.time->now());
        reserved = true;
        ask_after_ = now + std::chrono::microseconds(wait.us);
        if (wait.us > 0) continue;
      }
      reserved = false;
      text = next_request();
      if (text.empty()) continue;
    } else if (wants_probe(now)) {
      last_probe_ = now;
      text = exchange.probe(remember({RequestKind::probe, {}}));
    } else {
      co_await write_timer_->wait_until(now + write_loop_every);
      continue;
    }
    const Duration wait = pace.take(context_.time->now());
    if (wait.us > 0) {
      const auto until = context_.clock->steady() + std::chrono::microseconds(wait.us);
      while (!stopping_ && context_.clock->steady() < until) co_await write_timer_->wait_until(until);
      if (stopping_) co_return;
    }
    const auto written = co_await transport_->write(text, context_.clock->steady() + write_timeout);
    if (!written.has_value()) {
      why_ = written.error().message() + ": " + transport_->last_error_detail();
      co_return;
    }
  }
}

void Session::begin_asking() {
  const Exchange& exchange = context_.intake->exchange();
  to_subscribe_.assign(instruments_.begin(), instruments_.end());
  to_unsubscribe_.clear();
  apart_.clear();
  refused_.clear();
  replies_.clear();
  accepted_any_ = condemned_ = false;
  refusals_ = 0;
  last_probe_ = context_.clock->steady();
  ask_after_ = {};
  ask_refused_again_ = Watch::Time::max();
  if (exchange.hello != nullptr) replies_.push_back(exchange.hello(remember({RequestKind::probe, {}})));
}

bool Session::wants_probe(Watch::Time now) const {
  const Exchange& exchange = context_.intake->exchange();
  if (exchange.probe == nullptr) return false;
  if (requests_.empty() && watch_->wants_probe(now)) return true;
  const auto every = std::chrono::microseconds(exchange.limits.probe_every.us);
  return every.count() > 0 && now >= last_probe_ + every;
}

std::uint64_t Session::remember(Request request) {
  request.id = next_request_++;
  request.sent = context_.clock->steady();
  requests_.push_back(std::move(request));
  update_waiting();
  return requests_.back().id;
}

// Unsubscribes first: that makes room. Empty: nothing has to be said.
std::string Session::next_request() {
  const Exchange& exchange = context_.intake->exchange();
  std::vector<const Instrument*> some;
  const auto take = [&](std::deque<const Instrument*>& queue) {
    const auto count = std::min<std::ptrdiff_t>(exchange.limits.instruments_per_request, std::ssize(queue));
    some.assign(queue.begin(), queue.begin() + count);
    queue.erase(queue.begin(), queue.begin() + count);
  };
  if (!to_unsubscribe_.empty()) {
    take(to_unsubscribe_);
    std::string text = exchange.unsubscribe(some, settings_.stream, next_request_);
    if (!text.empty()) (void)remember({RequestKind::unsubscribe, std::move(some)});
    return text;
  }
  if (!apart_.empty()) {
    some = std::move(apart_.front());
    apart_.pop_front();
  } else {
    take(to_subscribe_);
  }
  std::string text = exchange.subscribe(some, settings_.stream, next_request_);
  (void)remember({RequestKind::subscribe, std::move(some)});
  return text;
}

void Session::add(std::span<const Instrument* const> instruments) {
  instruments_.insert(instruments_.end(), instruments.begin(), instruments.end());
  if (!watch_) return;  // they are subscribed when the connection begins
  to_subscribe_.insert(to_subscribe_.end(), instruments.begin(), instruments.end());
  write_timer_->cancel();
}

void Session::remove(std::span<const Instrument* const> instruments) {
  for (const Instrument* instrument : instruments) {
    if (std::erase(instruments_, instrument) == 0) continue;
    context_.intake->end(*instrument, context_.time->now(), marks_);
    if (!watch_) continue;
    if (std::erase(to_subscribe_, instrument) + std::erase(refused_, instrument) == 0) {
      to_unsubscribe_.push_back(instrument);
    }
  }
  if (!context_.outlet->busy()) push_marks();
  write_timer_->cancel();
}

void Session::resubscribe(const Instrument& instrument) {
  if (!watch_ || std::find(instruments_.begin(), instruments_.end(), &instrument) == instruments_.end()) return;
  // Without an order of ids a hole between out and in would not be seen: it is one.
  if (instrument.ids == Ids::opaque) {
    context_.intake->lose(instrument, context_.time->now() - settings_.in_flight, marks_, settings_.number);
    if (!context_.outlet->busy()) push_marks();
  }
  to_unsubscribe_.push_back(&instrument);
  to_subscribe_.push_back(&instrument);
  write_timer_->cancel();
}

bool Session::lulled() {
  const auto now = context_.clock->steady();
  if (!watch_ || !live_) return false;
  const bool settled = !asking() && std::all_of(requests_.begin(), requests_.end(),
                                                [](const Request& r) { return r.kind == RequestKind::probe; });
  if (!settled && !doubting_) {
    lull_.resume(now);
    return false;
  }
  if (doubting_ || !lull_.suspect(now)) return doubting_;
  doubting_ = true;
  const auto silent = std::chrono::duration_cast<std::chrono::microseconds>(now - lull_.last()).count();
  const Timestamp since = context_.time->now() - Duration{silent} - settings_.in_flight;
  for (const Instrument* instrument : instruments_) {
    context_.intake->doubt(*instrument, since, marks_, settings_.number);
  }
  if (!context_.outlet->busy()) push_marks();
  return true;
}

void Session::be_sure(std::vector<Record>& out) {
  doubting_ = false;
  for (const Instrument* instrument : instruments_) context_.intake->sure(*instrument, context_.time->now(), out);
}

void Session::vouch() {
  if (!watch_) return;
  watch_->vouched(context_.clock->steady());
  lull_.vouched();
  if (!doubting_) return;
  be_sure(marks_);
  if (!context_.outlet->busy()) push_marks();
}

void Session::push_marks() {
  if (marks_.empty()) return;
  const std::size_t pushed = context_.outlet->channel()->push(marks_);
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(pushed));
  context_.bell->pull();
}

asio::awaitable<void> Session::read_messages() {
  while (!stopping_) {
    const auto messages = co_await transport_->read(watch_->deadline());
    // Given up meanwhile, and who did that has said why. What is taken now could not be delivered any more, and would
    // count as seen.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    const auto now = context_.clock->steady();
    watch_->frame(transport_->last_frame());
    if (!messages.has_value()) {
      note_end(messages.error(), now);
      co_return;
    }
    if (!take_all(*messages, now)) co_return;
    if (!records_.empty() && !deliver_at_once()) co_await deliver();
  }
}

// Why reading ended.
void Session::note_end(const boost::system::error_code& error, Watch::Time now) {
  if (error != NetError::timed_out) {
    if (error == NetError::closed) cause_ = EndCause::closed;
    why_ = error.message() + ": " + transport_->last_error_detail();
    return;
  }
  const Watch::Verdict verdict = watch_->verdict(now);
  // Fine: a ping moved the deadline while we waited; the socket is gone all the same.
  why_ = verdict == Watch::Verdict::fine ? "timed out" : reason_of(verdict);
  mute_ = verdict == Watch::Verdict::silent || verdict == Watch::Verdict::no_first_frame;
  cause_ = mute_ ? EndCause::mute : EndCause::silent;
}

// What was read at once was received at once: reading the clock for each message costs more than it tells. False if the
// connection should end.
bool Session::take_all(std::span<const std::string_view> messages, Watch::Time now) {
  counters_.messages += messages.size();
  const Timestamp received = context_.time->now();
  std::uint32_t trades = 0, with_trades = 0;
  bool good = true;
  for (const std::string_view message : messages) {
    const auto before = static_cast<std::ptrdiff_t>(records_.size());
    const Parsed& parsed = context_.intake->take(message, received, records_, settings_.number);
    if (!parsed.trades.empty()) {
      trades += static_cast<std::uint32_t>(parsed.trades.size());
      ++with_trades;
      if (doubting_) be_sure_before(before);
    }
    if (!parsed.asks_nothing() && !answer(parsed)) {
      good = false;
      break;
    }
  }
  if (trades == 0) {
    watch_->frame(now);
    return good;
  }
  lull_.heard(now, trades);
  if (!watch_->any_data()) {
    backoff_.reset();
    context_.hosts->good(host_);
    live_ = true;
  }
  watch_->data(now, with_trades);
  return good;
}

// The silence was chance: said before the trades that ended it.
void Session::be_sure_before(std::ptrdiff_t place) {
  std::vector<Record> marks;
  be_sure(marks);
  records_.insert(records_.begin() + place, marks.begin(), marks.end());
}

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
  // Read on: another connection takes over before this one is closed.
  closing_soon_ = closing_soon_ || parsed.closing_soon;
  return true;
}

void Session::update_waiting() {
  watch_->waiting_since(requests_.empty() ? std::nullopt : std::optional(requests_.front().sent));
}

// The usual case of deliver(): nobody waits, and there is room.
bool Session::deliver_at_once() {
  if (context_.outlet->busy()) return false;
  push_marks();
  if (!marks_.empty()) return false;
  push_records();
  if (!records_.empty()) return false;
  context_.bell->pull();
  return true;
}

void Session::push_records() {
  Channel& channel = *context_.outlet->channel();
  channel.stamp(context_.clock->steady());
  const std::size_t pushed = channel.push(records_);
  records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(pushed));
  counters_.queue_max = std::max(counters_.queue_max, channel.waiting());
}

// A full queue stops this connection's reading: TCP pushes back, nothing is dropped. What was pushed is taken away at
// once, since this may be given up in the middle.
asio::awaitable<void> Session::deliver() {
  const Outlet::Place place(*context_.outlet);
  while (true) {
    if (place.first()) {
      push_marks();
      if (marks_.empty()) push_records();
      if (records_.empty() && marks_.empty()) {
        context_.bell->pull();
        co_return;
      }
      context_.bell->pull_hard();
    }
    ++counters_.backpressure_waits;
    const auto since = context_.clock->steady();
    co_await pause(Millis(1));
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(context_.clock->steady() - since);
    counters_.backpressure_us += static_cast<std::uint64_t>(waited.count());
  }
}

ConnectionState Session::state() const {
  ConnectionState out;
  out.name = settings_.name;
  if (host_ < settings_.hosts.size()) out.host = settings_.hosts[host_].host;
  out.instruments = instruments_.size();
  out.connects = counters_.connects;
  out.failures = counters_.failures;
  out.messages = counters_.messages;
  out.last_reason = last_end_;
  out.state = "connecting";
  if (!watch_) return out;
  out.since = connected_at_;
  out.last_message = watch_->any_data() ? watch_->last_data() : Watch::Time{};
  out.state = doubting_ ? "mute" : asking() || !watch_->any_data() ? "subscribing" : "live";
  return out;
}

FeedState Session::feed_state(const Instrument& instrument) const {
  if (!watch_) return FeedState::connecting;
  const bool refused = std::find(refused_.begin(), refused_.end(), &instrument) != refused_.end();
  return refused ? FeedState::refused : FeedState::subscribing;
}

std::size_t Session::inject(std::span<const Record> records) {
  if (context_.outlet->busy()) return 0;
  const std::size_t pushed = context_.outlet->channel()->push(records);
  context_.bell->pull();
  return pushed;
}

// Up to the last frame the data are known to be complete, unless they had stopped before; what was made shortly
// before that may have been on its way.
void Session::lose_all() {
  const auto since = mute_ ? watch_->last_data() : watch_->last_frame();
  const auto ago = std::chrono::duration_cast<std::chrono::microseconds>(context_.clock->steady() - since).count();
  const Timestamp lost = context_.time->now() - Duration{ago} - settings_.in_flight;
  for (const Instrument* instrument : instruments_)
    context_.intake->lose(*instrument, lost, records_, settings_.number);
}

}  // namespace cvdd
