// `jiaozi completion bash`: a script for the shell, made from the commands themselves.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace jiaozi::cli {

// A bash completion script for the whole tree below `root`: nouns, verbs, their options.
std::string bash_completion(const CLI::App& root);

// Adds the command. `root` must be complete when the command runs.
void add_completion_command(CLI::App& root);

}  // namespace jiaozi::cli
