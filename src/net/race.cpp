#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <sstream>

#include "address.hpp"

namespace cvdd {

namespace {
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds head_start{250};
constexpr std::size_t attempts_max = 8;

// What the attempts share; each holds it until it ends.
struct Race {
  explicit Race(const asio::any_io_executor& executor) : changed(executor) {}
  std::vector<tcp::socket> sockets;
  asio::steady_timer changed;
  std::optional<std::size_t> winner;
  std::size_t failed = 0;
  std::string last_failure;
};

std::string to_text(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

void begin_attempt(const std::shared_ptr<Race>& race, const tcp::endpoint& endpoint, std::size_t index) {
  race->sockets[index].async_connect(endpoint, [race, endpoint, index](const error_code& error) {
    if (!error && !race->winner) {
      race->winner = index;
    } else if (error && error != asio::error::operation_aborted) {
      race->last_failure = "cannot connect to " + to_text(endpoint) + ": " + error.message();
    }
    if (error) ++race->failed;
    race->changed.cancel();
  });
}
}  // namespace

asio::awaitable<Result<tcp::socket>> race(Endpoints endpoints, SteadyTime deadline, std::string& detail) {
  if (endpoints.size() > attempts_max) endpoints.resize(attempts_max);
  const auto executor = co_await asio::this_coro::executor;
  const auto state = std::make_shared<Race>(executor);
  for (std::size_t i = 0; i < endpoints.size(); ++i) state->sockets.emplace_back(executor);
  std::size_t begun = 0;
  while (!state->winner && std::chrono::steady_clock::now() < deadline) {
    if (begun < endpoints.size()) {
      begin_attempt(state, endpoints[begun], begun);
      ++begun;
    } else if (state->failed == begun) {
      break;
    }
    const std::size_t failed = state->failed;
    const SteadyTime next = begun < endpoints.size()
                                ? std::min<SteadyTime>(deadline, std::chrono::steady_clock::now() + head_start)
                                : deadline;
    // One failure starts the next attempt at once.
    while (!state->winner && state->failed == failed && std::chrono::steady_clock::now() < next) {
      state->changed.expires_at(next);
      co_await state->changed.async_wait(await_tuple);
    }
  }
  if (state->winner) {
    tcp::socket socket = std::move(state->sockets[*state->winner]);
    for (tcp::socket& other : state->sockets) {
      error_code ignored;
      other.close(ignored);
    }
    co_return socket;
  }
  for (tcp::socket& other : state->sockets) {
    error_code ignored;
    other.close(ignored);
  }
  if (state->failed == begun && begun == endpoints.size()) {
    detail = state->last_failure;
    co_return make_error_code(NetError::connect_failed);
  }
  detail = "cannot connect to " + (endpoints.empty() ? std::string("any address") : to_text(endpoints.front())) +
           ": timed out";
  co_return make_error_code(NetError::timed_out);
}

}  // namespace cvdd
