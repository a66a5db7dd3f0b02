#include "surroundings.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "cvdd/config/listen_address.hpp"
#include "cvdd/net/transport.hpp"

namespace cvdd {

namespace {
namespace fs = std::filesystem;

std::string user_name() {
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : fmt::format("user {}", ::geteuid());
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
  if (::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
  return fmt::format("{} can't be {} by {}: {}", wanted.string(), there == wanted ? "written" : "made", user_name(),
                     std::strerror(errno));
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
