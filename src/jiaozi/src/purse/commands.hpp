// `jiaozi purse …`: an offline purse in a folder (docs/purses.md). new, pay, receive, show and verify-proof need no
// network; load, sync and lost speak to the issuer's server. Thin: what they do is in src/terminal.
#pragma once

#include <CLI/CLI.hpp>

#include "../cli/api_commands.hpp"
#include "../cli/terminal.hpp"

namespace jiaozi::purses {

void add_purse_commands(CLI::App& root, cli::Connection& connection, cli::Exit& exit);

// Its parts, below the noun.
void add_folder_commands(CLI::App& noun, cli::Exit& exit);                                // new, show, verify-proof
void add_payment_commands(CLI::App& noun, cli::Connection& connection, cli::Exit& exit);  // pay, receive
void add_server_commands(CLI::App& noun, cli::Connection& connection, cli::Exit& exit);   // load, sync, lost

}  // namespace jiaozi::purses
