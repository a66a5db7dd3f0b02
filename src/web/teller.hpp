// What a client of the stream is told for itself alone: what it has come to want, and its groups. One client at a time,
// in slices between which collecting has its turn, within what readers may have of a processor. io thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "answers.hpp"
#include "shared.hpp"
#include "stream.hpp"

namespace cvdd::web {

class Teller {
 public:
  Teller(boost::asio::any_io_executor executor, Engine& engine, Live& live, Answers& answers, Allowance& allowance,
         const std::atomic<bool>& stopping);
  // What it wants and was not told of, in full. Waits for its turn.
  boost::asio::awaitable<void> tell_in_full(std::shared_ptr<StreamClient> client, const InstrumentNames& unseen);
  // Once a second: groups that changed, and a sign of life. Who has no turn now has one a second later.
  boost::asio::awaitable<void> tell_of_groups(Streams streams);
  void some_are_gone() { groups_.some_are_gone(); }

 private:
  boost::asio::awaitable<bool> wait_for_turn(const StreamClient& client);
  boost::asio::awaitable<void> tell_groups(StreamClient& client, Slices& slices);
  boost::asio::awaitable<void> tell_items(StreamClient& client, const InstrumentNames& names, Slices& slices);

  boost::asio::any_io_executor executor_;
  Engine& engine_;
  Live& live_;
  Answers& answers_;
  Allowance& allowance_;
  const std::atomic<bool>& stopping_;
  Groups groups_;
  bool busy_ = false;
};

}  // namespace cvdd::web
