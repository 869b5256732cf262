#include <algorithm>
#include <vector>

#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/proof/witness.hpp>
#include <jiaozi/storage/whole_file.hpp>

namespace jiaozi::proof {
namespace {

constexpr std::string_view key_entry = "witness-ed25519";

Result<std::string> read_file(storage::Disk& disk, const std::filesystem::path& path) {
    JZ_TRY(const Bytes bytes, storage::read_whole(disk, path, max_note_bytes + 1));
    return std::string(as_text(bytes));
}

// The log's own signature, and ours instead of an older one of ours; what strangers have added says nothing to us.
Note with_cosignature(const Note& note, const NoteKey& log, const NoteSignature& ours) {
    Note out{note.text, {}};
    std::ranges::copy_if(note.signatures, std::back_inserter(out.signatures),
                         [&](const NoteSignature& one) { return one.name == log.name && one.key_id == log.id(); });
    out.signatures.push_back(ours);
    return out;
}

}  // namespace

Result<NoteKey> Witness::make(const std::filesystem::path& directory, std::string_view name, const NoteKey& log,
                              storage::Disk& disk) {
    const crypto::KeyPair pair = crypto::generate_key(crypto::Suite::ed25519);
    JZ_TRY(const auto signer, crypto::make_signer(pair));
    JZ_TRY(NoteKey key, note_key(name, NoteAlgorithm::cosignature, *signer));
    JZ_CHECK(disk.make_directory(directory));
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(directory).parent_path()));
    JZ_CHECK(crypto::KeystoreUnlock::create_key_file(directory / "keystore.key"));
    JZ_TRY(const auto unlock, crypto::KeystoreUnlock::key_file(directory / "keystore.key"));
    JZ_TRY(auto keystore, crypto::Keystore::create(directory / "keystore", unlock));
    JZ_CHECK(keystore.add(key_entry, pair));
    const auto write = [&](const char* file, const std::string& text) {
        return storage::write_whole(disk, directory, directory / file, as_bytes(text), storage::Durable::now);
    };
    JZ_CHECK(write("log.vkey", log.to_string() + "\n"));
    JZ_CHECK(write("vkey", key.to_string() + "\n"));
    return key;
}

Result<Witness> Witness::open(const std::filesystem::path& directory, storage::Disk& disk) {
    Witness witness(directory, disk);
    JZ_TRY(witness.lock_, disk.lock(directory));
    JZ_CHECK(witness.load());
    return witness;
}

Result<> Witness::load() {
    JZ_TRY(const auto unlock, crypto::KeystoreUnlock::key_file(directory_ / "keystore.key"));
    JZ_TRY(const auto keystore, crypto::Keystore::open(directory_ / "keystore", unlock));
    JZ_TRY(signer_, keystore.signer(key_entry));
    JZ_TRY(const std::string log, read_file(*disk_, directory_ / "log.vkey"));
    JZ_TRY(log_, NoteKey::parse(log));
    JZ_TRY(const std::string vkey, read_file(*disk_, directory_ / "vkey"));
    JZ_TRY(key_, NoteKey::parse(vkey));
    if (!equal(key_.public_key, signer_->public_key()) || key_.algorithm != NoteAlgorithm::cosignature)
        return Error(ErrorKind::corrupt, "the witness's vkey is not of the key in its keystore");
    const auto note = read_file(*disk_, directory_ / "checkpoint");
    if (!note.ok() && note.error().kind() == ErrorKind::not_found) return {};
    if (!note.ok()) return note.error();
    auto seen = open_checkpoint(*note, log_);
    if (!seen.ok()) {
        return Error(ErrorKind::corrupt, "the checkpoint that the witness remembers: " + seen.error().message());
    }
    seen_ = std::move(*seen);
    return {};
}

Result<> Witness::hold_against_seen(const Checkpoint& next, crypto::merkle::NodeSource& tiles) const {
    const Checkpoint& seen = *seen_;
    const std::string sizes = std::to_string(next.size) + " commands after " + std::to_string(seen.size);
    if (next.size < seen.size) {
        return Error(ErrorKind::conflict, "the log shows a checkpoint of " + sizes +
                                              ": it has shrunk, or this is an old one. It is not cosigned")
            .with_code("log_shrunk");
    }
    bool same = next.root == seen.root;
    if (next.size != seen.size) {
        JZ_TRY(const auto proof, crypto::merkle::consistency_proof(tiles, seen.size, next.size));
        same = crypto::merkle::verify_consistency(seen.size, seen.root, next.size, next.root, proof);
    }
    if (same) return {};
    return Error(ErrorKind::corrupt, "the log signed a checkpoint of " + sizes +
                                         " that does not continue it, or its tiles are wrong: it has two histories. "
                                         "Keep both checkpoints, and tell others")
        .with_code("log_forked");
}

Result<std::string> Witness::cosign(std::string_view note, crypto::merkle::NodeSource& tiles, Timestamp now) {
    JZ_TRY(const Note parsed, Note::parse(note));
    JZ_TRY(Checkpoint next, open_checkpoint(note, log_));
    if (seen_) {
        if (auto held = hold_against_seen(next, tiles); !held.ok()) {
            if (held.error().code() == "log_forked" || held.error().code() == "log_shrunk")
                JZ_CHECK(keep_evidence(next.size, note));
            return held.error();
        }
    }
    JZ_TRY(const auto ours, remember(parsed, std::move(next), now));
    return with_cosignature(parsed, log_, ours).to_string();
}

