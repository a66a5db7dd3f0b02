// What systemd is told (sd_notify(3)): ready, reloading, status, watchdog, stopping. Does nothing where systemd did not
// start us, or where the library was not there when cvdd was built. io thread.
#pragma once

#include <chrono>
#include <string>

namespace cvdd {

class Systemd {
 public:
  Systemd();
  // Once a second: ready the first time; the watchdog only while there is `progress`; the status line when it changed,
  // at most every 5 s.
  void tick(bool progress, const std::string& status);
  void reloading();
  void reloaded();
  void stopping();
  [[nodiscard]] static bool available();

 private:
  bool ready_ = false, watched_ = false;
  std::string status_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace cvdd
