// What the verifying commands demand of witnesses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::proofs {

struct QuorumOptions {
    std::vector<std::string> witnesses;  // verifier keys, or files with them
    std::vector<std::string> cosigned;   // files: checkpoints that witnesses cosigned
    std::size_t quorum = 0;              // 0: all of them
    std::string server;                  // whose tiles join a checkpoint to a later one
};
// --witness, --quorum, --cosigned, --server.
std::shared_ptr<QuorumOptions> add_quorum_options(CLI::App& command);

// Nothing is demanded without --witness. Otherwise the checkpoint, whose signature by the log has been verified, must
// be cosigned by enough witnesses, or be the beginning of one in --cosigned that is. Errors: unauthenticated.
Result<> demand_quorum(const QuorumOptions& options, const proof::NoteKey& log, const std::string& note);

}  // namespace jiaozi::proofs
