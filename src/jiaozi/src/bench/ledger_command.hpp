// `jiaozi bench ledger`.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::bench {

void add_ledger(CLI::App& noun, cli::Exit& exit);

}  // namespace jiaozi::bench
