#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <thread>

#include "address.hpp"

namespace cvdd {

namespace {
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds looked_at_every{10};

// The system's look-up can neither be interrupted nor hurried, so each host's has a thread of its own: one that hangs
// must not hold up the others.
void look_up(const std::shared_ptr<Lookup>& lookup, const std::string& host, const std::string& port) {
  std::thread([lookup, host, port] {
    asio::io_context io(1);
    tcp::resolver resolver(io);
    error_code error;
    const auto results = resolver.resolve(host, port, tcp::resolver::numeric_service, error);
    lookup->error = error;
    for (const auto& entry : results) lookup->endpoints.push_back(entry.endpoint());
    lookup->finished.store(true, std::memory_order_release);
  }).detach();
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
  const std::string name = host + ":" + port;
  auto lookup = net.lookup_of(name);
  if (net.resolve_by) {
    lookup = std::make_shared<Lookup>();
    lookup->endpoints = net.resolve_by(host, port);
    lookup->finished = true;
  } else if (!lookup) {
    lookup = std::make_shared<Lookup>();
    net.begin_lookup(name, lookup);
    look_up(lookup, host, port);
  }
  const Endpoints last_good = net.remembered(name);
  // Half the time is enough for a name service that answers; the rest is for the addresses of last time.
  const auto now = std::chrono::steady_clock::now();
  const SteadyTime until = last_good.empty() ? deadline : now + (deadline - now) / 2;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!lookup->finished.load(std::memory_order_acquire) && std::chrono::steady_clock::now() < until) {
    timer.expires_after(looked_at_every);
    co_await timer.async_wait(await_tuple);
  }
  const bool finished = lookup->finished.load(std::memory_order_acquire);
  if (finished) net.end_lookup(name);
  if (finished && !lookup->error && !lookup->endpoints.empty()) {
    co_return interleave_families(lookup->endpoints);
  }
  detail = finished ? "cannot look up " + host + ": " + (lookup->error ? lookup->error.message() : "no address")
                    : "timed out looking up " + host;
  if (!last_good.empty()) {
    co_return last_good;  // should they fail too, the detail begins with why they were tried
  }
  co_return make_error_code(finished ? NetError::resolve_failed : NetError::timed_out);
}

}  // namespace cvdd
