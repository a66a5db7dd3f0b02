// What `cvdd` understands on its command line: arguments → command.
#pragma once

namespace CLI {
class App;
}

namespace cvdd {

// Adds cvdd's commands. The callback of the one that is named runs it and leaves its exit status in `status`, which
// must outlive `app`.
void add_commands(CLI::App& app, int& status);

}  // namespace cvdd
