#include "cvdd/system/spawn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace cvdd {

void spawn(const asio::any_io_executor& executor, asio::awaitable<void> what) {
  asio::co_spawn(executor, std::move(what), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
}

}  // namespace cvdd
