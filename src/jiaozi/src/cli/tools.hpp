// Commands that work on files rather than on a server: `projections rebuild`, `decode`.
#pragma once

#include <CLI/CLI.hpp>

#include "terminal.hpp"

namespace jiaozi::cli {

void add_tool_commands(CLI::App& root, Exit& exit);

}  // namespace jiaozi::cli
