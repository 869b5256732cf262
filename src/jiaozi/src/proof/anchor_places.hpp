// The places that checkpoints are kept in, as the command line names them: a file, a URL, or a contract's list.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/audit.hpp>

namespace jiaozi::proofs {

struct PlaceOptions {
    std::vector<std::string> places;
    std::string rpc;  // for contracts that name no node
};
// --anchors and --rpc. `places` as a positional argument instead, where it is what the command is about.
std::shared_ptr<PlaceOptions> add_place_options(CLI::App& command, bool positional = false);
void add_rpc_option(CLI::App& command, std::string& rpc);

// What every place has of the log of this name. A place that does not answer is an Error: no audit passes by it.
Result<std::vector<proof::AnchorPlace>> read_places(const PlaceOptions& options, const std::string& origin);

}  // namespace jiaozi::proofs
