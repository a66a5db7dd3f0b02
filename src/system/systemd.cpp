#include "cvdd/system/systemd.hpp"

#include <fmt/format.h>
#if CVDD_WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace cvdd {

namespace {
void tell([[maybe_unused]] const std::string& what) {
#if CVDD_WITH_SYSTEMD
  // Nothing to be done if it fails: whoever started us does not listen.
  (void)sd_notify(0, what.c_str());
#endif
}
}  // namespace

bool Systemd::available() { return CVDD_WITH_SYSTEMD; }

Systemd::Systemd() {
#if CVDD_WITH_SYSTEMD
  std::uint64_t interval_us = 0;
  watched_ = sd_watchdog_enabled(0, &interval_us) > 0;
#endif
}

void Systemd::tick(bool progress, const std::string& status) {
  if (!ready_) tell("READY=1");
  ready_ = true;
  if (watched_ && progress) tell("WATCHDOG=1");
  const auto now = std::chrono::steady_clock::now();
  if (now - told_ < std::chrono::seconds(5)) return;
  if (status == status_) return;
  tell("STATUS=" + status);
  status_ = status;
  told_ = now;
}

void Systemd::reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void Systemd::reloaded() { tell("READY=1"); }
void Systemd::stopping() { tell("STOPPING=1"); }

}  // namespace cvdd
