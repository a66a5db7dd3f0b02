// Rows by COPY into a table of this session, from there by one statement to where they belong, in the order of the key,
// so that writers that meet wait for each other and never in a circle.
#include "postgres_session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <iterator>

#include "postgres_schema.hpp"

namespace cvdd::engine {

namespace {
constexpr int version_min = 130'000;

// A row that was taken for new is not.
struct KeyIsThere {};
}  // namespace

void PostgresSession::open() {
  if (connection_ && PQstatus(connection_.get()) == CONNECTION_OK) return;
  connection_ = connect_postgres(url_);
  try {
    prepare();
  } catch (const StoreError&) {
    connection_.reset();
    throw;
  }
}

bool PostgresSession::write(const Share& share, Sync sync, const std::function<void()>& also) {
  open();
  try {
    put(share, true, sync, also);
    return true;
  } catch (const KeyIsThere&) {
    put(share, false, sync, also);
    return false;
  }
}

void PostgresSession::put(const Share& share, bool fresh, Sync sync, const std::function<void()>& also) {
  try {
    (void)ask("BEGIN");
    if (sync == Sync::later) (void)ask("SET LOCAL synchronous_commit = off");
    for (const RowKind kind : row_kinds) put(share[index_of(kind)], layout_of(kind), fresh);
    also();
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
void PostgresSession::put(const BatchParts& parts, const Layout& layout, bool fresh) {
  std::vector<const StoreRow*> merged = parts.merged;
  if (fresh && !parts.fresh.empty()) copy(std::string(layout.table), layout, parts.fresh, false);
  if (!fresh) merged.insert(merged.end(), parts.fresh.begin(), parts.fresh.end());
  if (merged.empty()) return;
  // Made when it is needed: at the end of a transaction that has seen one of them the server empties all that there
  // are.
  (void)ask(fmt::format("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}, number bigint) ON COMMIT DELETE ROWS",
                        batch_table_of(layout), layout.table));
  copy(batch_table_of(layout), layout, merged, true);
  (void)ask(merge_of(layout));
}

void PostgresSession::prepare() {
  if (PQserverVersion(connection_.get()) < version_min) {
    throw error(StoreError::Kind::permanent, fmt::format("is version {}, and 13 or newer is needed: upgrade the server",
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
}

// One at a time, whoever comes: workers start together.
void PostgresSession::migrate() {
  const Answer there = ask("SELECT to_regclass('schema_version') IS NOT NULL");
  constexpr int newest = postgres_migrations.back().version;
  if (value(there, 0, 0) == "t" && version() == newest) return;
  (void)ask("BEGIN");
  (void)ask("SELECT pg_advisory_xact_lock(7249031)");
  (void)ask("CREATE TABLE IF NOT EXISTS schema_version(version integer NOT NULL)");
  const int old = version();
  if (old > newest) {
    throw error(StoreError::Kind::permanent,
                fmt::format("was made by a newer cvdd-engine (schema {}, this one knows {}): install that version", old,
                            newest));
  }
  if (old > 0 && old < newest) {
    spdlog::info("{}: its tables are of schema {} and become those of {}: where there are many rows that takes minutes",
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

int PostgresSession::version() {
  const Answer answer = ask("SELECT coalesce(max(version), 0) FROM schema_version");
  return std::stoi(value(answer, 0, 0));
}

void PostgresSession::copy(const std::string& table, const Layout& layout, const std::vector<const StoreRow*>& rows,
                           bool numbered) {
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

Answer PostgresSession::ask(const std::string& sql) {
  Answer answer(PQexec(connection_.get(), sql.c_str()));
  return checked(std::move(answer));
}
Answer PostgresSession::ask(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& one : parameters) values.push_back(one.c_str());
  Answer answer(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                             nullptr, nullptr, 0));
  return checked(std::move(answer));
}
Answer PostgresSession::checked(Answer answer) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(answer);
  return answer;
}
void PostgresSession::fail_sending() {
  throw postgres_error(StoreError::Kind::temporary, url_, "the connection was lost: " + told(connection_.get()));
}

}  // namespace cvdd::engine
