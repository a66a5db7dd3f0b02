// `cvdd run`: the daemon, its page, its log, and what systemd is told.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/base/version.hpp"
#include "cvdd/daemon/daemon.hpp"
#include "cvdd/daemon/engine.hpp"
#include "cvdd/system/logging.hpp"
#include "cvdd/system/systemd.hpp"
#include "cvdd/web/web_server.hpp"
#include "load_config.hpp"
#include "surroundings.hpp"

namespace cvdd {

namespace {
constexpr std::chrono::seconds try_again_every{30};

std::string whole_path(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::absolute(path, error).lexically_normal();
  return error ? path : whole.string();
}

// Page, API and metrics. Collecting is what we are for: where their address can't be had it goes on without them and
// tries again, unless [http] required says otherwise. io thread.
class Page {
 public:
  Page(const Config& config, std::function<std::string()> trouble) : config_(config), trouble_(std::move(trouble)) {}

  // Throws std::runtime_error if the address can't be had and is required.
  void open(const boost::asio::any_io_executor& executor, Engine& engine) {
    if (config_.http_listen.empty()) return;
    executor_ = executor;
    engine_ = &engine;
    try {
      serve();
    } catch (const std::runtime_error& error) {
      if (config_.http_required) throw;
      missing_ = error.what();
      next_ = std::chrono::steady_clock::now() + try_again_every;
      spdlog::error("no page, API and metrics, trying again every 30 s: {}", missing_);
    }
  }
  void tick() {
    if (missing_.empty() || engine_ == nullptr || std::chrono::steady_clock::now() < next_) return;
    next_ += try_again_every;
    try {
      serve();
    } catch (const std::runtime_error& error) {
      missing_ = error.what();
    }
  }
  void stop() {
    engine_ = nullptr;
    if (server_) server_->stop();
  }
  // Before the engine goes.
  void close() { server_.reset(); }
  // Why it is not there; empty: it is, or is not wanted.
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  void serve() {
    server_ = std::make_unique<WebServer>(
        executor_, *engine_,
        WebServer::Settings{config_.http_listen, config_.http_token, config_.http_hosts, config_.instrument_metrics,
                            std::chrono::seconds(10), trouble_});
    missing_.clear();
    server_->start();
    spdlog::info("page, API and metrics are served at=http://{}/", config_.http_listen);
  }

  const Config config_;
  const std::function<std::string()> trouble_;
  boost::asio::any_io_executor executor_;
  Engine* engine_ = nullptr;
  std::unique_ptr<WebServer> server_;
  std::string missing_;
  std::chrono::steady_clock::time_point next_{};
};

// Why what the files say does not hold; empty: it does. For readiness, which whoever saves them looks at.
std::string trouble_with_files(const std::vector<std::string>& errors) {
  if (errors.empty()) return "";
  const std::string more = errors.size() > 1 ? fmt::format(" (and {} more)", errors.size() - 1) : "";
  return fmt::format("the files have errors, what they said before holds: {}{}", printable(errors.front(), 300), more);
}

void begin_log(const std::string& config_file, const LoadedConfig& loaded) {
  std::vector<std::string> secrets = secrets_of(loaded.config.proxy);
  if (!loaded.config.http_token.empty()) secrets.push_back(loaded.config.http_token);
  start_logging(loaded.config.log_level, std::move(secrets));
  spdlog::info("cvdd {} starts config={} symbols={} names={} data_dir={}", version(), whole_path(config_file),
               whole_path(loaded.config.symbols_file), names_in(loaded.symbols), whole_path(loaded.config.data_dir));
  if (shows_secrets(loaded.config, config_file)) {
    spdlog::warn("others can read a file that holds a token or a password: chmod 640 file={}", config_file);
  }
}
}  // namespace

int run_command(const std::string& given) {
  // Paths in the log are whole, as whoever reads it is elsewhere.
  const auto file = find_config(given);
  const auto found = find_and_load(file ? whole_path(*file) : given);
  if (!found) return 2;
  const std::string& config_file = found->file;
  const LoadedConfig& loaded = found->loaded;
  begin_log(config_file, loaded);
  Systemd systemd;
  DaemonOptions options;
  options.config = loaded.config;
  options.symbols = loaded.symbols;
  options.watched_files = {config_file, loaded.config.symbols_file};
  std::string trouble;
  options.reload = [config_file, &systemd, &trouble] {
    systemd.reloading();
    Reloaded now;
    if (auto again = load_config(config_file, now.errors)) {
      now.config = std::move(again->config);
      now.symbols = std::move(again->symbols);
    }
    trouble = trouble_with_files(now.errors);
    systemd.reloaded();
    return now;
  };
  options.on_config = [](const Config& config) { set_log_level(config.log_level); };
  std::unique_ptr<Daemon> daemon;
  Page page(loaded.config,
            [&trouble] { return trouble; });  // goes before the daemon that it tells of, also when that throws
  options.on_tick = [&systemd, &page, &trouble](const Health& health) {
    page.tick();
    std::string line = status_line(health);
    if (!page.missing().empty()) line += ", no page: " + page.missing();
    if (!trouble.empty()) line += ", " + trouble;
    systemd.tick(making_progress(health), line);
  };
  options.on_stopping = [&systemd, &page] {
    systemd.stopping();
    page.stop();
  };
  options.on_begin = [&page](const asio::any_io_executor& executor, Engine& engine) { page.open(executor, engine); };
  try {
    daemon = std::make_unique<Daemon>(std::move(options));
    const int status = daemon->run();
    page.close();
    return status;
  } catch (const std::runtime_error& error) {
    page.close();
    print_error(std::string("cvdd: ") + error.what());
    return dynamic_cast<const WrongConfiguration*>(&error) != nullptr ? 2 : 1;
  }
}

}  // namespace cvdd
