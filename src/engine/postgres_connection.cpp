#include "postgres_connection.hpp"

#include <fmt/format.h>

#include <cstring>

#include "cvdd/base/printable.hpp"

namespace cvdd::engine {

namespace {
struct FreeOptions {
  void operator()(PQconninfoOption* o) const { PQconninfoFree(o); }
};

[[noreturn]] void fail_to_connect(const StoreUrl& url, const std::string& message) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (says("password authentication failed") || says("no password supplied")) {
    throw postgres_error(StoreError::Kind::permanent, url,
                         message + "; put the right USER:PASSWORD into the address, or in ~/.pgpass");
  }
  if (says("no pg_hba.conf entry") || says("Peer authentication failed") || says("Ident authentication failed")) {
    throw postgres_error(StoreError::Kind::permanent, url,
                         message + "; allow this user and host in the server's pg_hba.conf");
  }
  if (says("database \"") && says("does not exist")) {
    throw postgres_error(StoreError::Kind::permanent, url, message + "; create it: CREATE DATABASE …");
  }
  if (says("role \"") && says("does not exist")) {
    throw postgres_error(StoreError::Kind::permanent, url, message + "; create it: CREATE ROLE … LOGIN PASSWORD …");
  }
  if (says("certificate") || says("does not support SSL")) {
    throw postgres_error(
        StoreError::Kind::permanent, url,
        message + "; add sslrootcert=FILE for a certificate of your own, or sslmode=disable on a network you trust");
  }
  throw postgres_error(StoreError::Kind::temporary, url, message + "; is it running, and is the address right?");
}

}  // namespace

std::string told(PGconn* connection) {
  std::string text = PQerrorMessage(connection);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return printable(text, 500);
}

StoreError postgres_error(StoreError::Kind kind, const StoreUrl& url, const std::string& what) {
  return StoreError(kind, fmt::format("{}: {}", url.shown, what));
}

Connection connect_postgres(const StoreUrl& url) {
  char* wrong = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> given(PQconninfoParse(url.text.c_str(), &wrong));
  const std::string what = wrong == nullptr ? "" : printable(wrong, 200);
  PQfreemem(wrong);
  if (!given) throw postgres_error(StoreError::Kind::permanent, url, "is not an address: " + what);
  std::string host, mode, roots;
  for (const PQconninfoOption* o = given.get(); o->keyword != nullptr; ++o) {
    const std::string text = o->val == nullptr ? "" : o->val;
    if (std::strcmp(o->keyword, "host") == 0) host = text;
    if (std::strcmp(o->keyword, "sslmode") == 0) mode = text;
    if (std::strcmp(o->keyword, "sslrootcert") == 0) roots = text;
  }
  const bool near = host.empty() || host.front() == '/' || host == "localhost" || host == "127.0.0.1" || host == "::1";
  if (mode == "allow" || mode == "prefer" || mode == "require") {
    throw postgres_error(
        StoreError::Kind::permanent, url,
        fmt::format("sslmode={} does not verify who answers: leave it out, which verifies, or say sslmode=disable on "
                    "a network that you trust",
                    mode));
  }
  if (mode.empty()) mode = near ? "prefer" : "verify-full";
  if (roots.empty()) roots = "/etc/ssl/certs/ca-certificates.crt";
  const char* const keys[] = {"dbname",
                              "sslmode",
                              "application_name",
                              "connect_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "client_encoding",
                              "sslrootcert",
                              nullptr};
  const char* const values[] = {url.text.c_str(),
                                mode.c_str(),
                                "cvdd-engine",
                                "10",
                                "10",
                                "5",
                                "3",
                                "30000",
                                "UTF8",
                                mode == "verify-full" ? roots.c_str() : nullptr,
                                nullptr};
  Connection connection(PQconnectdbParams(keys, values, 1));
  if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
  fail_to_connect(url, told(connection.get()));
}

StoreError postgres_failure(const StoreUrl& url, PGconn* connection, const PGresult* answer) {
  const char* const code = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const std::string state = code == nullptr ? "" : code;
  const char* const primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  const std::string message = primary == nullptr ? told(connection) : printable(primary, 500);
  using Kind = StoreError::Kind;
  if (state.empty() || state.starts_with("08") || state.starts_with("57P")) {
    return postgres_error(Kind::temporary, url, "the connection was lost: " + message);
  }
  if (state == "42501") {
    return postgres_error(Kind::permanent, url,
                          message +
                              "; let the user make tables once (GRANT CREATE, USAGE ON SCHEMA public TO …), or "
                              "give it the tables that are there (GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN "
                              "SCHEMA public TO …)");
  }
  if (state == "25006") {
    return postgres_error(Kind::temporary, url,
                          message +
                              "; it is read-only: a standby? Give the primary's address (or several, with "
                              "target_session_attrs=read-write)");
  }
  if (state == "53100")
    return postgres_error(Kind::temporary, url, message + "; make room on the server's disk: nothing is lost");
  if (state.starts_with("53") || state.starts_with("40") || state.starts_with("55") || state.starts_with("57") ||
      state.starts_with("58")) {
    return postgres_error(Kind::temporary, url, message);
  }
  if (state.starts_with("22") || state.starts_with("23")) return postgres_error(Kind::row, url, message);
  if (state == "42P07" || state == "42703" || state == "42P01") {
    return postgres_error(Kind::permanent, url,
                          message + "; is this a database that cvdd-engine made? Give it one of its own");
  }
  return postgres_error(Kind::permanent, url, fmt::format("{} (SQLSTATE {})", message, state));
}

}  // namespace cvdd::engine
