// What answers from the files have in common: their share of a processor, the time they may take, packing.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <thread>

#include "allowance.hpp"
#include "beside.hpp"
#include "response.hpp"
#include "shared.hpp"

namespace cvdd::web {

// The allowance of all readers, as a pause between two pieces of a file.
class Share {
 public:
  Share(Allowance& allowance, const std::function<bool()>& stop) : allowance_(allowance), stop_(stop) { step_back(); }
  void pause() {
    const auto now = thread_time();
    allowance_.spend(now - used_);
    used_ = now;
    for (auto more = allowance_.wait(); more.count() > 0 && !stop_(); more = allowance_.wait()) {
      std::this_thread::sleep_for(std::min(more, std::chrono::microseconds(50'000)));
    }
  }

 private:
  Allowance& allowance_;
  const std::function<bool()>& stop_;
  std::chrono::microseconds used_ = thread_time();
};

// Who wants a file waits for it; a page asks again from where it was told to.
[[nodiscard]] inline std::chrono::seconds time_for(bool csv) { return std::chrono::seconds(csv ? 20 : 3); }

// True: the text is packed now.
[[nodiscard]] inline bool pack(std::string& text, bool wanted) {
  if (!wanted || text.size() < SharedAnswers::worth_packing) return false;
  text = gzip(text);
  return true;
}

}  // namespace cvdd::web
