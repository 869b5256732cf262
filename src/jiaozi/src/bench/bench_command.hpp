// `jiaozi bench payments`: how fast, and how fast beside PostgreSQL in the same run.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/terminal.hpp"

namespace jiaozi::bench {

void add_bench_command(CLI::App& root, cli::Exit& exit);

}  // namespace jiaozi::bench
