// The commands that check what a server says (`receipt`, `checkpoint`), and those that its keeper makes proofs with,
// from the data directory alone (`audit`, `liabilities`, `disclose`). Verifying needs no server, no data and no
// network.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/api_commands.hpp"
#include "../cli/terminal.hpp"

namespace jiaozi::proofs {

void add_receipt_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);
void add_checkpoint_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);
// Publishes checkpoints to other places, and holds a server against them.
void add_anchor_commands(CLI::App& root, cli::Exit& exit);
// A witness of its own, which follows somebody's log.
void add_witness_commands(CLI::App& root, cli::Exit& exit);
void add_audit_command(CLI::App& root, cli::Exit& exit);
void add_liability_commands(CLI::App& root, cli::Exit& exit);
void add_disclose_command(CLI::App& root, cli::Exit& exit);

}  // namespace jiaozi::proofs
