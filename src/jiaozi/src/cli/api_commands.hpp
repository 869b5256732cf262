// The commands that are the HTTP API: `jiaozi <noun> <verb>`. Their options and help come from the OpenAPI document
// that is inside the program, so that the command line can do exactly what the API can; a table gives each operation
// its words.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "terminal.hpp"

namespace jiaozi::cli {

struct CommandRow {
    std::string_view operation;  // operationId
    std::string_view noun;
    std::string_view verb;
    std::string_view zh;  // what it does, in Chinese
};
// Every operation of the document is here or in operations_without_command(); a test holds that.
std::span<const CommandRow> command_rows();
std::span<const std::string_view> operations_without_command();

// How to reach the server; filled from options and environment, shared by all commands.
struct Connection {
    std::string url;       // --url, JIAOZI_URL, http://127.0.0.1:8080
    std::string key_file;  // --key-file, JIAOZI_KEY_FILE, ./data/operator.key; the key itself may be in JIAOZI_API_KEY
    bool json = false;     // --json
};
// Adds --url and --key-file, in a group of the help if it has a name.
void add_server_options(CLI::App& command, Connection& connection, const std::string& group = {});
// Adds the three options to a command.
void add_connection_options(CLI::App& command, Connection& connection);
// The key from JIAOZI_API_KEY or the file. Never from an argument: arguments stand in process lists.
std::string read_key(const Connection& connection);

// Adds all nouns and verbs below `root`. When one was given, its request is sent and `exit` set as the callback runs.
void add_api_commands(CLI::App& root, std::string_view openapi_json, Connection& connection, Exit& exit);

}  // namespace jiaozi::cli
