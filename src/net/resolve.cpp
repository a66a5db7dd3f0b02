#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "address.hpp"

namespace cvdd {

namespace {
using asio::ip::tcp;
using boost::system::error_code;

// Lives until the look-up ends, which may be long after the coroutine that asked has given up.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
  tcp::resolver resolver;
  asio::steady_timer done;
  error_code error;
  Endpoints endpoints;
  bool finished = false;
};

// The system's look-up cannot be interrupted. So the coroutine waits for a timer, which the look-up's end cancels.
asio::awaitable<void> look_up(std::shared_ptr<Lookup> lookup, const std::string& host, const std::string& port) {
  lookup->resolver.async_resolve(host, port, tcp::resolver::numeric_service,
                                 [lookup](const error_code& error, const tcp::resolver::results_type& results) {
                                   lookup->error = error;
                                   for (const auto& entry : results) {
                                     lookup->endpoints.push_back(entry.endpoint());
                                   }
                                   lookup->finished = true;
                                   lookup->done.cancel();
                                 });
  co_await lookup->done.async_wait(await_tuple);
  if (!lookup->finished) {
    lookup->resolver.cancel();
  }
}
}  // namespace

// The families in turn, beginning with the one the system prefers.
Endpoints interleave_families(Endpoints all) {
  const auto other = std::stable_partition(
      all.begin(), all.end(), [first_is_v6 = !all.empty() && all.front().address().is_v6()](const auto& endpoint) {
        return endpoint.address().is_v6() == first_is_v6;
      });
  Endpoints ordered;
  auto a = all.begin();
  auto b = other;
  while (a != other || b != all.end()) {
    if (a != other) {
      ordered.push_back(*a++);
    }
    if (b != all.end()) {
      ordered.push_back(*b++);
    }
  }
  return ordered;
}

void NetContext::remember(const std::string& host_and_port, const Endpoints& good) {
  const auto known = addresses_.find(host_and_port);
  if (known != addresses_.end()) {
    known->second = good;
  } else if (addresses_.size() < hosts_max) {
    addresses_.emplace(host_and_port, good);
  }
}

Endpoints NetContext::remembered(const std::string& host_and_port) const {
  const auto known = addresses_.find(host_and_port);
  return known == addresses_.end() ? Endpoints{} : known->second;
}

asio::awaitable<Result<Endpoints>> resolve(NetContext& net, const std::string& host, const std::string& port,
                                           SteadyTime deadline, std::string& detail) {
  error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    unsigned short number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    co_return Endpoints{tcp::endpoint(address, number)};
  }
  const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  if (net.resolve_by) {
    lookup->endpoints = net.resolve_by(host, port);
    lookup->finished = true;
  } else {
    // Half the time is enough for a name service that answers; the rest is for the addresses of last time.
    const auto now = std::chrono::steady_clock::now();
    lookup->done.expires_at(net.remembered(host + ":" + port).empty() ? deadline : now + (deadline - now) / 2);
    co_await look_up(lookup, host, port);
  }
  if (lookup->finished && !lookup->error && !lookup->endpoints.empty()) {
    co_return interleave_families(std::move(lookup->endpoints));
  }
  Endpoints last_good = net.remembered(host + ":" + port);
  if (!last_good.empty()) {
    co_return last_good;
  }
  if (!lookup->finished) {
    detail = "timed out looking up " + host;
    co_return make_error_code(NetError::timed_out);
  }
  detail = "cannot look up " + host + ": " + (lookup->error ? lookup->error.message() : "no address");
  co_return make_error_code(NetError::resolve_failed);
}

}  // namespace cvdd
