// What the files of the simulated exchange that have coroutines share.
#pragma once

#if defined(__GNUC__) && \
    !defined(__clang__)  // g++ 12 misjudges Asio's coroutine frames and executors when it inlines them
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#endif
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cvdd::sim {

namespace asio = boost::asio;
// Errors come as values.
inline constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

}  // namespace cvdd::sim
