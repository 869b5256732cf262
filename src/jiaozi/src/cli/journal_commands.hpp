// `snapshot` and `prune`: upkeep of the journal of a server that is stopped.
#pragma once

#include <CLI/CLI.hpp>

#include "terminal.hpp"

namespace jiaozi::cli {

void add_journal_commands(CLI::App& root, Exit& exit);

}  // namespace jiaozi::cli
