#include "shipper.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cvdd/core/csv.hpp"
#include "cvdd/engine/loader.hpp"
#include "stop.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t piece_bytes = std::size_t{2} << 20;  // some 10,000 rows: what is in memory at most
constexpr auto idle = std::chrono::milliseconds(50);

bool same(const SourceFile& a, const SourceFile& b) {
  return a.packing == b.packing && a.size == b.size && a.changed_ns == b.changed_ns && a.inode == b.inode;
}

std::string in_words(Duration interval) {
  const std::int64_t s = interval.us / 1'000'000;
  if (s % 3'600 == 0) return fmt::format("{}h", s / 3'600);
  return s % 60 == 0 ? fmt::format("{}m", s / 60) : fmt::format("{}s", s);
}

Timestamp wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}
}  // namespace

Shipper::Shipper(const EngineConfig& config, std::string collector, Metrics& metrics)
    : config_(config),
      collector_(std::move(collector)),
      interval_(in_words(config.interval)),
      metrics_(metrics),
      file_(config.checkpoint),
      connect_backoff_(milliseconds(250), seconds(5), 1),
      outbox_(Outbox::Settings{}) {
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
    looked_ = {};
    spdlog::info("connected server={}", broker_->server());
    return true;
  } catch (const BrokerError& error) {
    complain(error.what());
    connect_not_before_ = std::chrono::steady_clock::now() + std::chrono::microseconds(connect_backoff_.next().us);
    return false;
  }
}

// Whether it is the stream that we know: one that was deleted and made again, or that has lost what it acknowledged,
// says so by its date and its numbers.
void Shipper::look_at_stream() {
  const Time now = std::chrono::steady_clock::now();
  if (looked_ != Time{} && now - looked_ < std::chrono::seconds(30)) return;
  looked_ = now;
  try {
    take_stream(broker_->stream());
  } catch (const BrokerError& error) {
    if (error.kind == BrokerError::Kind::no_jetstream) return complain(error.what());
    if (error.kind != BrokerError::Kind::no_stream) {
      // A user without the right to ask may publish all the same.
      spdlog::debug("the stream can't be looked at: {}", error.what());
      return;
    }
    metrics_.set("stream_missing", "1 while there is no stream of this name", 1);
    if (!config_.nats.create_stream) {
      complain(fmt::format(
          "there is no stream {} on {}: make it, or say create_stream = true under [nats]; then publish again "
          "with \"cvdd-engine ship --from DAY\" what it has lost",
          config_.nats.stream, broker_->server()));
      return;
    }
    try {
      broker_->create_stream();
      spdlog::info("stream {} was made with {} replicas", config_.nats.stream, config_.nats.replicas);
      take_stream(broker_->stream());
    } catch (const BrokerError& failure) {
      complain(failure.what());
      looked_ = now - std::chrono::seconds(28);  // again soon
    }
  }
}

void Shipper::take_stream(const StreamFacts& facts) {
  metrics_.set("stream_missing", "1 while there is no stream of this name", 0);
  metrics_.set("stream_replicas_missing", "Copies of the stream that are not there or not current",
               static_cast<double>(facts.replicas - facts.replicas_now));
  const bool other = checkpoint_.stream_created != 0 && checkpoint_.stream_created != facts.created;
  const bool behind = !other && facts.last_sequence < checkpoint_.last_sequence;
  if (other || behind) {
    metrics_.add("stream_losses_total", "Times that the stream turned out to have lost rows that it had acknowledged");
    complain(fmt::format(
        "stream {} {}: rows that were acknowledged are not in it any more; stop this, and publish them again "
        "with \"cvdd-engine ship --from DAY\"",
        config_.nats.stream,
        other ? "is not the one that rows were published to before"
              : fmt::format("ends at {}, and has acknowledged {}", facts.last_sequence, checkpoint_.last_sequence)));
  }
  if (checkpoint_.stream_created == facts.created && !behind) return;
  checkpoint_.stream_created = facts.created;
  checkpoint_.last_sequence = facts.last_sequence;
  dirty_ = true;
}

bool Shipper::round() {
  const bool connected = connect();
  if (connected) look_at_stream();
  bool anything = true;
  if (outbox_.empty()) {
    try {
      anything = next_piece();
    } catch (const std::runtime_error& error) {
      complain(error.what());
      anything = false;
    }
  }
  if (!anything || !connected) {
    wait_or_stop(idle);
  } else {
    send();
    take_answers(std::chrono::milliseconds(5));
    if (outbox_.empty()) piece_done();
  }
  if (dirty_ && std::chrono::steady_clock::now() - saved_ > std::chrono::seconds(1)) save();
  tell();
  return anything || !connected;
}

