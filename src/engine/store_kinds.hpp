// The kinds of stores, each in a file of its own; and how all of them bring a database to the schema of this version.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cvdd/engine/store.hpp"

namespace cvdd::engine {

[[nodiscard]] std::unique_ptr<Store> make_sqlite_store(const std::string& file, const StoreOptions& options);
[[nodiscard]] std::unique_ptr<Store> make_postgres_store(const StoreUrl& url, const StoreOptions& options);
[[nodiscard]] std::unique_ptr<Store> make_clickhouse_store(const StoreUrl& url, const StoreOptions& options);

[[nodiscard]] std::string percent_decoded(std::string_view text);

// One step of the schema: applied in order, each in a transaction of its own. A step that was released is never
// changed; what comes later is another step.
struct Migration {
  int version;
  const char* sql;
};

}  // namespace cvdd::engine
