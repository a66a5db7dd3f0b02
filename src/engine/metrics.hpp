// What ship and sink count, for Prometheus: on a port of their own, in its text format. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace cvdd::engine {

class Metrics {
 public:
  // `listen`: "address:port"; "": counted, but told nobody. Throws std::runtime_error that says why it can't listen.
  explicit Metrics(const std::string& listen);
  ~Metrics();
  // The newest value. `name` without its prefix "cvdd_engine_"; the first call's `help` counts.
  void set(const std::string& name, const std::string& help, double value);
  void add(const std::string& name, const std::string& help, double value = 1);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cvdd::engine
