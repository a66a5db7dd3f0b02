// Where a configuration is looked for, and what paths mean.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "cli/commands.hpp"
#include "cli/load_config.hpp"
#include "cli/surroundings.hpp"
#include "cvdd/ledger/csv_row.hpp"

using namespace cvdd;
namespace fs = std::filesystem;

namespace {
// An empty folder to be in, and another that is HOME; both are gone afterwards.
class Elsewhere {
 public:
  Elsewhere() : before_(fs::current_path()) {
    std::string name = (fs::temp_directory_path() / "cvdd-find-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    fs::create_directories(root / "home");
    fs::create_directories(root / "here");
    fs::current_path(root / "here");
    if (const char* home = std::getenv("HOME")) home_ = home;
    ::setenv("HOME", (root / "home").c_str(), 1);
  }
  ~Elsewhere() {
    fs::current_path(before_);
    ::setenv("HOME", home_.c_str(), 1);
    fs::remove_all(root);
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;
  fs::path root;

 private:
  fs::path before_;
  std::string home_;
};

void touch(const fs::path& path, const std::string& text = "") {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}
}  // namespace

TEST_CASE("a configuration that is not named is looked for here, at home, for the machine; who names one has it") {
  const Elsewhere elsewhere;
  const fs::path at_home = elsewhere.root / "home/.config/cvdd/cvdd.toml";
  CHECK(config_places("/home/a") ==
        std::vector<std::string>{"./cvdd.toml", "/home/a/.config/cvdd/cvdd.toml", "/etc/cvdd/cvdd.toml"});
  CHECK(config_places("") == std::vector<std::string>{"./cvdd.toml", "/etc/cvdd/cvdd.toml"});
  if (!fs::exists("/etc/cvdd/cvdd.toml")) CHECK_FALSE(find_config("").has_value());
  CHECK(no_config_found().find(at_home.string()) != std::string::npos);
  touch(at_home);
  CHECK(find_config("") == at_home.string());
  touch(elsewhere.root / "here/cvdd.toml");
  CHECK(find_config("") == "./cvdd.toml");
  CHECK(find_config("~/x.toml") == (elsewhere.root / "home/x.toml").string());
  CHECK(find_config("not-there.toml") == "not-there.toml");
}

TEST_CASE("~ in paths is one's own home; somebody else's is not known") {
  CHECK(expand_home("~", "/h") == "/h");
  CHECK(expand_home("~/a b", "/h") == "/h/a b");
  CHECK(expand_home("~/a", "") == "~/a");
  CHECK(expand_home("~x/a", "/h") == "~x/a");
  CHECK(expand_home("a/~/b", "/h") == "a/~/b");
  const Elsewhere elsewhere;
  touch("cvdd.toml", "data_dir = \"~/rows\"\nsymbols_file = \"~/s.toml\"\n[net]\nca_file = \"~/ca.pem\"\n");
  touch(elsewhere.root / "home/s.toml", "");
  std::vector<std::string> errors;
  const auto config = load_config_alone("cvdd.toml", errors);
  REQUIRE(config.has_value());
  CHECK(config->data_dir == (elsewhere.root / "home/rows").string());
  CHECK(config->symbols_file == (elsewhere.root / "home/s.toml").string());
  CHECK(config->ca_file == (elsewhere.root / "home/ca.pem").string());
  touch("cvdd.toml", "interval = \"1m\"\ndata_dir = \"~bob/rows\"\n");
  CHECK_FALSE(load_config_alone("cvdd.toml", errors).has_value());
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("cvdd.toml:2: data_dir: '~bob/rows': only one's own home is known") == 0);
}

TEST_CASE("a folder where a file is expected is called a folder") {
  const Elsewhere elsewhere;
  std::vector<std::string> errors;
  CHECK_FALSE(load_config("..", errors).has_value());
  CHECK(errors == std::vector<std::string>{"..: is a folder, expected a file"});
  errors.clear();
  touch("conf/cvdd.toml", "symbols_file = \".\"\n");
  CHECK_FALSE(load_config("conf", errors).has_value());
  CHECK(errors == std::vector<std::string>{"conf: is a folder, expected a file; did you mean conf/cvdd.toml?"});
  errors.clear();
  CHECK_FALSE(load_config("conf/cvdd.toml", errors).has_value());
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("conf/.: is a folder") == 0);
}

