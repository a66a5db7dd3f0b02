// PostgreSQL: rows by COPY into a table of this session, from there by one statement to where they belong, in the order
// of the key, so that writers that meet wait for each other and never in a circle.
#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstring>
#include <map>

#include "cvdd/core/csv.hpp"
#include "cvdd/net/printable.hpp"
#include "postgres_connection.hpp"
#include "postgres_schema.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

namespace {
constexpr int version_min = 130'000;
constexpr unsigned merges_after_clash = 50;  // batches that go the longer way, once a row was there already

// A field of COPY's text format.
void append_field(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') out += '\\';
    out += c;
  }
  out += '\t';
}
void append_optional(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "\\N\t";
  } else {
    append_field(out, text);
  }
}

// In the order of the table's columns, and the line's number.
void append_copy_line(std::string& out, const StoreRow& row, std::optional<std::size_t> number) {
  const Fields f = fields_of(row.line);
  for (const std::size_t column : {1U, 2U, 3U, 0U}) append_field(out, f[column]);
  append_field(out, row.collector);
  append_field(out, f[4]);
  append_field(out, f[5]);
  out += fmt::format("{}\t", quality_of(row.row.status));
  for (std::size_t column = 6; column < 10; ++column) append_optional(out, f[column]);
  for (std::size_t column = 10; column < 24; ++column) append_field(out, f[column]);
  append_optional(out, f[24] == "?" ? std::string_view() : f[24]);
  if (number) {
    out += fmt::format("{}\n", *number);
  } else {
    out.back() = '\n';
  }
}

// A row that was taken for new is not.
struct KeyIsThere {};

// A batch's rows, each bar's highest revision alone.
struct Parts {
  std::vector<const StoreRow*> fresh;   // bars whose first revision is in the batch too: probably not in the table yet
  std::vector<const StoreRow*> merged;  // all others
};
Parts parts_of(std::span<const StoreRow> rows, bool fresh) {
  struct Bar {
    const StoreRow* row = nullptr;
    bool first = false;
  };
  std::map<std::string, Bar> bars;  // in the order of the table's key, as all writers have it
  std::string key;
  for (const StoreRow& row : rows) {
    const Fields f = fields_of(row.line);
    key.clear();
    for (const std::size_t column : {1U, 2U, 3U, 0U}) {
      key += f[column];
      key += ',';
    }
    Bar& bar = bars[key + row.collector];
    bar.first = bar.first || row.row.rev == 0;
    if (bar.row == nullptr || row.row.rev >= bar.row->row.rev) bar.row = &row;
  }
  Parts parts;
  for (const auto& [name, bar] : bars) (fresh && bar.first ? parts.fresh : parts.merged).push_back(bar.row);
  return parts;
}

