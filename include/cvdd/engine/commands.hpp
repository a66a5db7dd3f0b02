// The commands of cvdd-engine, one function each. Return the exit status: 0 done, 1 failed while running, 2 wrong usage
// or configuration.
#pragma once

#include <string>

namespace cvdd::engine {

struct LoadCommand {
  std::string data;
  std::string to = "sqlite:cvd.db";
  std::string collector;  // "": the host's name
  std::string ca_file;
  bool follow = false;
};
int load_command(const LoadCommand& command);

struct ServiceCommand {
  std::string config;
  std::string from;   // ship: "2026-11-20", publish again from this day on; "": go on at the checkpoint
  bool once = false;  // end when there is nothing more to do
};
int ship_command(const ServiceCommand& command);
int sink_command(const ServiceCommand& command);
int doctor_command(const std::string& config);
int check_command(const std::string& config);

}  // namespace cvdd::engine
