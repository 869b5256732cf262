// The commands that check what a server says: `jiaozi receipt`, `jiaozi checkpoint`. Verifying needs no server, no data
// directory and no network.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/api_commands.hpp"
#include "../cli/terminal.hpp"

namespace jiaozi::proofs {

void add_receipt_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);
void add_checkpoint_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);

}  // namespace jiaozi::proofs
