// Signed notes (C2SP signed-note) and what we put into them: checkpoints (C2SP tlog-checkpoint) and their cosignatures
// by witnesses (C2SP tlog-cosignature, cosignature/v1). Grammar and limits: docs/formats/checkpoint.md.
//
// Parsing is safe on hostile input: Error malformed or too_large. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::proof {

inline constexpr std::size_t max_note_bytes = std::size_t{16} * 1024;
inline constexpr std::size_t max_note_signatures = 16;
inline constexpr std::size_t max_key_name_bytes = 255;

// How a note's key signs; the numbers are C2SP's.
enum class NoteAlgorithm : std::uint8_t {
    ed25519 = 0x01,      // over the text
    cosignature = 0x04,  // Ed25519 over the text with the time of signing before it
};

// A verifier key as people hand it on: "name+hash+base64", for example in a file or on a web page.
struct NoteKey {
    std::string name;
    NoteAlgorithm algorithm = NoteAlgorithm::ed25519;
    crypto::Digest public_key{};  // 32 bytes

    std::uint32_t id() const;  // SHA-256(name ‖ 0x0A ‖ algorithm ‖ key), first 4 bytes, big-endian
    std::string to_string() const;
    static Result<NoteKey> parse(std::string_view text);
    bool operator==(const NoteKey&) const = default;
};
// Error invalid: not an Ed25519 key, or a name that a note can't carry (empty, spaces, a plus sign).
Result<NoteKey> note_key(std::string_view name, NoteAlgorithm algorithm, const crypto::Signer& signer);

struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    Bytes signature;
    bool operator==(const NoteSignature&) const = default;
};

struct Note {
    std::string text;  // ends with a newline
    std::vector<NoteSignature> signatures;

    std::string to_string() const;
    static Result<Note> parse(std::string_view bytes);
    bool operator==(const Note&) const = default;
};

// Error invalid when the text can't be a note's.
Result<NoteSignature> sign_note(std::string_view text, const NoteKey& key, const crypto::Signer& signer);
// A witness's: `when` goes into the signature.
Result<NoteSignature> cosign_note(std::string_view text, const NoteKey& key, const crypto::Signer& signer,
                                  Timestamp when);

// The signature of this key on the note: the time a witness gave (zero for a plain signature). Error unauthenticated
// when there is none, or it is wrong.
Result<Timestamp> verify_note(const Note& note, const NoteKey& key);

// A note whose text says how large the log is and what its root is. Lines after the root are kept in the text, signed,
// and not looked at.
struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    crypto::Digest root{};

    std::string text() const;
    static Result<Checkpoint> parse(std::string_view text);
    bool operator==(const Checkpoint&) const = default;
};

// Parses the note, verifies the key's signature, and that the checkpoint's origin is the key's name.
Result<Checkpoint> open_checkpoint(std::string_view note, const NoteKey& key);

}  // namespace jiaozi::proof
