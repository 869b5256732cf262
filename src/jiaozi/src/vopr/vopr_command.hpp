// `jiaozi vopr`: the engine in simulated worlds, one seed after the other, until something is found or it is stopped.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::vopr {

void add_vopr_command(CLI::App& root, cli::Exit& exit);

}  // namespace jiaozi::vopr
