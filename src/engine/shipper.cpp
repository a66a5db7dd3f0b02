#include "shipper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "message.hpp"
#include "stop.hpp"
#include "wall.hpp"

namespace cvdd::engine {

namespace {
constexpr auto idle = std::chrono::milliseconds(50);
constexpr std::size_t answers_most = 100;  // between two looks at what may be sent

std::string in_words(Duration interval) {
  const std::int64_t s = interval.us / 1'000'000;
  if (s % 3'600 == 0) return fmt::format("{}h", s / 3'600);
  return s % 60 == 0 ? fmt::format("{}m", s / 60) : fmt::format("{}s", s);
}
}  // namespace

Shipper::Shipper(const EngineConfig& config, std::string collector, Metrics& metrics)
    : config_(config),
      collector_(std::move(collector)),
      interval_(in_words(config.interval)),
      metrics_(metrics),
      file_(config.checkpoint),
      backlog_(config, collector_, checkpoint_.files, metrics),
      watch_(config.nats, checkpoint_, metrics),
      connect_backoff_(milliseconds(250), seconds(5), 1),
      outbox_(Outbox::Settings{}) {
  backlog_.complain = watch_.complain = [this](const std::string& what) { complain(what); };
  bool damaged = false;
  if (const auto known = file_.read(damaged)) checkpoint_ = *known;
  if (damaged) {
    spdlog::warn("{}: is damaged: everything is published again, which the store has once all the same",
                 config.checkpoint);
  }
}

void Shipper::publish_again_from(const std::string& day) {
  std::erase_if(checkpoint_.files, [&](const auto& entry) {
    const auto file = source_from(entry.first);
    return !file || file->day >= day;
  });
  dirty_ = true;
}

void Shipper::complain(const std::string& what) {
  trouble_ = what;
  // The log folds what is said again and again; here only what is new gets that far.
  if (what == complained_) return;
  complained_ = what;
  spdlog::error("{}", what);
}

bool Shipper::connect() {
  if (broker_ && !broker_->closed()) return broker_->connected();
  broker_.reset();
  const Time now = std::chrono::steady_clock::now();
  if (now < connect_not_before_) return false;
  try {
    broker_ = connect_broker(config_.nats, "cvdd-engine ship " + collector_);
    connect_backoff_.reset();
    watch_.soon();
    spdlog::info("connected server={}", broker_->server());
    return true;
  } catch (const BrokerError& error) {
    complain(error.what());
    connect_not_before_ = std::chrono::steady_clock::now() + std::chrono::microseconds(connect_backoff_.next().us);
    return false;
  }
}

bool Shipper::next_piece() {
  try {
    if (!backlog_.next()) return false;
  } catch (const std::runtime_error& error) {
    complain(error.what());
    return false;
  }
  std::vector<std::string> instruments;
  instruments.reserve(backlog_.rows().size());
  for (const StoreRow& row : backlog_.rows()) instruments.push_back(order_of(row));
  outbox_.fill(instruments);
  return true;
}

bool Shipper::round() {
  const bool connected = connect();
  if (connected) dirty_ = watch_.look(*broker_) || dirty_;
  const bool anything = !outbox_.empty() || next_piece();
  if (!anything || !connected) {
    wait_or_stop(idle);
  } else {
    send();
    take_answers(std::chrono::milliseconds(5));
    if (outbox_.empty()) {
      backlog_.done();
      trouble_.clear();
      complained_.clear();
    }
  }
  dirty_ = backlog_.moved() || dirty_;
  if (dirty_ && std::chrono::steady_clock::now() - saved_ > std::chrono::seconds(1)) save();
  tell();
  return anything || !connected;
}

void Shipper::send() {
  const Time now = std::chrono::steady_clock::now();
  for (const std::size_t number : outbox_.due(now)) {
    const StoreRow& row = backlog_.rows()[number];
    const std::string kind(row.kind == RowKind::cvd ? "" : layout_of(row.kind).name);
    const OutMessage message{subject_of(row), message_id(row), collector_, interval_, kind, row.line};
    if (broker_->publish(message, fmt::format("{}-{}", outbox_.piece(), number))) continue;
    outbox_.failed(number, now);
    if (broker_->connected()) {
      complain(fmt::format("a row can't be handed to the broker: {}; is its max_payload below {} bytes?",
                           broker_->last_error(), row.line.size()));
    }
  }
}

void Shipper::take_answers(std::chrono::milliseconds patience) {
  if (outbox_.timeouts() > timeouts_told_) {
    timeouts_told_ = outbox_.timeouts();
    watch_.soon();
    const std::string said = broker_->last_error();
    complain(fmt::format(
        "the broker does not answer{}; rows are kept and sent again{}", said.empty() ? "" : ": " + said,
        said.find("Permissions") == said.npos ? "" : ": let this user publish to cvd.v1.> and subscribe to _INBOX.>"));
  }
  // Not all that come: what they have made room for goes out before the broker has nothing more to do.
  for (std::size_t taken = 0; taken < answers_most; ++taken) {
    const auto answer = broker_->next_answer(patience);
    if (!answer) return;
    patience = std::chrono::milliseconds(1);
    take_answer(*answer);
    if (outbox_.empty()) return;
  }
}

void Shipper::take_answer(const InAnswer& answer) {
  // What answers to an earlier piece has been answered there.
  const std::size_t dash = answer.token.find('-');
  if (dash == answer.token.npos || answer.token.substr(0, dash) != std::to_string(outbox_.piece())) return;
  const std::size_t number = std::strtoull(answer.token.c_str() + dash + 1, nullptr, 10);
  const PubAnswer said = parse_pub_answer(answer.body, answer.no_responders);
  if (!said.stored) {
    metrics_.add("refused_publishes_total", "Messages that the broker answered with an error");
    complain(fmt::format("the broker refuses rows: {}; they are kept and tried again", said.error));
    watch_.soon();
    outbox_.failed(number, std::chrono::steady_clock::now());
    return;
  }
  if (said.duplicate) metrics_.add("duplicates_total", "Messages that the broker had already");
  outbox_.stored(number);
  ++rows_acknowledged_;
  checkpoint_.last_sequence = std::max(checkpoint_.last_sequence, said.sequence);
  if (number < backlog_.rows().size()) {
    newest_acknowledged_ = std::max(newest_acknowledged_, backlog_.rows()[number].row.time);
  }
}

void Shipper::save() {
  if (!dirty_) return;
  try {
    file_.write(checkpoint_);
    dirty_ = false;
  } catch (const std::runtime_error& error) {
    complain(error.what());
  }
  saved_ = std::chrono::steady_clock::now();
}

Duration Shipper::oldest_waiting() const {
  const Timestamp now = wall_now();
  Duration oldest;
  for (std::size_t i = 0; i < backlog_.rows().size(); ++i) {
    if (outbox_.is_stored(i)) continue;
    oldest = std::max(oldest, waiting_for(backlog_.rows()[i].row, config_.interval, backlog_.read_at(), now));
  }
  return oldest;
}

void Shipper::tell() {
  const Time now = std::chrono::steady_clock::now();
  if (now - told_ < std::chrono::milliseconds(500)) return;
  told_ = now;
  metrics_.set("connected", "1 while there is a connection to the broker", broker_ && broker_->connected() ? 1 : 0);
  metrics_.set("rows_acknowledged", "Rows that the stream has acknowledged since the start",
               static_cast<double>(rows_acknowledged_));
  metrics_.set("rows_in_flight", "Rows sent and not yet answered", static_cast<double>(outbox_.in_flight()));
  metrics_.set("publish_timeouts", "Messages without an answer within 3 s, since the start",
               static_cast<double>(outbox_.timeouts()));
  const bool behind = !outbox_.empty() || backlog_.bytes_waiting() > 0;
  const double lag = behind && newest_acknowledged_.us > 0
                         ? static_cast<double>((wall_now() - newest_acknowledged_).us - config_.interval.us) / 1e6
                         : 0;
  metrics_.set("ship_lag_seconds", "Age of the newest acknowledged bar while rows wait; 0: none waits",
               std::max(0.0, lag));
  metrics_.set("oldest_unacknowledged_seconds",
               "How long the oldest row that the stream has not acknowledged has been waiting; 0: none waits",
               static_cast<double>(oldest_waiting().us) / 1e6);
  metrics_.set("ship_backlog_bytes", "Bytes of the files that are not acknowledged yet",
               static_cast<double>(backlog_.bytes_waiting()));
  metrics_.set("newest_bar_timestamp_seconds", "Start of the newest bar that was acknowledged",
               static_cast<double>(newest_acknowledged_.us / 1'000'000));
}

std::string Shipper::status() const {
  return fmt::format("{} rows acknowledged, {} on their way{}{}", rows_acknowledged_, outbox_.open(),
                     trouble_.empty() ? "" : "; ", trouble_.substr(0, 200));
}

}  // namespace cvdd::engine
