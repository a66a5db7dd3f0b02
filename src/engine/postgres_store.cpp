#include "store_kinds.hpp"

namespace cvdd::engine {
std::unique_ptr<Store> make_postgres_store(const StoreUrl&) {
  throw StoreError(StoreError::Kind::permanent, "not yet");
}
}  // namespace cvdd::engine