const char* const merge =
    "INSERT INTO rows SELECT DISTINCT ON (exchange, market, symbol, time, collector) exchange, market, symbol, time, "
    "collector, rev, status, quality, open, high, low, close, buys, sells, buy_base, sell_base, buy_quote, sell_quote, "
    "delta_base, delta_quote, cvd_base, cvd_quote, other_base, other_quote, first_id, last_id, missing FROM cvdd_batch "
    "ORDER BY exchange, market, symbol, time, collector, rev DESC, number DESC "
    "ON CONFLICT (exchange, market, symbol, time, collector) DO UPDATE SET rev = excluded.rev, status = "
    "excluded.status, "
    "quality = excluded.quality, open = excluded.open, high = excluded.high, low = excluded.low, close = "
    "excluded.close, "
    "buys = excluded.buys, sells = excluded.sells, buy_base = excluded.buy_base, sell_base = excluded.sell_base, "
    "buy_quote = excluded.buy_quote, sell_quote = excluded.sell_quote, delta_base = excluded.delta_base, "
    "delta_quote = excluded.delta_quote, cvd_base = excluded.cvd_base, cvd_quote = excluded.cvd_quote, "
    "other_base = excluded.other_base, other_quote = excluded.other_quote, first_id = excluded.first_id, "
    "last_id = excluded.last_id, missing = excluded.missing "
    "WHERE excluded.rev > rows.rev OR (excluded.rev = rows.rev AND excluded.* IS DISTINCT FROM rows.*)";

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(StoreUrl url) : url_(std::move(url)) {}

  void open() override {
    if (connection_ && PQstatus(connection_.get()) == CONNECTION_OK) return;
    connection_ = connect_postgres(url_);
    try {
      prepare_session();
    } catch (const StoreError&) {
      connection_.reset();
      throw;
    }
  }

  Positions positions(const std::string& collector) override {
    open();
    const Answer answer = ask("SELECT file, byte_offset, print FROM positions WHERE collector = $1", {collector});
    Positions out;
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      out[value(answer, i, 0)] = {std::stoull(value(answer, i, 1)),
                                  static_cast<std::uint32_t>(std::stoull(value(answer, i, 2)))};
    }
    return out;
  }

  void write(const Write& what) override {
    open();
    try {
      put(what, merges_ == 0);
      merges_ -= merges_ > 0 ? 1U : 0U;
    } catch (const KeyIsThere&) {
      // Some of them are in the database: what had been taken for new goes the longer way, and so do the next batches.
      merges_ = merges_after_clash;
      put(what, false);
    }
  }

  // With `fresh`, what begins a bar goes straight into the table; all else, by way of this session's table.
  void put(const Write& what, bool fresh) {
    try {
      (void)ask("BEGIN");
      const Parts parts = parts_of(what.rows, fresh);
      if (!parts.fresh.empty()) copy("COPY rows FROM STDIN", parts.fresh, false);
      if (!parts.merged.empty()) {
        copy("COPY cvdd_batch FROM STDIN", parts.merged, true);
        (void)ask(merge);
      }
      for (const Rejected& one : what.rejected) {
        (void)ask("INSERT INTO rejected VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING",
                  {one.source, one.place, one.reason, one.text});
      }
      if (!what.file.empty()) {
        (void)ask(
            "INSERT INTO positions VALUES($1,$2,$3,$4) ON CONFLICT (collector, file) DO UPDATE SET "
            "byte_offset = excluded.byte_offset, print = excluded.print",
            {what.collector, what.file, std::to_string(what.position.offset), std::to_string(what.position.print)});
      }
      (void)ask("COMMIT");
    } catch (const KeyIsThere&) {
      (void)ask("ROLLBACK");
      throw;
    } catch (const StoreError& error) {
      const Answer ignored(PQexec(connection_.get(), "ROLLBACK"));
      // Whatever is the matter with it: a new connection is sound.
      if (error.kind != StoreError::Kind::row) connection_.reset();
      throw;
    }
  }

  std::vector<Contradiction> contradictions(Timestamp since, std::size_t most) override {
    open();
    const Answer answer = ask(
        "SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), exchange, market, symbol, "
        "collector, "
        "other_collector, 'buys '||buys||' and '||other_buys||', sells '||sells||' and '||other_sells||', delta_base "
        "'||delta_base||' and '||other_delta_base FROM contradictions WHERE time >= $1::timestamptz "
        "ORDER BY time DESC LIMIT $2::bigint",
        {format_time(since), std::to_string(most)});
    std::vector<Contradiction> out;
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      out.push_back({value(answer, i, 0), value(answer, i, 1), value(answer, i, 2), value(answer, i, 3),
                     value(answer, i, 4), value(answer, i, 5), value(answer, i, 6)});
    }
    return out;
  }

  std::string about() override {
    open();
    const Answer answer =
        ask("SELECT current_setting('server_version'), coalesce(max(time)::text, 'none'), "
            "pg_size_pretty(pg_total_relation_size('rows')) FROM rows");
    return fmt::format("PostgreSQL {}, newest bar {}, rows take {}", printable(value(answer, 0, 0), 60),
                       value(answer, 0, 1), value(answer, 0, 2));
  }

  std::uint64_t rejected_count() override {
    open();
    return std::stoull(value(ask("SELECT count(*) FROM rejected"), 0, 0));
  }

 private:
  void prepare_session() {
    if (PQserverVersion(connection_.get()) < version_min) {
      throw error(StoreError::Kind::permanent,
                  fmt::format("is version {}, and 13 or newer is needed: upgrade the server",
                              PQserverVersion(connection_.get()) / 10'000));
    }
    (void)ask("SET timezone = 'UTC'");
    (void)ask("SET client_min_messages = warning");
    // A statement that takes longer hangs, for whatever reason.
    (void)ask("SET statement_timeout = '120s'");
    (void)ask("SET idle_in_transaction_session_timeout = '120s'");
    // What was told to be written must be there after a crash, whatever the server's setting.
    (void)ask("SET synchronous_commit = on");
    migrate();
    (void)ask("CREATE TEMP TABLE cvdd_batch (LIKE rows, number bigint) ON COMMIT DELETE ROWS");
  }

  // One at a time, whoever comes: workers start together.
  void migrate() {
    const Answer there = ask("SELECT to_regclass('schema_version') IS NOT NULL");
    constexpr int newest = postgres_migrations.back().version;
    if (value(there, 0, 0) == "t" && version() == newest) return;
    (void)ask("BEGIN");
    (void)ask("SELECT pg_advisory_xact_lock(7249031)");
    (void)ask("CREATE TABLE IF NOT EXISTS schema_version(version integer NOT NULL)");
    const int old = version();
    if (old > newest) {
      throw error(StoreError::Kind::permanent,
                  fmt::format("was made by a newer cvdd-engine (schema {}, this one knows {}): install that version",
                              old, newest));
    }
    for (const Migration& step : postgres_migrations) {
      if (step.version > old) (void)ask(step.sql);
    }
    (void)ask("DELETE FROM schema_version");
    (void)ask(fmt::format("INSERT INTO schema_version VALUES({})", newest));
    (void)ask("COMMIT");
  }

  int version() {
    const Answer answer = ask("SELECT coalesce(max(version), 0) FROM schema_version");
    return std::stoi(value(answer, 0, 0));
  }

  void copy(const char* sql, const std::vector<const StoreRow*>& rows, bool numbered) {
    const Answer begun(PQexec(connection_.get(), sql));
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN) fail(begun);
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      append_copy_line(text, *rows[i], numbered ? std::optional(i) : std::nullopt);
      if (text.size() < (std::size_t{64} << 10) && i + 1 < rows.size()) continue;
      if (PQputCopyData(connection_.get(), text.data(), static_cast<int>(text.size())) != 1) fail_sending();
      text.clear();
    }
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail_sending();
    const Answer ended(PQgetResult(connection_.get()));
    while (PGresult* more = PQgetResult(connection_.get())) PQclear(more);
    if (PQresultStatus(ended.get()) == PGRES_COMMAND_OK) return;
    const char* const code = PQresultErrorField(ended.get(), PG_DIAG_SQLSTATE);
    if (!numbered && code != nullptr && std::strcmp(code, "23505") == 0) throw KeyIsThere{};
    fail(ended);
  }

  Answer ask(const std::string& sql) {
    Answer answer(PQexec(connection_.get(), sql.c_str()));
    return checked(std::move(answer));
  }
  Answer ask(const std::string& sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    for (const std::string& one : parameters) values.push_back(one.c_str());
    Answer answer(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                               nullptr, nullptr, 0));
    return checked(std::move(answer));
  }
  Answer checked(Answer answer) {
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(answer);
    return answer;
  }
  static std::string value(const Answer& answer, int row, int column) { return PQgetvalue(answer.get(), row, column); }

  [[noreturn]] void fail_sending() {
    throw postgres_error(StoreError::Kind::temporary, url_, "the connection was lost: " + told(connection_.get()));
  }
  [[noreturn]] void fail(const Answer& answer) { throw postgres_failure(url_, connection_.get(), answer.get()); }
  [[nodiscard]] StoreError error(StoreError::Kind kind, const std::string& what) const {
    return postgres_error(kind, url_, what);
  }

  StoreUrl url_;
  unsigned merges_ = 0;  // batches yet to be merged whole
  Connection connection_;
};
}  // namespace

std::unique_ptr<Store> make_postgres_store(const StoreUrl& url) { return std::make_unique<PostgresStore>(url); }

}  // namespace cvdd::engine
