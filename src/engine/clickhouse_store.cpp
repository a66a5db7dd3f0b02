#include "store_kinds.hpp"

namespace cvdd::engine {
std::unique_ptr<Store> make_clickhouse_store(const StoreUrl&, const StoreOptions&) {
  throw StoreError(StoreError::Kind::permanent, "not yet");
}
}  // namespace cvdd::engine
