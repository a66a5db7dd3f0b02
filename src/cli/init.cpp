// `cvdd init`: a commented configuration and symbol list, to be edited.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "commands.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/system/logging.hpp"
#include "starter_files.hpp"

namespace cvdd {

namespace {
namespace fs = std::filesystem;

bool write_new(const fs::path& path, std::string_view text) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (out.flush()) return true;
  print_error(
      fmt::format("cvdd init: {}: can't be written: {}", path.string(), std::strerror(errno != 0 ? errno : EIO)));
  return false;
}
}  // namespace

int init_command(const std::string& folder) {
  const fs::path dir(folder), config = dir / "cvdd.toml", symbols = dir / "symbols.toml";
  std::error_code error;
  for (const fs::path& path : {config, symbols}) {
    if (!fs::exists(fs::symlink_status(path, error))) continue;
    print_error(fmt::format("cvdd init: {} is there already; nothing is changed", path.string()));
    return 2;
  }
  fs::create_directories(dir, error);
  if (error) {
    print_error(fmt::format("cvdd init: {}: can't be made: {}", folder, error.message()));
    return 1;
  }
  if (!write_new(config, starter_config) || !write_new(symbols, starter_symbols)) return 1;
  const auto shown = [](const fs::path& path) { return printable(path.string(), 500); };
  fmt::print(
      "{0} and {1} are written. What comes next:\n"
      "  edit {1}: which instruments\n"
      "  cvdd check --config {0} --online\n"
      "  cvdd run --config {0}\n"
      "The first rows come a minute after the start, to {2}.\n",
      shown(config), shown(symbols), shown(dir / "data" / "latest.csv"));
  return 0;
}

}  // namespace cvdd
