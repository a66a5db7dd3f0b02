#include "capture_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <stdexcept>

#include "cvdd/exchanges/exchange.hpp"
#include "cvdd/ledger/ledger.hpp"
#include "cvdd/storage/capture_notes.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "cvdd/storage/recording.hpp"
#include "trade_pool.hpp"

namespace cvdd {

namespace {
std::optional<RunNote> run_of(const std::string& path) {
  RecordingReader reader(path);
  RecordedMessage first;
  if (!reader.next_line(first) || first.kind != LineKind::note) return std::nullopt;
  const auto note = parse_note(first.text);
  const auto* run = note ? std::get_if<RunNote>(&*note) : nullptr;
  return run != nullptr ? std::optional(*run) : std::nullopt;
}

// Of a URL's path and query the pieces that may name an instrument.
std::vector<std::string> words_of_target(std::string_view url) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < url.size(); ++i) {
    const auto hex = [&](std::size_t at) {
      const auto digit = std::string_view("0123456789ABCDEF").find(static_cast<char>(std::toupper(url[at])));
      return digit == std::string_view::npos ? 0U : static_cast<unsigned>(digit);
    };
    if (std::string_view("/?&=,").find(url[i]) != std::string_view::npos) {
      words.emplace_back();
    } else if (url[i] == '%' && i + 2 < url.size()) {
      words.back() += static_cast<char>(hex(i + 1) << 4U | hex(i + 2));
      i += 2;
    } else {
      words.back() += url[i];
    }
  }
  return words;
}

// Questions about the instrument's past, such as they are; what they ask for is any.
std::vector<std::string> questions_about(const History& history, const Instrument& instrument) {
  std::vector<std::string> out;
  if (history.by_id != nullptr) out.push_back(history.by_id(instrument, 1, 1));
  if (history.since != nullptr) out.push_back(history.since(instrument, {}, 1));
  if (history.recent != nullptr) out.push_back(history.recent(instrument));
  if (history.before != nullptr) out.push_back(history.before(instrument, {}));
  if (history.newest != nullptr) out.push_back(history.newest(instrument, Stream::single));
  if (history.between != nullptr) out.push_back(history.between(instrument, {}, {}));
  return out;
}

class CaptureReplay {
 public:
  explicit CaptureReplay(const ReplayOptions& options)
      : options_(options), files_(make_file_sink()), store_(*files_, options.out_dir, {false, true}) {
    if (!store_.open(1).empty()) {
      throw std::runtime_error(options.out_dir + ": holds cvdd files already; choose an empty folder");
    }
    for (const std::string& path : options.recordings) {
      const auto run = run_of(path);
      if (!run) throw std::runtime_error(path + ": is no capture as cvdd writes it, and others here are");
      parts_.push_back({*run, path});
    }
    // Their names sort as they were written.
    std::ranges::sort(parts_, {}, [](const Part& p) { return p.path.substr(p.path.rfind('/') + 1); });
  }

  ReplaySummary run() {
    const auto begin = std::chrono::steady_clock::now();
    for (const Part& part : parts_) read(part.path);
    summary_.captured = true;
    summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return summary_;
  }

 private:
  struct Part {
    RunNote run;
    std::string path;
  };
  struct Side {
    const Exchange* exchange = nullptr;
    SymbolTable symbols;
    // Of questions about one instrument, as REST may spell it; null: of more than one.
    std::map<std::string, const Instrument*> words;
    [[nodiscard]] const Instrument* asked_about(const std::string& word) const {
      const auto spelled = symbols.find(word);
      if (spelled != symbols.end()) return spelled->second;
      const auto other = words.find(word);
      return other == words.end() ? nullptr : other->second;
    }
  };
  struct Connection {
    Side* side = nullptr;
    std::string url;
    bool answers = false;
    bool refused = false;  // its answer is none
  };
  // One life of the daemon.
  struct Run {
    explicit Run(const RunNote& what)
        : note(what), ledger({what.interval, what.event_time, what.repairs, what.watched}) {}
    RunNote note;
    bool whole = true;  // from its beginning on
    std::deque<Instrument> instruments;
    std::map<std::uint32_t, Instrument*> by_id;
    std::map<std::pair<std::string, Market>, Side> sides;
    std::map<std::uint64_t, Connection> connections;
    Ledger ledger;
    TradePool pool;
  };

