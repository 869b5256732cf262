// `jiaozi serve`: runs the platform until SIGINT or SIGTERM.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"
#include "options.hpp"

namespace jiaozi::serve {

void add_serve_command(CLI::App& root, ServeOptions& options, cli::Exit& exit);

}  // namespace jiaozi::serve
