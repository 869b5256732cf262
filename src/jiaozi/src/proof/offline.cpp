#include "offline.hpp"

#include <jiaozi/crypto/keystore.hpp>

#include "../cli/terminal.hpp"
#include "files.hpp"

namespace jiaozi::proofs {

DataFiles files_of(const std::string& data) {
    const std::filesystem::path path(data);
    return {path / "journal", path / "log"};
}

Result<proof::LogKeys> open_log_keys(const std::string& data) {
    const std::filesystem::path path(data);
    JZ_TRY(const auto unlock, crypto::KeystoreUnlock::key_file(path / "keystore.key"));
    JZ_TRY(const auto keystore, crypto::Keystore::open(path / "keystore", unlock));
    return proof::load_log_keys(keystore);
}

Result<OwnCheckpoint> own_checkpoint(const std::string& data, const proof::LogKeys& keys) {
    OwnCheckpoint own;
    JZ_TRY(own.note, read_text((files_of(data).log / "checkpoint").string()));
    JZ_TRY(const proof::Note note, proof::Note::parse(own.note));
    JZ_TRY(const proof::Checkpoint named, proof::Checkpoint::parse(note.text));
    JZ_TRY(own.key, proof::note_key(named.origin, proof::NoteAlgorithm::ed25519, *keys.signer));
    JZ_TRY(own.checkpoint, proof::open_checkpoint(own.note, own.key));
    return own;
}

std::shared_ptr<std::string> add_data_option(CLI::App& command) {
    auto data = std::make_shared<std::string>("data");
    command
        .add_option("--data,--data-dir", *data,
                    cli::say("the server's data directory; it is only read", "服务的数据目录（只读）"))
        ->envname("JIAOZI_DATA")
        ->capture_default_str();
    return data;
}

}  // namespace jiaozi::proofs