TEST_CASE("what a configuration refers to is looked at: rows' folder, certificates, who may read") {
  const Elsewhere elsewhere;
  const auto found = [](const std::string& text) {
    touch("cvdd.toml", text);
    ::chmod("cvdd.toml", 0644);
    std::vector<std::string> errors;
    const auto config = load_config_alone("cvdd.toml", errors);
    REQUIRE(config.has_value());
    std::vector<std::string> out;
    for (const Finding& f : look_around("cvdd.toml", *config))
      out.push_back((f.stops ? "! " : "") + to_string(f.error));
    return out;
  };
  using Lines = std::vector<std::string>;
  CHECK(found("").empty());
  CHECK(found("data_dir = \"a/b/c\"\n").empty());  // it is made
  CHECK_FALSE(fs::exists("a"));
  touch("file", "text");
  CHECK(found("\ndata_dir = \"file\"\n") ==
        Lines{"! cvdd.toml:2: data_dir: " + fs::absolute("file").string() + " is not a folder"});
  const auto none = found("data_dir = \"/proc/x\"\n");
  REQUIRE(none.size() == 1);
  CHECK(none[0].find("! cvdd.toml:1: data_dir: /proc/x can't be ") == 0);
  fs::create_directory("old");
  touch("old/cvd-2026-11-20.csv",
        std::string(csv_header()) +
            "\n2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,live,,,,,0,0,0,0,0,0,0,0,0,0,0,0,,,0\n");
  CHECK(found("data_dir = \"old\"\n").empty());
  touch("old/cvd-2026-11-21.csv.zst", "packed");
  CHECK(found("data_dir = \"old\"\n")
            .at(0)
            .find("! cvdd.toml:1: data_dir: ./old/cvd-2026-11-21.csv.zst: the newest day is "
                  "packed") == 0);
  fs::remove("old/cvd-2026-11-21.csv.zst");
  CHECK(found("data_dir = \"old\"\ninterval = \"5m\"\n") ==
        Lines{"! cvdd.toml:2: interval: ./old: binance BTCUSDT has a bar that does not begin on a multiple of 300 s: "
              "another interval was used here; choose another data_dir"});
  CHECK(found("[net]\nca_file = \"none.pem\"") ==
        Lines{"! cvdd.toml:2: net.ca_file: ./none.pem: there is no such file"});
  CHECK(found("[net]\nca_file = \".\"") == Lines{"! cvdd.toml:2: net.ca_file: ./.: is a folder, expected a PEM file"});
  CHECK(found("[net]\nca_file = \"file\"").at(0).find("! cvdd.toml:2: net.ca_file: cannot read CA certificates") == 0);
  for (const char* open : {"0.0.0.0:9480", "[::]:9480", "10.0.0.5:1"}) {
    CHECK(found(std::string("[http]\nlisten = \"") + open + "\"") ==
          Lines{std::string("cvdd.toml:2: http.listen: whoever reaches ") + open +
                " may read: set a token, or listen on 127.0.0.1"});
  }
  for (const char* closed : {"127.0.0.1:1", "[::1]:1", "localhost:1", ""}) {
    CHECK(found(std::string("[http]\nlisten = \"") + closed + "\"").empty());
  }
  CHECK(found("[http]\ntoken = \"0123456789abcdef\"") ==
        Lines{"cvdd.toml:2: http.token: others can read it in this file: chmod 640"});
  CHECK(found("[net]\nproxy = \"http://u:p@h:1\"") ==
        Lines{"cvdd.toml:2: net.proxy: others can read it in this file: chmod 640"});
  // Whoever may write everywhere is somebody else for a moment.
  fs::create_directory("closed");
  ::chmod("closed", 0555);
  const bool root = ::geteuid() == 0;
  fs::permissions(elsewhere.root, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  if (root) REQUIRE(::seteuid(65534) == 0);
  std::vector<std::string> errors;
  Config config;
  config.data_dir = (elsewhere.root / "here/closed/rows").string();
  config.http_listen = "";
  const auto closed = look_around("c.toml", config);
  if (root) REQUIRE(::seteuid(0) == 0);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].stops);
  CHECK(closed[0].error.message.find("here/closed/rows can't be made by ") != std::string::npos);
  CHECK(closed[0].error.message.find("Permission denied") != std::string::npos);
}

TEST_CASE("init writes files that are good as they are, into a folder that has none") {
  const Elsewhere elsewhere;
  CHECK(init_command("a/b") == 0);
  std::vector<std::string> errors;
  const auto loaded = load_config("a/b/cvdd.toml", errors);
  CHECK(errors.empty());
  REQUIRE(loaded.has_value());
  CHECK(loaded->config.data_dir == "a/b/data");
  CHECK_FALSE(loaded->symbols.wanted.empty());
  touch("a/b/symbols.toml", "mine");
  fs::remove("a/b/cvdd.toml");
  CHECK(init_command("a/b") == 2);
  CHECK_FALSE(fs::exists("a/b/cvdd.toml"));
  CHECK(fs::file_size("a/b/symbols.toml") == 4);
  touch("file");
  CHECK(init_command("file/x") == 1);
}
