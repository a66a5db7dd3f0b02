// What keeps a peer, a user or an operator's slip from doing harm: foreign words, locks, files with secrets, nesting.
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "cli/commands.hpp"
#include "cli/load_config.hpp"
#include "cli/surroundings.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/daemon/daemon.hpp"
#include "cvdd/daemon/engine.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "cvdd_hard_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}
}  // namespace

TEST_CASE("foreign words keep their letters and command nothing") {
  CHECK(printable("BTC 价格 € é", 100) == "BTC 价格 € é");
  CHECK(printable("a\nb\r<0>c\x1b[31md\x7f\x9b!", 100) == "a b <0>c [31md  !");
  CHECK(printable("\xc2\x9b"
                  "31m \xe2\x80\xae"
                  "right \xe2\x80\xa8line \xef\xbb\xbf"
                  "bom",
                  100) == " 31m  right  line  bom");
  CHECK(printable("\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80 \xff", 100) == std::string(13, ' '));
  CHECK(printable(std::string("a\0b", 3), 100) == "a b");
  // Cut where a character ends.
  for (std::size_t max = 0; max < 8; ++max) {
    const std::string cut = printable("ab€€", max);
    CHECK(cut == std::string("ab€€").substr(0, max < 2 ? max : max < 5 ? 2 : 5));
  }
}

TEST_CASE("nobody but the daemon's user can take its lock, and no link leads it elsewhere") {
  const Folder folder;
  const auto files = make_file_sink();
  std::string holder;
  const std::string lock = folder.path / "cvdd.lock";
  std::ofstream(lock) << "old\n";
  fs::permissions(lock, fs::perms(0644));
  REQUIRE(files->lock(lock, "1\n", holder) == 0);
  CHECK(mode_of(lock) == 0600);
  const auto others = make_file_sink();
  CHECK(others->lock(lock, "2\n", holder) == EWOULDBLOCK);
  CHECK(holder == "1\n");
  const std::string link = folder.path / "linked.lock", target = folder.path / "target";
  std::ofstream(target) << "precious";
  fs::create_symlink(target, link);
  CHECK(make_file_sink()->lock(link, "3\n", holder) == ELOOP);
  CHECK(fs::file_size(target) == 8);
}

TEST_CASE("what keeps the daemon from starting is told apart by whether another try may mend it") {
  const Folder folder;
  DaemonOptions options;
  options.handle_signals = false;
  options.config.data_dir = folder.path / "data";
  fs::create_directories(options.config.data_dir);
  {
    const auto other = make_file_sink();
    std::string holder;
    REQUIRE(other->lock(options.config.data_dir + "/cvdd.lock", "77\n", holder) == 0);
    bool wrong_configuration = true;
    try {
      const Daemon daemon(options);
    } catch (const WrongConfiguration&) {
    } catch (const std::runtime_error& error) {
      wrong_configuration = false;
      CHECK(std::string(error.what()).find("process 77") != std::string::npos);
    }
    CHECK_FALSE(wrong_configuration);
  }
  DaemonOptions wrong = options;
  wrong.config.ca_file = folder.path / "nowhere.pem";
  CHECK_THROWS_AS(Daemon(wrong), WrongConfiguration);
  wrong = options;
  wrong.config.proxy = "https://host:1";
  CHECK_THROWS_AS(Daemon(wrong), WrongConfiguration);
  CHECK(run_command(folder.path / "none.toml") == 2);
}

TEST_CASE("a file with secrets that everybody can read is noticed") {
  const Folder folder;
  const std::string file = folder.path / "cvdd.toml";
  std::ofstream(file) << "\n";
  Config config;
  fs::permissions(file, fs::perms(0644));
  CHECK_FALSE(shows_secrets(config, file));
  config.http_token = "0123456789abcdef";
  CHECK(shows_secrets(config, file));
  fs::permissions(file, fs::perms(0640));
  CHECK_FALSE(shows_secrets(config, file));
  fs::permissions(file, fs::perms(0644));
  Config proxied;
  proxied.proxy = "http://host:1";
  CHECK_FALSE(shows_secrets(proxied, file));
  proxied.proxy = "http://user:secret@host:1";
  CHECK(shows_secrets(proxied, file));
}

TEST_CASE("configurations that nest without end are refused before they are parsed") {
  const auto complaint = [](const std::string& text) {
    std::vector<ConfigError> errors;
    (void)parse_config(text, "f", known_markets(), errors);
    return errors.empty() ? std::string() : to_string(errors[0]);
  };
  std::string deep = "a", brackets, quoted = "\"#\"";
  for (int i = 0; i < 40'000; ++i) {
    deep += ".a";
    quoted += ".\"a\"";
    brackets += "[";
  }
  CHECK(complaint("\n\n" + deep + " = 1\n") == "f:3: a key of more than 16 parts");
  CHECK(complaint("[" + deep + "]\n") == "f:1: a key of more than 16 parts");
  CHECK(complaint(quoted + " = 1\n") == "f:1: a key of more than 16 parts");
  CHECK(complaint("x = {" + deep + " = 1}\n") == "f:1: a key of more than 16 parts");
  CHECK(complaint("x = " + brackets + "\n") == "f:1: more than 32 brackets within each other");
  CHECK(complaint(std::string((std::size_t{16} << 20) + 1, '\n')) == "f:1: the file is longer than 16 MiB");
  // What only looks like it is let through.
  CHECK(complaint("# " + deep + "\n[log]\nlevel = \"info\" # [[[[ " + deep + "\n").empty());
  CHECK(complaint("data_dir = \"" + deep + "\"\n").empty());
  CHECK(complaint("data_dir = '''\n" + deep + "''' \n").empty());
  std::vector<ConfigError> errors;
  (void)parse_symbols(deep + " = 1\n", "s", known_markets(), errors);
  CHECK(errors.size() == 1);
}

TEST_CASE("a symbol list has an end") {
  const auto list = [](std::size_t names) {
    std::string text = "[binance]\nspot = [";
    for (std::size_t i = 0; i < names; ++i) text += "\n\"X" + std::to_string(i) + "\",";
    return text + "]\n";
  };
  std::vector<ConfigError> errors;
  CHECK(parse_symbols(list(50'000), "s", known_markets(), errors).wanted.begin()->second.size() == 50'000);
  CHECK(errors.empty());
  (void)parse_symbols(list(60'000), "s", known_markets(), errors);
  REQUIRE(errors.size() == 1);
  CHECK(to_string(errors[0]).find("s:50003: binance.spot: more than 50,000 names") == 0);
}
