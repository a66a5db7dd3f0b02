// SQLite: one file, nothing to run. WAL, so that readers never wait for the writer.
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <iterator>

#include "cvdd/base/time_text.hpp"
#include "sqlite_schema.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

namespace {
constexpr int busy_ms = 10'000;

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// "INSERT … VALUES(?1,…) ON CONFLICT DO UPDATE SET rev=?6,… WHERE ?6 >= rev"; limbs behind the table's other columns.
std::string put_statement(const Layout& layout) {
  std::string values, set, rev;
  int at = 0;
  const auto take = [&](const std::string& name, bool key) {
    const std::string value = fmt::format("?{}", ++at);
    values += (at > 1 ? "," : "") + value;
    if (!key) set += fmt::format("{}\"{}\"={}", set.empty() ? "" : ",", name, value);
    if (name == "rev") rev = value;
  };
  for (const TableColumn& column : layout.stored) take(std::string(column.name), column.key);
  for (const char* const of : {"b", "q"}) {
    for (int limb = 0; layout.summed && limb < 5; ++limb) take(fmt::format("{}{}", of, limb), false);
  }
  return fmt::format("INSERT INTO {} VALUES({}) ON CONFLICT DO UPDATE SET {} WHERE {} >= rev", layout.table, values,
                     set, rev);
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string file, const StoreOptions& options) : file_(std::move(file)), durable_(options.durable) {}

