// Starts a coroutine whose exceptions end the program's io_context::run. Defined once: Asio's way of starting one costs
// seconds of compile time wherever it is used.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cvdd {

namespace asio = boost::asio;

// `what` must not need anything that ends before it does. Any thread; it runs where `executor` says.
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> what);

}  // namespace cvdd