  void read(const std::string& path) {
    RecordingReader reader(path);
    RecordedMessage line;
    while (reader.next_line(line)) {
      path_ = &path;
      if (line.received) now_ = *line.received;
      if (line.kind == LineKind::note) {
        note(line);
      } else if (line.kind == LineKind::in) {
        take(line);
      } else if (line.kind == LineKind::close && run_) {
        run_->connections.erase(line.connection);
      }
    }
    summary_.broken_lines += reader.broken_lines();
    summary_.torn += reader.torn() ? 1U : 0U;
  }

  // ---------------------------------------------------------------- what exchanges said

  void take(const RecordedMessage& line) {
    if (!run_) return;
    const auto known = run_->connections.find(line.connection);
    if (known == run_->connections.end()) return;
    const Connection& connection = known->second;
    if (connection.answers) return answer(connection, line.text);
    ++summary_.messages;
    connection.side->exchange->parse(line.text, connection.side->symbols, parsed_);
    for (const Trade& trade : parsed_.trades) run_->pool.put(trade, false, now_);
    if (summary_.messages % 4'096 == 0) run_->pool.forget(now_);
  }

  // A page of history names its instrument by its question.
  void answer(const Connection& connection, const std::string& body) {
    ++summary_.answers;
    const History* const history = connection.side->exchange->history;
    if (history == nullptr || connection.refused) return;
    for (const std::string& word : words_of_target(connection.url)) {
      const Instrument* const named = connection.side->asked_about(word);
      if (named == nullptr) continue;
      const auto page = history->read(body, *named);
      if (!page) return;  // candles, a list
      for (const Trade& trade : page->trades) run_->pool.put(trade, true, now_);
      return;
    }
  }

  // ---------------------------------------------------------------- what the daemon noted

  void note(const RecordedMessage& line) {
    auto parsed = parse_note(line.text);
    if (!parsed) {
      ++summary_.broken_lines;
      return;
    }
    if (const auto* run = std::get_if<RunNote>(&*parsed)) return begin(*run);
    if (!run_) return;
    if (const auto* status = std::get_if<StatusNote>(&*parsed)) {
      const auto known = run_->connections.find(line.connection);
      if (known != run_->connections.end()) known->second.refused = status->status != 200;
      return;
    }
    std::visit([&](auto& what) { heed(what); }, *parsed);
  }

  void begin(const RunNote& note) {
    if (run_ && run_->note.began == note.began && note.part == run_->note.part + 1) {
      run_->note.part = note.part;
      return;
    }
    run_ = std::make_unique<Run>(note);
    run_->whole = note.part == 0;
    if (!run_->whole) ++summary_.without_beginning;
  }

  void heed(const RunNote&) {}
  void heed(const StatusNote&) {}
  void heed(const ConnectionNote& n) {
    Side& side = side_of(n.exchange, n.market);
    if (side.exchange != nullptr) run_->connections[n.connection] = {&side, n.url, n.answers, false};
  }
  void heed(const InstrumentNote& n) {
    Instrument*& known = run_->by_id[n.instrument.id];
    if (known != nullptr && known->symbol == n.instrument.symbol && known->exchange == n.instrument.exchange &&
        known->market == n.instrument.market) {
      known->contract_size = n.instrument.contract_size;
      return;
    }
    // The number of one that ended long ago, and was forgotten.
    if (known != nullptr) (void)run_->ledger.forget(n.instrument.id);
    known = &run_->instruments.emplace_back(n.instrument);
    Side& side = side_of(known->exchange, known->market);
    side.symbols[known->symbol] = known;
    if (side.exchange == nullptr || side.exchange->history == nullptr) return;
    for (const std::string& question : questions_about(*side.exchange->history, *known)) {
      for (const std::string& word : words_of_target(question)) {
        const auto [at, first] = side.words.try_emplace(word, known);
        if (!first && at->second != known) at->second = nullptr;
      }
    }
  }
  void heed(const AddedNote& n) {
    Instrument& instrument = known(n.instrument);
    if (run_->ledger.knows(instrument.id)) return;
    run_->ledger.add_instrument(instrument);
    if (!n.rows.empty()) run_->ledger.restore(instrument.id, n.rows, n.last_id);
    if (n.held) run_->ledger.hold(instrument.id);
  }
  void heed(const BucketsNote& n) {
    if (run_->ledger.knows(n.instrument)) {
      run_->ledger.count_flow(n.instrument, std::make_shared<const SizeBuckets>(n.bounds), n.rows);
    }
  }
  void heed(CandlesNote& n) { run_->ledger.give_candles(n.instrument, std::move(n.candles)); }
  void heed(const CloseNote& n) {
    run_->ledger.close(n.upto, rows_);
    write();
  }
  void heed(const FinishNote& n) {
    run_->ledger.finish(n.whole_until, n.now, rows_);
    write();
  }
  void heed(const RecordsNote& n) {
    for (const RecordedItem& item : n.items) {
      if (const auto* mark = std::get_if<Record>(&item)) {
        apply(*mark);
      } else {
        apply(std::get<TradeReference>(item));
      }
    }
  }

  void apply(const TradeReference& reference) {
    const Trade* const found = run_->pool.find(reference);
    if (found == nullptr) return missing(reference);
    if (!run_->ledger.knows(reference.instrument)) run_->ledger.add_instrument(known(reference.instrument));
    Trade trade = *found;
    const bool id_alone = reference.kind == RecordKind::placeholder && !trade.placeholder;
    trade.placeholder = trade.placeholder || id_alone;
    const Record record = Record::from(trade).value();  // it was one before
    const bool again = reference.kind == RecordKind::again || reference.kind == RecordKind::again_other;
    const bool named = trade.instrument->ids == Ids::opaque && !trade.name.empty() && !id_alone;
    if (named) run_->ledger.apply(Record::name(trade.name, reference.instrument));
    run_->pool.used(reference);
    ++summary_.trades;
    apply(again ? record.as_again() : record);
  }

  void apply(const Record& record) {
    Ledger& ledger = run_->ledger;
    if (!ledger.knows(record.instrument())) ledger.add_instrument(known(record.instrument()));
    ledger.apply(record);
    if (record.kind() == RecordKind::candles) {
      const std::vector<Row> ready = ledger.take_ready();
      write(ready);
    }
    if (!run_->note.event_time || !ledger.event_due(run_->note.close_delay)) return;
    ledger.close_by_event(run_->note.close_delay, rows_);
    write();
  }

  // Where the beginning is not there, trades of before may be named.
  void missing(const TradeReference& reference) {
    if (!run_->whole) {
      ++summary_.not_found;
      return;
    }
    throw std::runtime_error(fmt::format(
        "{}: trade {} of {} is named, and no message or answer before it brought it: a file of the capture is missing",
        *path_, reference.id, known(reference.instrument).symbol));
  }

  Instrument& known(std::uint32_t id) {
    const auto found = run_->by_id.find(id);
    if (found == run_->by_id.end()) {
      throw std::runtime_error(fmt::format("{}: speaks of an instrument that it does not describe", *path_));
    }
    return *found->second;
  }
  Side& side_of(const std::string& exchange, Market market) {
    Side& side = run_->sides[{exchange, market}];
    if (side.exchange == nullptr) side.exchange = find_exchange(exchange, market);
    return side;
  }

  void write() {
    (void)run_->ledger.take_ended();  // nobody comes back to a capture
    for (const std::string& error : run_->ledger.take_errors()) fmt::print(stderr, "{}\n", error);
    write(rows_);
    rows_.clear();
  }
  void write(std::span<const Row> rows) {
    summary_.rows += rows.size();
    if (const int error = store_.write(rows, run_->ledger.take_flow_rows()); error != 0) {
      throw std::runtime_error(options_.out_dir + ": rows can't be written: " + std::strerror(error));
    }
  }

  const ReplayOptions& options_;
  std::unique_ptr<FileSink> files_;
  CsvStore store_;
  std::vector<Part> parts_;
  std::unique_ptr<Run> run_;
  Parsed parsed_;
  std::vector<Row> rows_;
  Timestamp now_;
  const std::string* path_ = nullptr;
  ReplaySummary summary_;
};
}  // namespace

bool is_capture(const std::string& path) { return run_of(path).has_value(); }

ReplaySummary replay_capture(const ReplayOptions& options) { return CaptureReplay(options).run(); }

}  // namespace cvdd