  void open() override {
    if (db_) return;
    sqlite3* db = nullptr;
    const int opened =
        sqlite3_open_v2(file_.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    db_.reset(db);
    if (opened != SQLITE_OK) fail("can't be opened");
    try {
      prepare_database();
    } catch (const StoreError&) {
      close();
      throw;
    }
  }

  Positions positions(const std::string& collector) override {
    open();
    const Statement query = prepare("SELECT file, offset, print FROM positions WHERE collector = ?");
    bind(query, 1, collector);
    Positions out;
    while (step(query)) {
      out[text(query, 0)] = {static_cast<std::uint64_t>(sqlite3_column_int64(query.get(), 1)),
                             static_cast<std::uint32_t>(sqlite3_column_int64(query.get(), 2))};
    }
    return out;
  }

  void write(const Write& what) override {
    open();
    execute("BEGIN IMMEDIATE");
    try {
      for (const StoreRow& row : what.rows) put(row);
      for (const Rejected& row : what.rejected) {
        const std::string_view values[] = {row.source, row.place, row.reason, row.text};
        run(reject_, values);
      }
      if (!what.file.empty()) {
        bind(position_, 1, what.collector);
        bind(position_, 2, what.file);
        bind(position_, 3, static_cast<std::int64_t>(what.position.offset));
        bind(position_, 4, static_cast<std::int64_t>(what.position.print));
        finish(position_);
      }
      execute("COMMIT");
    } catch (const StoreError& error) {
      if (sqlite3_get_autocommit(db_.get()) == 0) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      // What a full or broken disk has left in memory is not to be believed.
      if (error.kind == StoreError::Kind::temporary) close();
      throw;
    }
  }

  std::vector<Contradiction> contradictions(Timestamp since, std::size_t most) override {
    open();
    const Statement query = prepare(
        "SELECT time, exchange, market, symbol, collector, other_collector, 'buys '||buys||' and '||other_buys||', "
        "sells "
        "'||sells||' and '||other_sells||', delta_base '||delta_base||' and '||other_delta_base FROM contradictions "
        "WHERE time >= ? ORDER BY time DESC LIMIT ?");
    const std::string from = format_time(since);
    bind(query, 1, from);
    bind(query, 2, static_cast<std::int64_t>(most));
    std::vector<Contradiction> out;
    while (step(query)) {
      out.push_back({text(query, 0), text(query, 1), text(query, 2), text(query, 3), text(query, 4), text(query, 5),
                     text(query, 6)});
    }
    return out;
  }

  std::string about() override {
    open();
    const Statement query = prepare("SELECT max(time) FROM rows");
    (void)step(query);
    return fmt::format("SQLite {}, newest bar {}", sqlite3_libversion(),
                       text(query, 0).empty() ? "none" : text(query, 0));
  }

  std::uint64_t rejected_count() override {
    open();
    const Statement query = prepare("SELECT count(*) FROM rejected");
    (void)step(query);
    return static_cast<std::uint64_t>(sqlite3_column_int64(query.get(), 0));
  }

 private:
  void prepare_database() {
    sqlite3_busy_timeout(db_.get(), busy_ms);
    // Not a readable database, a newer SQLite's, a directory that can't be written to: all say so here.
    execute("PRAGMA journal_mode = WAL");
    execute(durable_ ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    execute("PRAGMA cache_size = -65536");
    execute("PRAGMA temp_store = MEMORY");
    migrate();
    for (const RowKind kind : row_kinds) put_[index_of(kind)] = prepare(put_statement(layout_of(kind)));
    reject_ = prepare("INSERT INTO rejected VALUES(?,?,?,?) ON CONFLICT DO NOTHING");
    position_ = prepare("INSERT INTO positions VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET offset=?3, print=?4");
  }

  void migrate() {
    execute("BEGIN IMMEDIATE");
    const int version = user_version();
    constexpr int newest = sqlite_migrations.back().version;
    if (version > newest) {
      execute("ROLLBACK");
      throw StoreError(
          StoreError::Kind::permanent,
          fmt::format("sqlite:{}: was made by a newer cvdd-engine (schema {}, this one knows {}): install that "
                      "version, or load into another file",
                      file_, version, newest));
    }
    for (const Migration& step : sqlite_migrations) {
      if (step.version <= version) continue;
      execute(step.sql);
      execute(fmt::format("PRAGMA user_version = {}", step.version).c_str());
    }
    execute("COMMIT");
  }

  int user_version() {
    const Statement query = prepare("PRAGMA user_version");
    (void)step(query);
    return sqlite3_column_int(query.get(), 0);
  }

  void put(const StoreRow& row) {
    const Layout& layout = layout_of(row.kind);
    const Statement& statement = put_[index_of(row.kind)];
    const Fields f = fields_of(row.line);
    int at = 0;
    for (const TableColumn& column : layout.stored) {
      ++at;
      const auto text = stored_text(column, row, f);
      if (!text) {
        sqlite3_bind_null(statement.get(), at);
      } else if (column.form == Form::count) {
        bind(statement, at, static_cast<std::int64_t>(parse_digits(*text).value_or(0)));
      } else {
        bind(statement, at, *text);
      }
    }
    if (layout.summed) put_limbs(statement, at, row);
    finish(statement);
  }

  void put_limbs(const Statement& statement, int at, const StoreRow& row) {
    for (const Decimal* delta : {&row.row.delta_base, &row.row.delta_quote}) {
      const auto limbs = limbs_of(*delta);
      if (!limbs) {
        throw StoreError(StoreError::Kind::row,
                         "a delta of more than 18 digits before the point: its sum would not be exact");
      }
      for (const std::int64_t limb : *limbs) bind(statement, ++at, limb);
    }
  }

  void run(const Statement& statement, std::span<const std::string_view> values) {
    for (std::size_t i = 0; i < values.size(); ++i) bind(statement, static_cast<int>(i) + 1, values[i]);
    finish(statement);
  }

  Statement prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
      fail("refuses a statement");
    }
    return Statement(statement);
  }
  // The text must live until the statement is stepped.
  void bind(const Statement& statement, int at, std::string_view value) {
    // An empty view may have no address, which SQLite would take for NULL.
    sqlite3_bind_text(statement.get(), at, value.empty() ? "" : value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
  }
  void bind(const Statement& statement, int at, std::int64_t value) { sqlite3_bind_int64(statement.get(), at, value); }
  bool step(const Statement& statement) {
    const int result = sqlite3_step(statement.get());
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail("can't be read or written");
    return result == SQLITE_ROW;
  }
  void finish(const Statement& statement) {
    const int result = sqlite3_step(statement.get());
    if (result != SQLITE_DONE) {
      const int code = sqlite3_extended_errcode(db_.get());
      const std::string message = sqlite3_errmsg(db_.get());
      sqlite3_reset(statement.get());
      fail("can't be written", code, message);
    }
    sqlite3_reset(statement.get());
  }
  static std::string text(const Statement& statement, int column) {
    const auto* value = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column));
    return value == nullptr ? "" : value;
  }
  void execute(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("can't be written");
  }

  [[noreturn]] void fail(const std::string& what) {
    fail(what, db_ ? sqlite3_extended_errcode(db_.get()) : SQLITE_NOMEM, db_ ? sqlite3_errmsg(db_.get()) : "no memory");
  }
  [[noreturn]] void fail(const std::string& what, int code, const std::string& message) {
    const auto error = [&](StoreError::Kind kind, const char* advice) {
      return StoreError(kind, fmt::format("sqlite:{}: {}: {}; {}", file_, what, message, advice));
    };
    switch (code & 0xFF) {
      case SQLITE_FULL:
        throw error(StoreError::Kind::temporary,
                    "make room on its disk: nothing is lost, the rows are still in the files");
      case SQLITE_IOERR:
        throw error(StoreError::Kind::temporary, "look after its disk: the rows are still in the files");
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw error(StoreError::Kind::temporary, "another program holds it locked: end its transaction");
      case SQLITE_READONLY:
      case SQLITE_PERM:
        throw error(StoreError::Kind::permanent, "give this user the right to write the file and its folder");
      case SQLITE_CANTOPEN:
        throw error(
            StoreError::Kind::permanent,
            "its folder must exist, on a disk that is not read-only, and this user must be allowed to write there");
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT:
        throw error(StoreError::Kind::permanent, "move the file away and load again: the CSV files have every row");
      default:
        throw error(StoreError::Kind::permanent, "is this a database that cvdd-engine made?");
    }
  }

  void close() {
    for (Statement& one : put_) one.reset();
    reject_.reset();
    position_.reset();
    db_.reset();
  }

  std::string file_;
  bool durable_;
  std::unique_ptr<sqlite3, Close> db_;
  std::array<Statement, std::size(row_kinds)> put_;  // by kind
  Statement reject_, position_;
};
}  // namespace

std::unique_ptr<Store> make_sqlite_store(const std::string& file, const StoreOptions& options) {
  return std::make_unique<SqliteStore>(file, options);
}

}  // namespace cvdd::engine
