// A database that holds every collector's rows: each once, by (exchange, market, symbol, time, collector), at its
// highest revision. Views show the better one of each bar (`bars`) and the exact running sum over those (`cvd`). Rows
// beside those are in tables of their own (`context_rows`, `flow_rows`; views `context`, `flow`, `flow_cvd`). A
// store belongs to one thread; several stores, of several processes, may write to one database at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/engine/layout.hpp"
#include "cvdd/engine/source.hpp"

namespace cvdd::engine {

// A row as the collector printed it, and what it says. Numbers go to the database as they were printed.
struct StoreRow {
  std::string collector;
  std::string line;  // without its newline
  Row row;           // of the other kinds: key, rev, status, counts and deltas
  RowKind kind = RowKind::cvd;
  std::string bucket = {};  // flow alone
};
inline constexpr std::size_t row_fields = 26;  // of the widest kind
using Fields = std::array<std::string_view, row_fields>;
// The columns of a line that was accepted; views into it.
[[nodiscard]] Fields fields_of(std::string_view line);

// What a column of the table takes of a row, as text; empty: NULL. `fields` are the row's, and what it refers to.
[[nodiscard]] std::optional<std::string_view> stored_text(const TableColumn& column, const StoreRow& row,
                                                          const Fields& fields);

// Empty, and `reason` says why, if `line` is no row that cvdd writes, or counts more trades than a database can.
[[nodiscard]] std::optional<StoreRow> store_row_from(std::string_view collector, std::string_view line,
                                                     std::string& reason, RowKind kind = RowKind::cvd);
// "binance/spot/BTCUSDT/2026-11-20T20:59:00Z/0", of the other kinds with their name and bucket behind it.
[[nodiscard]] std::string key_in_words(const StoreRow& row);

// How good a bar is for readers: 3 live and repaired, 2 history, 1 partial, 0 gap. Of two rows of one bar the better
// one has the higher quality; then more trades; then the higher rev; then the collector that comes first by name.
[[nodiscard]] int quality_of(BarStatus status);
[[nodiscard]] bool is_better(const StoreRow& a, const StoreRow& b);

// What can't be stored as a row is kept beside them, as it came.
struct Rejected {
  std::string source;  // whose: a collector, or a stream
  std::string place;   // where it stands there: "cvd-2026-11-20.csv:1234" (byte), "seq:99"
  std::string reason;
  std::string text;  // at most 4 KiB of it
};

struct Write {
  std::span<const StoreRow> rows = {};
  std::span<const Rejected> rejected = {};
  // How far the collector's file is in the database with this: never ahead of the rows.
  std::string collector = {};
  std::string file = {};  // "": no file
  Position position = {};
};

struct StoreError : std::runtime_error {
  enum class Kind : std::uint8_t {
    temporary,  // gets better by itself, or once somebody has done what the text says: try again
    permanent,  // wrong password, no such database, too old a version: somebody must change the configuration
    row,        // the database refuses one of the rows: the others can be stored without it
  };
  StoreError(Kind what, const std::string& text) : std::runtime_error(text), kind(what) {}
  Kind kind;
};

// Two collectors that both call a bar live or repaired, and do not agree about it: one of them is wrong.
struct Contradiction {
  std::string time, exchange, market, symbol, collector, other_collector, what;
};

class Store {
 public:
  virtual ~Store() = default;
  // Connects if there is no connection, makes or migrates tables and views. Throws StoreError.
  virtual void open() = 0;
  [[nodiscard]] virtual Positions positions(const std::string& collector) = 0;
  // When it returns all of it is committed. `durable`: … and on the disk. Throws StoreError; rows may be there then,
  // with more than one connection, and the position is as it was; the connection is made anew by the next call, if it
  // was lost.
  virtual void write(const Write& what) = 0;
  // Of bars not older than `since`; at most `most`, newest first.
  [[nodiscard]] virtual std::vector<Contradiction> contradictions(Timestamp since, std::size_t most) = 0;
  // One line about it for doctor: version, rows.
  [[nodiscard]] virtual std::string about() = 0;
  // The rows that this database has refused for good, over all its time.
  [[nodiscard]] virtual std::uint64_t rejected_count() = 0;
};

// What `--to` names.
struct StoreUrl {
  enum class Kind : std::uint8_t { sqlite, postgres, clickhouse } kind = Kind::sqlite;
  std::string text;                  // the whole; may hold a password
  std::string shown;                 // without it
  std::vector<std::string> secrets;  // what must not get into a log
};
// Throws std::invalid_argument saying what is wrong and what is expected.
[[nodiscard]] StoreUrl parse_store_url(const std::string& text);

struct StoreOptions {
  bool durable = false;  // SQLite: every commit is synced. Without it the newest may be lost at a power loss, together
                         // with the positions that say that they are there
  std::size_t connections = 1;  // PostgreSQL: that share a large batch's rows
  std::string ca_file;          // ClickHouse: PEM roots beside the system's
};
// Throws StoreError (permanent) if this build lacks the library.
[[nodiscard]] std::unique_ptr<Store> make_store(const StoreUrl& url, const StoreOptions& options);

// The databases that this build can write to: "sqlite postgres clickhouse".
[[nodiscard]] std::string stores_built();

// A decimal as whole part and four times nine digits behind the point, all with its sign: what an integer sum keeps
// exact. Empty if the whole part has more than 18 digits.
using Limbs = std::array<std::int64_t, 5>;
[[nodiscard]] std::optional<Limbs> limbs_of(const Decimal& value);

}  // namespace cvdd::engine
