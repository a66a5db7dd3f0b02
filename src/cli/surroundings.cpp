#include "surroundings.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "cvdd/config/listen_address.hpp"
#include "cvdd/net/transport.hpp"
#include "cvdd/storage/day_file.hpp"
#include "cvdd/storage/file_sink.hpp"
#include "cvdd/storage/interval_check.hpp"
#include "cvdd/storage/packed_days.hpp"

namespace cvdd {

namespace {
namespace fs = std::filesystem;

std::string user_name() {
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : fmt::format("user {}", ::geteuid());
}

// Whether a folder is of a file system that shows the kernel, whatever its permissions say.
bool holds_no_files(const fs::path& folder) {
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return false;
  constexpr std::array<long, 6> kinds{PROC_SUPER_MAGIC,    SYSFS_MAGIC,   CGROUP_SUPER_MAGIC,
                                      CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, SECURITYFS_MAGIC};
  return std::ranges::find(kinds, static_cast<long>(status.f_type)) != kinds.end();
}

// Why rows can't be written there; empty: they can, as far as permissions tell.
std::string why_not_writable(const std::string& data_dir) {
  std::error_code error;
  fs::path there = fs::absolute(data_dir, error).lexically_normal();
  if (!there.has_filename()) there = there.parent_path();
  const fs::path wanted = there;
  // It is made with its parents: what is there already has to allow that.
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, error)) return fmt::format("{} is not a folder", there.string());
  if (holds_no_files(there))
    return fmt::format("{} can't be made: {} is the system's own, and takes no files", wanted.string(), there.string());
  if (::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  return fmt::format("{} can't be {} by {}: {}", wanted.string(), there == wanted ? "written" : "made", user_name(),
                     std::strerror(errno));
}

// Of what the files of the data directory say, as far as the end of the newest tells; empty: nothing against a start.
std::string why_not_this_interval(const std::string& data_dir, const std::vector<std::string>& names,
                                  Duration interval) {
  std::optional<DayFile> newest;
  for (const std::string& name : names) {
    const auto file = day_file_from(name, RowTable::cvd);
    if (file && (!newest || *newest < *file)) newest = file;
  }
  if (!newest) return {};
  constexpr std::uint64_t read_max = std::uint64_t{8} << 20;  // two bars of 10,000 instruments are there
  const auto files = make_file_sink();
  const std::string path = data_dir + "/" + name_of(*newest);
  std::uint64_t size = 0;
  std::string text;
  if (files->size(path, size) != 0) return {};
  const std::uint64_t from = size > read_max ? size - read_max : 0;
  if (files->read(path, from, read_max, text) != 0) return {};
  return interval_conflict(data_dir, text, interval);
}

bool is_loopback(const std::string& listen) {
  std::string host;
  std::uint16_t port = 0;
  if (!split_address(listen, host, port)) return false;
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Why the certificates can't be used; empty: they can.
std::string why_not_trusted(const std::string& ca_file) {
  std::error_code error;
  if (ca_file.empty()) return {};
  if (!fs::exists(ca_file, error)) return fmt::format("{}: there is no such file", ca_file);
  if (fs::is_directory(ca_file, error)) return fmt::format("{}: is a folder, expected a PEM file", ca_file);
  try {
    (void)make_net_context({ca_file, ""});
  } catch (const std::runtime_error& failed) {
    return failed.what();
  }
  return {};
}
}  // namespace

bool shows_secrets(const Config& config, const std::string& file) {
  struct stat status {};
  const bool any = !config.http_token.empty() || config.proxy.find('@') != std::string::npos;
  return any && ::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

std::vector<Finding> look_around(const std::string& file, const Config& config) {
  std::vector<Finding> out;
  const auto add = [&](const char* key, bool stops, std::string message) {
    const auto line = config.lines.find(key);
    out.push_back({{file, line == config.lines.end() ? 0 : line->second, key, std::move(message), 0}, stops});
  };
  if (std::string why = why_not_writable(config.data_dir); !why.empty()) add("data_dir", true, std::move(why));
  std::vector<std::string> names;
  (void)make_file_sink()->list(config.data_dir, names);
  if (const std::string packed = packed_newest_day(names); !packed.empty()) {
    add("data_dir", true, packed_advice(config.data_dir, packed));
  }
  if (std::string why = why_not_this_interval(config.data_dir, names, config.interval); !why.empty()) {
    add("interval", true, std::move(why));
  }
  if (std::string why = why_not_trusted(config.ca_file); !why.empty()) add("net.ca_file", true, std::move(why));
  if (!config.http_listen.empty() && config.http_token.empty() && !is_loopback(config.http_listen)) {
    add("http.listen", false,
        fmt::format("whoever reaches {} may read: set a token, or listen on 127.0.0.1", config.http_listen));
  }
  if (shows_secrets(config, file)) {
    add(config.http_token.empty() ? "net.proxy" : "http.token", false, "others can read it in this file: chmod 640");
  }
  return out;
}

}  // namespace cvdd
