// `jiaozi listen --forward-to URL`: the server's events, sent on to a program under development as webhooks would be.
#pragma once

#include <string>

#include "api_commands.hpp"

namespace jiaozi::cli {

struct ListenOptions {
    std::string forward_to;  // empty: only print
    std::string type;        // "payment.captured", "payment.*"; empty: all
};

// Adds the command. Runs until interrupted; goes on where it was after a lost connection.
void add_listen_command(CLI::App& root, ListenOptions& options, Connection& connection, Exit& exit);

}  // namespace jiaozi::cli
