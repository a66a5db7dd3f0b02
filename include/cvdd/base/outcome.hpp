// What was asked for, or why it is not to be had.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace cvdd {

// One sentence for the log: what is wrong, and where.
struct Failure {
  std::string why;
};

// A value or a failure; made from either. A plain value; any thread.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}            // NOLINT: `return value;`
  Outcome(Failure failure) : state_(std::move(failure)) {}  // NOLINT: `return Failure{"…"};`

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  // Only of one that has a value.
  [[nodiscard]] T& operator*() { return std::get<0>(state_); }
  [[nodiscard]] const T& operator*() const { return std::get<0>(state_); }
  [[nodiscard]] T* operator->() { return &std::get<0>(state_); }
  [[nodiscard]] const T* operator->() const { return &std::get<0>(state_); }
  // Only of one that has none.
  [[nodiscard]] const std::string& error() const { return std::get<1>(state_).why; }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace cvdd
