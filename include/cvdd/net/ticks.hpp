// The moments at which connections that coalesce look at their sockets: the same for all on an io thread, so that one
// wake-up serves them all. First every socket is emptied into memory, then one connection after the other goes on: the
// system's code and ours don't take turns in the processor's caches. Belongs to the io thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace cvdd {

namespace asio = boost::asio;

// What a tick empties first: one connection's socket.
class TickReader {
 public:
  virtual void fetch() = 0;  // must not throw

 protected:
  ~TickReader() = default;
};

class Ticks final : public asio::execution_context::service {
 public:
  using key_type = Ticks;
  static asio::execution_context::id id;
  explicit Ticks(asio::execution_context& context) : asio::execution_context::service(context) {}
  // The one of the executor's context.
  [[nodiscard]] static Ticks& of(const asio::any_io_executor& executor);

  // Until the next multiple of `every`; by then `reader`, which must live as long, has fetched what was there. Nothing
  // ends it early: who was given up meanwhile finds out after it.
  asio::awaitable<void> next(TickReader& reader, std::chrono::steady_clock::duration every);

  // While a tick's connections have their turn: `work` is done when all of them had it. Otherwise false.
  [[nodiscard]] bool at_end(std::function<void()> work);

 private:
  using Handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
  using Time = std::chrono::steady_clock::time_point;
  struct Waiting {
    Time due;
    TickReader* reader;
    Handler go_on;
  };
  void shutdown() override;
  void arm(Time due);
  void fire();

  std::optional<asio::steady_timer> timer_;
  Time armed_ = Time::max();
  std::vector<Waiting> waiting_, due_;
  bool firing_ = false;
  std::vector<std::function<void()>> at_end_;
};

}  // namespace cvdd
