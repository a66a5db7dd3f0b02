#include "cvdd/daemon/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <stdexcept>

#include "capture_replay.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/recording.hpp"

namespace cvdd {

namespace {

// The markets of one exchange, their instruments, and the ledger they share.
class Replay {
 public:
  explicit Replay(const ReplayOptions& options)
      : options_(options),
        files_(make_file_sink()),
        store_(*files_, options.out_dir, {false, true}),
        ledger_({options.interval, true}) {
    if (!store_.open(1).empty()) {
      throw std::runtime_error(options.out_dir + ": holds cvdd files already; choose an empty folder");
    }
    find_markets();
    for (const std::string& path : options.instruments) read_instruments(path);
    for (Side& market : markets_) {
      for (const Instrument& instrument : market.listed) adopt(market, instrument);
    }
  }

  ReplaySummary run() {
    const auto begin = std::chrono::steady_clock::now();
    MergedRecordings recordings(options_.recordings);
    RecordedMessage message;
    while (recordings.next(message)) {
      ++summary_.messages;
      take(message.text);
    }
    if (const auto newest = ledger_.newest_trade()) ledger_.finish(*newest, *newest, rows_);
    write();
    for (const Side& market : markets_) {
      const IntakeCounters& c = market.intake->counters();
      summary_.trades += c.trades;
      summary_.duplicates += c.duplicates;
      summary_.other_series += c.other_series;
      summary_.ignored += c.ignored;
      summary_.rejected += c.refused_total();
    }
    summary_.rejected -= assumed_;
    summary_.broken_lines = recordings.broken_lines();
    summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return summary_;
  }

 private:
  struct Side {
    const Exchange* exchange = nullptr;
    std::vector<Instrument> listed;
    std::unique_ptr<Intake> intake;
  };

  void find_markets() {
    for (const Exchange* exchange : all_exchanges()) {
      if (exchange->name != options_.exchange) continue;
      if (options_.market != "auto" && name_of(exchange->market) != options_.market) continue;
      markets_.push_back({exchange, {}, std::make_unique<Intake>(*exchange, true)});
    }
    if (markets_.empty()) {
      throw std::runtime_error(
          fmt::format("there is no exchange '{}' with a market '{}'", options_.exchange, options_.market));
    }
  }

  void read_instruments(const std::string& path) {
    const std::string body = read_whole_file(path);
    std::string error;
    bool understood = false;
    for (Side& market : markets_) {
      const auto page = market.exchange->parse_instruments(body);
      if (!page) {
        error = page.error();
        continue;
      }
      understood = true;
      market.listed.insert(market.listed.end(), page->instruments.begin(), page->instruments.end());
    }
    // A list of another market of the same exchange may be given along.
    for (const Exchange* exchange : all_exchanges()) {
      understood = understood || (exchange->name == options_.exchange && exchange->parse_instruments(body));
    }
    if (!understood) throw std::runtime_error(path + ": not an instrument list of " + options_.exchange + ": " + error);
  }

  void adopt(Side& market, const Instrument& instrument) {
    if (owner_.contains({instrument.market, instrument.symbol})) return;
    Instrument& own = instruments_.emplace_back(instrument);
    own.id = static_cast<std::uint32_t>(instruments_.size() - 1);
    owner_[{own.market, own.symbol}] = &market;
    by_symbol_[own.symbol].push_back(&market);
    market.intake->add(own);
    ledger_.add_instrument(own);
  }

  Side& side_of(std::string_view message) {
    if (markets_.size() == 1) return markets_.front();
    const std::string symbol = markets_.front().exchange->symbol_of(message);
    const auto known = by_symbol_.find(symbol);
    if (known == by_symbol_.end()) return markets_.front();
    for (Side* market : known->second) {
      if (fits(*market, message)) return *market;
    }
    // Another market's instrument of the same name, which is not known yet.
    const auto other = std::ranges::find_if(markets_, [&](const Side& market) { return fits(market, message); });
    return other == markets_.end() ? *known->second.front() : *other;
  }

