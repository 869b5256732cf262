// `jiaozi bench purse`.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::bench {

void add_purse(CLI::App& noun, cli::Exit& exit);

}  // namespace jiaozi::bench
