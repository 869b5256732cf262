// How a log asks a witness for its cosignature: the body of C2SP tlog-witness's POST /add-checkpoint, and what comes
// back. Grammar and limits: docs/formats/checkpoint.md, "Asking a witness". The witness's side: witness.hpp.
//
// Parsing is safe on hostile input: Error malformed or too_large. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/proof/note.hpp>

namespace jiaozi::proof {

inline constexpr std::size_t max_consistency_hashes = 63;  // tlog-witness's
inline constexpr std::size_t max_add_checkpoint_bytes = max_note_bytes + std::size_t{4} * 1024;
// The media type of an answer that says how many commands the witness knows of.
inline constexpr std::string_view tlog_size_type = "text/x.tlog.size";

struct AddCheckpoint {
    std::uint64_t old_size = 0;   // what the log believes that the witness cosigned last; 0: nothing
    crypto::merkle::Proof proof;  // that the tree of the note begins with that one; empty from 0
    std::string note;             // the signed checkpoint

    std::string to_string() const;
    static Result<AddCheckpoint> parse(std::string_view body);
    bool operator==(const AddCheckpoint&) const = default;
};

// The lines that a witness answers with: signatures as they stand in a note.
std::string signature_lines(std::span<const NoteSignature> signatures);
// The note with the signature of this witness in such an answer added. Error unauthenticated: it has none that is good.
Result<Note> with_answer(const Note& note, const NoteKey& witness, std::string_view answer);

}  // namespace jiaozi::proof