Result<std::string> Witness::newest() const {
    if (!seen_) return Error(ErrorKind::not_found, "nothing has been cosigned yet");
    return read_file(*disk_, directory_ / "checkpoint");
}

Result<> Witness::keep_evidence(std::uint64_t size, std::string_view note) {
    return storage::write_whole(*disk_, directory_, directory_ / ("fork-" + std::to_string(size)), as_bytes(note),
                                storage::Durable::now);
}

Result<NoteSignature> Witness::remember(const Note& note, Checkpoint next, Timestamp now) {
    JZ_TRY(auto ours, cosign_note(note.text, key_, *signer_, now));
    const std::string cosigned = with_cosignature(note, log_, ours).to_string();
    // Before anybody has it: after a crash we must still know what we said.
    JZ_CHECK(
        storage::write_whole(*disk_, directory_, directory_ / "checkpoint", as_bytes(cosigned), storage::Durable::now));
    seen_ = std::move(next);
    return ours;
}

Result<> Witness::check_added(const AddCheckpoint& request, const Checkpoint& next) const {
    if (request.old_size > next.size) {
        return Error(ErrorKind::invalid, "the old size is over the checkpoint's").with_param("old");
    }
    const std::uint64_t known = seen_ ? seen_->size : 0;
    const auto elsewhere = [&](const std::string& how) {
        return Error(ErrorKind::conflict, "the witness has cosigned " + how).with_code("witness_elsewhere");
    };
    if (request.old_size != known) {
        return elsewhere(std::to_string(known) + " commands, not " + std::to_string(request.old_size));
    }
    if (!seen_) return {};
    if (next.size == seen_->size && next.root != seen_->root) {
        return elsewhere("another root of " + std::to_string(known) +
                         " commands: the log has two histories. Keep both checkpoints, and tell others");
    }
    if (crypto::merkle::verify_consistency(seen_->size, seen_->root, next.size, next.root, request.proof)) return {};
    return Error(ErrorKind::declined, "the proof does not lead from " + std::to_string(known) + " commands to " +
                                          std::to_string(next.size) + ": it is wrong, or the log has two histories")
        .with_code("log_forked");
}

Result<NoteSignature> Witness::add(const AddCheckpoint& request, Timestamp now) {
    JZ_TRY(const Note note, Note::parse(request.note));
    JZ_TRY(const Checkpoint said, Checkpoint::parse(note.text));
    if (said.origin != log_.name) {
        return Error(ErrorKind::not_found, "this witness follows " + log_.name + ", not " + said.origin)
            .with_code("unknown_log");
    }
    JZ_TRY(Checkpoint next, open_checkpoint(request.note, log_));
    auto checked = check_added(request, next);
    if (!checked.ok()) {
        // Two signed roots of one size convict the log; a wrong proof may be anybody's.
        if (seen_ && next.size == seen_->size && next.root != seen_->root)
            JZ_CHECK(keep_evidence(next.size, request.note));
        return std::move(checked).error();
    }
    return remember(note, std::move(next), now);
}

std::size_t count_cosignatures(const Note& note, std::span<const NoteKey> witnesses) {
    std::vector<crypto::Digest> counted;
    for (const NoteKey& witness : witnesses) {
        const bool twice = std::ranges::find(counted, witness.public_key) != counted.end();
        if (!twice && verify_note(note, witness).ok()) counted.push_back(witness.public_key);
    }
    return counted.size();
}

Result<> require_quorum(const Note& note, std::span<const NoteKey> witnesses, std::size_t quorum) {
    for (const NoteKey& witness : witnesses) {
        if (witness.algorithm != NoteAlgorithm::cosignature)
            return Error(ErrorKind::invalid, witness.name + " is not the key of a witness").with_param("witness");
    }
    if (quorum > witnesses.size())
        return Error(ErrorKind::invalid, "a quorum larger than the number of witnesses is never reached")
            .with_param("quorum");
    const std::size_t have = count_cosignatures(note, witnesses);
    if (have >= quorum) return {};
    std::string missing;
    for (const NoteKey& witness : witnesses) {
        if (!verify_note(note, witness).ok()) missing += (missing.empty() ? "" : ", ") + witness.name;
    }
    return Error(ErrorKind::unauthenticated, "cosigned by " + std::to_string(have) + " witnesses of " +
                                                 std::to_string(quorum) + " that are demanded; missing: " + missing);
}

Result<Note> merge_signatures(Note note, const Note& other) {
    if (note.text != other.text) return Error(ErrorKind::conflict, "the two notes are not of the same checkpoint");
    for (const NoteSignature& one : other.signatures) {
        if (std::ranges::find(note.signatures, one) != note.signatures.end()) continue;
        if (note.signatures.size() == max_note_signatures)
            return Error(ErrorKind::too_large, "a note has at most 16 signatures");
        note.signatures.push_back(one);
    }
    return note;
}

}  // namespace jiaozi::proof
