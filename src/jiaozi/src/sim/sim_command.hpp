// `jiaozi sim …`: simulated devices against any server, and `jiaozi trigger EVENT`: makes an event really happen in a
// sandbox. docs/simulators.md, docs/cli.md.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/api_commands.hpp"
#include "../cli/terminal.hpp"

namespace jiaozi::sim {

void add_sim_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);
// One verb each; called by add_sim_commands.
void add_fleet_command(CLI::App& noun, cli::Connection& connection, cli::Exit& exit);
void add_trigger_command(CLI::App& root, cli::Connection& connection, cli::Exit& exit);

}  // namespace jiaozi::sim