  // Whether a message may be of this market by its form. Who named a market knows better.
  [[nodiscard]] bool fits(const Side& market, std::string_view message) const {
    const auto looks_like_ours = market.exchange->looks_like_ours;
    return markets_.size() == 1 || looks_like_ours == nullptr || looks_like_ours(message);
  }

  void take(const std::string& message) {
    Side& market = side_of(message);
    const Timestamp now = ledger_.newest_trade().value_or(Timestamp{});
    const Parsed& parsed = market.intake->take(message, now, records_);
    const bool unlisted = parsed.refusal == Refusal::unknown_symbol || parsed.refusal == Refusal::wrong_market;
    if (unlisted && records_.empty()) take_unlisted(message, now);
    for (const Record& record : records_) {
      ledger_.apply(record);
      if (!ledger_.event_due(options_.close_delay)) continue;
      ledger_.close_by_event(options_.close_delay, rows_);
      write();
    }
    records_.clear();
  }

  // An instrument that no list has, if its name says all that must be known of it.
  void take_unlisted(const std::string& message, Timestamp now) {
    const std::string symbol = markets_.front().exchange->symbol_of(message);
    for (Side& market : markets_) {
      Instrument instrument;
      if (!fits(market, message) || !market.exchange->assume_instrument(symbol, market.listed, instrument)) continue;
      ++assumed_;
      adopt(market, instrument);
      market.intake->take(message, now, records_);
      return;
    }
  }

  void write() {
    for (const std::string& error : ledger_.take_errors()) fmt::print(stderr, "{}\n", error);
    if (const int error = store_.write(rows_); error != 0) {
      throw std::runtime_error(options_.out_dir + ": rows can't be written: " + std::strerror(error));
    }
    rows_.clear();
  }

  const ReplayOptions& options_;
  std::unique_ptr<FileSink> files_;
  CsvStore store_;
  Ledger ledger_;
  std::deque<Side> markets_;
  std::deque<Instrument> instruments_;
  std::map<std::pair<Market, std::string>, Side*> owner_;
  std::map<std::string, std::vector<Side*>> by_symbol_;  // of several markets where a name is used in several
  std::vector<Record> records_;
  std::vector<Row> rows_;
  std::uint64_t assumed_ = 0;
  ReplaySummary summary_;
};

std::string captured_line(const ReplaySummary& s) {
  std::string line = fmt::format("replay: {} messages, {} answers, {} trades, {} rows, {:.3f} s, {:.0f} messages/s",
                                 s.messages, s.answers, s.trades, s.rows, s.seconds,
                                 s.seconds > 0 ? static_cast<double>(s.messages) / s.seconds : 0.0);
  if (s.broken_lines > 0) line += fmt::format(", {} broken lines passed over", s.broken_lines);
  if (s.torn > 0) line += fmt::format(", {} files end before their end", s.torn);
  if (s.without_beginning > 0) {
    line += fmt::format(", {} runs without their first file: their CVDs begin at 0, {} trades of before left out",
                        s.without_beginning, s.not_found);
  }
  return line;
}
}  // namespace

ReplaySummary replay(const ReplayOptions& options) {
  return options.exchange.empty() ? replay_capture(options) : Replay(options).run();
}

std::string summary_line(const ReplaySummary& s) {
  if (s.captured) return captured_line(s);
  std::string line = fmt::format(
      "replay: {} messages, {} trades, {} duplicates, {} rejected, {:.3f} s, {:.0f} messages/s", s.messages, s.trades,
      s.duplicates, s.rejected, s.seconds, s.seconds > 0 ? static_cast<double>(s.messages) / s.seconds : 0.0);
  if (s.other_series > 0) line += fmt::format(", {} of another stream of the same trades left out", s.other_series);
  if (s.broken_lines > 0) line += fmt::format(", {} broken lines passed over", s.broken_lines);
  return line;
}

}  // namespace cvdd
