// The time of day, in one place. Any thread.
#pragma once

#include <chrono>

#include "cvdd/base/types.hpp"

namespace cvdd::engine {

inline Timestamp wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace cvdd::engine
