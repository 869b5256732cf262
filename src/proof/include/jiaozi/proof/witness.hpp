// A witness: somebody who follows one log, remembers the newest checkpoint it cosigned, and cosigns another only if
// that log begins with what it remembers (C2SP tlog-witness's rule, tlog-cosignature's format). docs/proofs.md,
// "Witnesses".
//
// Its folder, which is all that a witness must not lose:
//   keystore, keystore.key   its own key
//   vkey                     its public key, for those who demand its cosignatures
//   log.vkey                 the log it follows
//   checkpoint               the newest it cosigned, with the cosignature; synced before anybody is given it
//   fork-<size>              a checkpoint the log signed that contradicts the one remembered: keep both
//
// Not thread-safe; one process at a time holds the folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/proof/add_checkpoint.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

class Witness {
  public:
    // Makes the folder and a key. Errors: conflict when there is a witness already; invalid: the name.
    static Result<NoteKey> make(const std::filesystem::path& directory, std::string_view name, const NoteKey& log,
                                storage::Disk& disk);
    // Errors: not_found; conflict when another process has it; corrupt when its files do not belong together.
    static Result<Witness> open(const std::filesystem::path& directory, storage::Disk& disk);

    const NoteKey& key() const noexcept { return key_; }
    const NoteKey& log() const noexcept { return log_; }
    const std::optional<Checkpoint>& seen() const noexcept { return seen_; }
    // The note of that, with the cosignature. not_found before the first.
    Result<std::string> newest() const;

    // The note with our cosignature, remembered durably. `tiles` is the log's tree, as anybody serves it: what is wrong
    // in it makes the proof fail. Errors: unauthenticated, not signed by the log; conflict (log_shrunk), smaller than
    // what is remembered; corrupt (log_forked), not its continuation; the tiles' own.
    Result<std::string> cosign(std::string_view note, crypto::merkle::NodeSource& tiles, Timestamp now);
    // The same for a log that asks by itself, and brings the proof (C2SP tlog-witness, add-checkpoint). Errors, in this
    // order: not_found (unknown_log), another log's; unauthenticated, not signed by it; invalid, smaller than what it
    // says is old; conflict (witness_elsewhere), we have cosigned another size, or another root of this one: seen()
    // says which; declined (log_forked), the proof does not lead there; io, it could not be remembered, and nobody gets
    // it.
    Result<NoteSignature> add(const AddCheckpoint& request, Timestamp now);

  private:
    Witness(std::filesystem::path directory, storage::Disk& disk) : directory_(std::move(directory)), disk_(&disk) {}
    Result<> load();
    Result<> check_added(const AddCheckpoint& request, const Checkpoint& next) const;
    Result<NoteSignature> remember(const Note& note, Checkpoint next, Timestamp now);
    Result<> keep_evidence(std::uint64_t size, std::string_view note);
    Result<> hold_against_seen(const Checkpoint& next, crypto::merkle::NodeSource& tiles) const;

    std::filesystem::path directory_;
    storage::Disk* disk_;
    std::unique_ptr<storage::DirectoryLock> lock_;
    std::unique_ptr<crypto::Signer> signer_;
    NoteKey key_;
    NoteKey log_;
    std::optional<Checkpoint> seen_;
};

// How many of these witnesses have cosigned the note; a key given twice counts once.
std::size_t count_cosignatures(const Note& note, std::span<const NoteKey> witnesses);
// Error unauthenticated when fewer than `quorum` have, which names those that are missing; invalid when no number of
// them could, or a key is not a witness's.
Result<> require_quorum(const Note& note, std::span<const NoteKey> witnesses, std::size_t quorum);
// The note with the signatures of another of the same text added. Error conflict: another text; too_large.
Result<Note> merge_signatures(Note note, const Note& other);

}  // namespace jiaozi::proof