bool Shipper::next_piece() {
  if (reader_ && take_piece(reading_)) return true;
  reader_.reset();
  bytes_waiting_ = 0;
  for (const SourceFile& file : list_sources(config_.data_dir, "cvd")) {
    const auto finished = finished_.find(file.name);
    if (finished != finished_.end() && same(finished->second, file)) continue;
    const Position known = checkpoint_.files[file.name];
    try {
      if (file.packing != Packing::none && stated_size(file) == known.offset) {
        finished_.insert_or_assign(file.name, file);
        continue;
      }
      if (reader_) {  // only counted: what waits behind the file that is read now
        bytes_waiting_ += file.size - std::min(file.size, known.offset);
        continue;
      }
      reader_ = std::make_unique<SourceReader>(file, known);
      if (reader_->restarted()) {
        spdlog::warn("{}: is not as it was when it was read before; it is read again from its beginning", file.path);
      }
      reading_ = file;
      behind_ = reader_->restarted() ? Position{} : known;
      if (take_piece(file)) {
        bytes_waiting_ += file.size - std::min(file.size, behind_.offset);
        continue;
      }
    } catch (const SourceError& error) {
      metrics_.add("broken_files_total", "Files that could not be read");
      complain(error.what());
    }
    reader_.reset();
    finished_.insert_or_assign(file.name, file);
  }
  return reader_ != nullptr;
}

bool Shipper::take_piece(const SourceFile& file) {
  while (true) {
    const std::string_view text = reader_->next(piece_bytes);
    if (text.empty()) return false;
    std::vector<Rejected> rejected;
    rows_.clear();
    rows_from(text, file, behind_.offset, collector_, rows_, rejected);
    behind_ = reader_->position();
    for (const Rejected& one : rejected) {
      metrics_.add("rejected_rows_total", "Lines and messages that are no rows");
      spdlog::error("{}: {}: not published", one.place, one.reason);
    }
    if (!rows_.empty()) break;
    piece_done();
  }
  std::vector<std::string> instruments;
  instruments.reserve(rows_.size());
  for (const StoreRow& row : rows_) instruments.push_back(subject_of(row.row));
  if (const Timestamp time = rows_.front().row.time; time.us % config_.interval.us != 0) {
    complain(fmt::format("interval: a bar begins at {}, which is no multiple of {}: give the collector's own",
                         format_time(time), interval_));
  }
  outbox_.fill(instruments);
  return true;
}

void Shipper::send() {
  const Time now = std::chrono::steady_clock::now();
  for (const std::size_t number : outbox_.due(now)) {
    const StoreRow& row = rows_[number];
    const OutMessage message{subject_of(row.row), message_id(row), collector_, interval_, row.line};
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
    looked_ = {};
    const std::string said = broker_->last_error();
    complain(fmt::format(
        "the broker does not answer{}; rows are kept and sent again{}", said.empty() ? "" : ": " + said,
        said.find("Permissions") == said.npos ? "" : ": let this user publish to cvd.v1.> and subscribe to _INBOX.>"));
  }
  while (const auto answer = broker_->next_answer(patience)) {
    patience = std::chrono::milliseconds(1);
    const std::size_t dash = answer->token.find('-');
    if (dash == answer->token.npos || answer->token.substr(0, dash) != std::to_string(outbox_.piece())) continue;
    const std::size_t number = std::strtoull(answer->token.c_str() + dash + 1, nullptr, 10);
    const PubAnswer said = parse_pub_answer(answer->body, answer->no_responders);
    if (!said.stored) {
      metrics_.add("refused_publishes_total", "Messages that the broker answered with an error");
      complain(fmt::format("the broker refuses rows: {}; they are kept and tried again", said.error));
      looked_ = {};
      outbox_.failed(number, std::chrono::steady_clock::now());
      continue;
    }
    if (said.duplicate) metrics_.add("duplicates_total", "Messages that the broker had already");
    outbox_.stored(number);
    ++rows_acknowledged_;
    checkpoint_.last_sequence = std::max(checkpoint_.last_sequence, said.sequence);
    if (number < rows_.size()) newest_acknowledged_ = std::max(newest_acknowledged_, rows_[number].row.time);
    if (outbox_.empty()) return;
  }
}

void Shipper::piece_done() {
  checkpoint_.files[reading_.name] = behind_;
  dirty_ = true;
  rows_.clear();
  trouble_.clear();
  complained_.clear();
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
  const bool behind = !outbox_.empty() || bytes_waiting_ > 0;
  const double lag = behind && newest_acknowledged_.us > 0
                         ? static_cast<double>((wall_now() - newest_acknowledged_).us - config_.interval.us) / 1e6
                         : 0;
  metrics_.set("ship_lag_seconds", "Age of the newest acknowledged bar while rows wait; 0: none waits",
               std::max(0.0, lag));
  metrics_.set("ship_backlog_bytes", "Bytes of the files that are not acknowledged yet",
               static_cast<double>(bytes_waiting_));
  metrics_.set("newest_bar_timestamp_seconds", "Start of the newest bar that was acknowledged",
               static_cast<double>(newest_acknowledged_.us / 1'000'000));
}

std::string Shipper::status() const {
  return fmt::format("{} rows acknowledged, {} on their way{}{}", rows_acknowledged_, outbox_.open(),
                     trouble_.empty() ? "" : "; ", trouble_.substr(0, 200));
}

}  // namespace cvdd::engine
