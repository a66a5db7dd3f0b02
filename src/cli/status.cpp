// `cvdd status`: what /readyz and /api/v1/instruments of a running daemon say, as a table or as JSON.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "commands.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/system/logging.hpp"
#include "load_config.hpp"
#include "status_client.hpp"
#include "terminal.hpp"

namespace cvdd {

namespace {
int not_answered(const std::string& listen, const std::string& error) {
  print_error(fmt::format("cvdd status: {}: {}", listen, error));
  return 1;
}

// 0: ready; 1: not, or not to be reached.
int show_json(const std::string& listen, const std::string& token) {
  bool ready = false;
  std::string error;
  const auto json = ask_status_json(listen, token, ready, error);
  if (!json) return not_answered(listen, error);
  fmt::print("{}\n", *json);
  std::fflush(stdout);
  return ready ? 0 : 1;
}

int show(const StatusCommand& command, const std::string& listen, const std::string& token, StatusTable& table) {
  std::string error;
  const auto model = ask_status(listen, token, error);
  const bool clear = command.watch && is_terminal(stdout);
  if (clear) fmt::print("\033[H\033[2J");
  if (!model) return not_answered(listen, error);
  // What was asked for is shown; what was not, as far as there is room.
  ScreenSize size = screen_size(stdout);
  if (command.rows > 0 && !command.watch) size.rows = 0;
  constexpr std::size_t rows_usual = 20;
  const std::size_t most = command.rows > 0 ? command.rows : size.rows > 0 ? size.rows : rows_usual;
  fmt::print("{}", table.draw(*model, size, most));
  std::fflush(stdout);
  return model->ready ? 0 : 1;
}
}  // namespace

int status_command(const StatusCommand& command) {
  std::string listen = command.listen, token = command.token;
  if (!command.config.empty() || listen.empty()) {
    const auto help = config_that_helps(command.config);
    if (!help) return 2;
    if (listen.empty()) listen = help->config.http_listen;
    if (token.empty()) token = help->config.http_token;
    if (listen.empty()) {
      print_error(help->file + ": [http] listen is \"\": the daemon serves nothing that could be asked");
      return 2;
    }
  }
  if (command.alive) {
    std::string error;
    if (ask_alive(listen, error)) return 0;
    print_error(fmt::format("cvdd status: {}: {}", listen, error));
    return 1;
  }
  StatusTable table;
  const auto look = [&] { return command.json ? show_json(listen, token) : show(command, listen, token, table); };
  if (!command.watch) return look();
  static volatile std::sig_atomic_t ended = 0;
  std::signal(SIGINT, [](int) { ended = 1; });
  std::signal(SIGTERM, [](int) { ended = 1; });
  int status = 0;
  while (ended == 0) {
    status = look();
    for (int i = 0; i < 10 && ended == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return status;
}

}  // namespace cvdd
