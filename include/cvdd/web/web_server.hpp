// The HTTP server of docs/http.md, on the io thread: page, API, streams, metrics, health. Reads what the engine knows
// and the aggregator publishes; files are read on threads of their own, which hold no state. What is bounded, and what
// happens beyond it, is in docs/http.md.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cvdd {

class Engine;

class WebServer {
 public:
  struct Settings {
    std::string listen;  // "address:port"; port 0: any that is free
    std::string token;
    std::vector<std::string> hosts;  // names by which it is reached, beside addresses and localhost; lower case
    bool instrument_metrics = false;
    std::chrono::milliseconds request_max{10'000};  // for a whole request to come
    // What else keeps the daemon from being ready, of which the engine knows nothing; empty: nothing. io thread.
    std::function<std::string()> trouble = {};
  };
  // Listens. Throws std::runtime_error that says where it can't, and why.
  WebServer(boost::asio::any_io_executor executor, Engine& engine, Settings settings);
  ~WebServer();
  // Answers from now on. io thread, as stop().
  void start();
  void stop();
  [[nodiscard]] std::uint16_t port() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace cvdd
