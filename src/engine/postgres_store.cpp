// PostgreSQL: rows by COPY into a table of this session, from there by one statement to where they belong, in the order
// of the key, so that writers that meet wait for each other and never in a circle.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <spdlog/spdlog.h>

#include <cstring>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"
#include "postgres_connection.hpp"
#include "postgres_copy.hpp"
#include "postgres_schema.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

namespace {
constexpr int version_min = 130'000;
constexpr unsigned merges_after_clash = 50;  // batches that go the longer way, once a row was there already

// A row that was taken for new is not.
struct KeyIsThere {};

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
  void put(const Write& what, bool fresh) {
    try {
      (void)ask("BEGIN");
      for (const RowKind kind : row_kinds) put(what.rows, layout_of(kind), fresh);
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

  // With `fresh`, what begins a bar goes straight into the table; all else, by way of this session's table.
  void put(std::span<const StoreRow> rows, const Layout& layout, bool fresh) {
    const BatchParts parts = parts_of(rows, layout, fresh);
    if (!parts.fresh.empty()) copy(std::string(layout.table), layout, parts.fresh, false);
    if (parts.merged.empty()) return;
    copy(batch_table_of(layout), layout, parts.merged, true);
    (void)ask(merge_of(layout));
  }

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
    for (const RowKind kind : row_kinds) {
      (void)ask(fmt::format("CREATE TEMP TABLE {} (LIKE {}, number bigint) ON COMMIT DELETE ROWS",
                            batch_table_of(layout_of(kind)), layout_of(kind).table));
    }
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
    if (old > 0 && old < newest) {
      spdlog::info(
          "{}: its tables are of schema {} and become those of {}: where there are many rows that takes minutes",
          url_.shown, old, newest);
      (void)ask("SET LOCAL statement_timeout = 0");
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

  void copy(const std::string& table, const Layout& layout, const std::vector<const StoreRow*>& rows, bool numbered) {
    const Answer begun(PQexec(connection_.get(), ("COPY " + table + " FROM STDIN").c_str()));
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN) fail(begun);
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      append_copy_line(text, *rows[i], layout, numbered ? std::optional(i) : std::nullopt);
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
