// What the daemon adds to a capture so that it can be replayed to the same bytes: which instruments there were, in
// which order records came to the ledger, when bars were closed. Text and back; docs/capture.md has the format. Trades
// are not repeated: a note names them, and their numbers come from the frames and answers beside it. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/flow.hpp"

namespace cvdd {

// A process begins, or its capture does in a new file: what its ledger is told when it is made.
struct RunNote {
  Timestamp began;         // of the process's capture: one run, one moment
  std::uint64_t part = 0;  // of its files, counted from 0
  Duration interval, close_delay;
  bool event_time = false, repairs = false, watched = false;
  friend bool operator==(const RunNote&, const RunNote&) = default;
};
// A connection: WebSocket (`answers` false), or one question by REST.
struct ConnectionNote {
  std::uint64_t connection = 0;
  std::string exchange;
  Market market = Market::spot;
  bool answers = false;
  std::string url;
};
// An instrument as it is known from here on: a new one, or another contract size.
struct InstrumentNote {
  Instrument instrument;
};
// It is in the ledger now. `held`: its rows wait for its past. `rows`: what the files say of it, oldest first; empty:
// nothing.
struct AddedNote {
  std::uint32_t instrument = 0;
  bool held = false;
  std::optional<std::uint64_t> last_id;
  std::vector<Row> rows;
};
// Its volume is counted by the size of its trades from here on; what the flow files have of it.
struct BucketsNote {
  std::uint32_t instrument = 0;
  std::vector<Decimal> bounds;
  std::vector<FlowRow> rows;
};
struct CandlesNote {
  std::uint32_t instrument = 0;
  std::vector<Candle> candles;
};
// The REST answer that comes next on its connection has this HTTP status, and is not 200.
struct StatusNote {
  unsigned status = 0;
};
struct CloseNote {
  Timestamp upto;
};
struct FinishNote {
  Timestamp whole_until, now;
};
// A trade among the records: its fingerprint finds it.
struct TradeReference {
  RecordKind kind = RecordKind::trade;  // trade, other, placeholder, again, again_other
  std::uint32_t instrument = 0;
  std::uint64_t id = 0;           // Record::id()
  std::uint64_t fingerprint = 0;  // of an id, its lower 16 bits
};
using RecordedItem = std::variant<Record, TradeReference>;  // a mark as it is, or a trade
// What the ledger was given next, in this order.
struct RecordsNote {
  std::vector<RecordedItem> items;
};
using CaptureNote = std::variant<RunNote, ConnectionNote, InstrumentNote, AddedNote, BucketsNote, CandlesNote,
                                 StatusNote, CloseNote, FinishNote, RecordsNote>;

[[nodiscard]] std::string to_text(const RunNote& note);
[[nodiscard]] std::string to_text(const ConnectionNote& note);
[[nodiscard]] std::string to_text(const InstrumentNote& note);
[[nodiscard]] std::string to_text(const AddedNote& note);
[[nodiscard]] std::string to_text(const BucketsNote& note);
[[nodiscard]] std::string to_text(const CandlesNote& note);
[[nodiscard]] std::string to_text(const StatusNote& note);
[[nodiscard]] std::string to_text(const CloseNote& note);
[[nodiscard]] std::string to_text(const FinishNote& note);
// Names that were told, and whose trades have not come yet; by instrument.
using PendingNames = std::map<std::uint32_t, IdText>;
// Appends the note of these records, marks and trades as they come.
void append_records_note(std::string& out, std::span<const Record> records, PendingNames& names);

// Empty: it is no note of ours.
[[nodiscard]] std::optional<CaptureNote> parse_note(std::string_view text);

// A short number that tells trades of the same id apart: of price, sizes, side, time, and the id's text if ids have no
// order.
[[nodiscard]] std::uint64_t fingerprint_of(const Record& trade, const IdText& name);

}  // namespace cvdd
