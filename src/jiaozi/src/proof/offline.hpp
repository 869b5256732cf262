// A data directory read without its server: the commands that work on it change nothing and take no lock.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/keys.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::proofs {

struct DataFiles {
    std::filesystem::path journal;  // the engine's directory
    std::filesystem::path log;
};
DataFiles files_of(const std::string& data);

// From the keystore beside the journal. Errors: not_found, forbidden.
Result<proof::LogKeys> open_log_keys(const std::string& data);
// The newest checkpoint that the log has signed, verified by the keystore's own key.
struct OwnCheckpoint {
    proof::NoteKey key;
    proof::Checkpoint checkpoint;
    std::string note;
};
Result<OwnCheckpoint> own_checkpoint(const std::string& data, const proof::LogKeys& keys);

// --data, also called --data-dir.
std::shared_ptr<std::string> add_data_option(CLI::App& command);

}  // namespace jiaozi::proofs
