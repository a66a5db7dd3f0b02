#include "metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <mutex>
#include <stdexcept>

namespace cvdd::engine {

struct Metrics::State {
  std::mutex mutex;
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::map<std::string, prometheus::Gauge*> gauges;
  std::map<std::string, prometheus::Counter*> counters;
  std::unique_ptr<prometheus::Exposer> exposer;
};

Metrics::Metrics(const std::string& listen) : state_(std::make_unique<State>()) {
  if (listen.empty()) return;
  try {
    state_->exposer = std::make_unique<prometheus::Exposer>(listen, 1);
    state_->exposer->RegisterCollectable(state_->registry);
  } catch (const std::exception& error) {
    throw std::runtime_error("listen: metrics can't be told at " + listen + ": " + error.what() +
                             "; is the address another program's?");
  }
}

Metrics::~Metrics() = default;

void Metrics::set(const std::string& name, const std::string& help, double value) {
  const std::scoped_lock lock(state_->mutex);
  prometheus::Gauge*& gauge = state_->gauges[name];
  if (gauge == nullptr) {
    gauge = &prometheus::BuildGauge().Name("cvdd_engine_" + name).Help(help).Register(*state_->registry).Add({});
  }
  gauge->Set(value);
}

void Metrics::add(const std::string& name, const std::string& help, double value) {
  const std::scoped_lock lock(state_->mutex);
  prometheus::Counter*& counter = state_->counters[name];
  if (counter == nullptr) {
    counter = &prometheus::BuildCounter().Name("cvdd_engine_" + name).Help(help).Register(*state_->registry).Add({});
  }
  counter->Increment(value);
}

}  // namespace cvdd::engine
