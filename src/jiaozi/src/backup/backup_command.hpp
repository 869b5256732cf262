// `jiaozi backup`, `jiaozi verify`, `jiaozi restore`.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::backup {

void add_backup_commands(CLI::App& root, cli::Exit& exit);

}  // namespace jiaozi::backup
