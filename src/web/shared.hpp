// Answers that are the same for everybody: made at most once a second, by one at a time, and given to all who ask. io
// thread; packed beside it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "allowance.hpp"
#include "response.hpp"

namespace cvdd::web {

// Work on the io thread in slices, whose time is counted: between them everybody else has a turn.
class Slices {
 public:
  Slices(boost::asio::any_io_executor executor, Allowance& allowance);
  // To be awaited now and then; returns at once while the slice is short.
  boost::asio::awaitable<void> turn();
  void end();
  static constexpr std::chrono::microseconds slice{500};

 private:
  boost::asio::any_io_executor executor_;
  Allowance& allowance_;
  std::chrono::steady_clock::time_point begin_;
};

class SharedAnswers {
 public:
  // Appends the body.
  using Make = std::function<boost::asio::awaitable<void>(std::string& out, Slices& slices)>;
  SharedAnswers(boost::asio::any_io_executor executor, Allowance& allowance, boost::asio::thread_pool& beside);
  SharedAnswers(const SharedAnswers&) = delete;
  SharedAnswers& operator=(const SharedAnswers&) = delete;
  // A body that is not older than a second when it is asked for, or is being made; `packed`: as gzip, if it is worth it
  // (the answer says so).
  boost::asio::awaitable<Body> get(const char* name, const Make& make, bool& packed);
  // What nobody has asked for lately is forgotten.
  void tidy();

  static constexpr std::chrono::seconds fresh{1}, kept{10};
  static constexpr std::size_t worth_packing = 1'400;  // a packet

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Entry {
    explicit Entry(const boost::asio::any_io_executor& executor) : changed(executor, Time::max()) {}
    Body plain, packed;
    Time made{}, asked{};
    bool making = false, packing = false;
    std::size_t size = 0;               // of the last one
    boost::asio::steady_timer changed;  // never comes; when it is cancelled, who waits looks again
  };
  boost::asio::awaitable<void> make(Entry& entry, const Make& make);
  boost::asio::awaitable<void> pack(Entry& entry);
  boost::asio::awaitable<void> wait(Entry& entry);
  boost::asio::awaitable<void> until_allowed();
  boost::asio::any_io_executor executor_;
  Allowance& allowance_;
  boost::asio::thread_pool& beside_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // as many as there are names: a few
  bool busy_ = false;
};

}  // namespace cvdd::web
