// Connecting to PostgreSQL, and what its errors ask of whom. Only where libpq is.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

struct FinishConnection {
  void operator()(PGconn* c) const { PQfinish(c); }
};
struct ClearAnswer {
  void operator()(PGresult* r) const { PQclear(r); }
};
using Connection = std::unique_ptr<PGconn, FinishConnection>;
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

// TLS is verified wherever the host is not this one, unless the address says sslmode=disable. Within 10 s an address.
// Throws StoreError.
[[nodiscard]] Connection connect_postgres(const StoreUrl& url);
[[nodiscard]] StoreError postgres_error(StoreError::Kind kind, const StoreUrl& url, const std::string& what);
// What an answer that is an error means.
[[nodiscard]] StoreError postgres_failure(const StoreUrl& url, PGconn* connection, const PGresult* answer);
// The connection's newest error in one line.
[[nodiscard]] std::string told(PGconn* connection);

}  // namespace cvdd::engine
