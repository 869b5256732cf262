#include <algorithm>
#include <array>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/codec/utf8.hpp>
#include <jiaozi/proof/note.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

constexpr std::string_view signature_start = "\u2014 ";  // an em dash and a space
constexpr std::size_t key_id_bytes = 4;

Error malformed(std::string what) {
    return Error(ErrorKind::malformed, std::move(what));
}

// No white space of Unicode, no control character, no plus sign, which separates the parts of a key.
bool is_key_name(std::string_view name) {
    if (name.empty() || name.size() > max_key_name_bytes || !codec::is_utf8(name)) return false;
    for (const std::string_view space :
         {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
          "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}) {
        if (name.find(space) != std::string_view::npos) return false;
    }
    return std::ranges::none_of(name, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7f || c == '+';
    });
}

// What may be signed: lines of UTF-8 without control characters.
bool is_note_text(std::string_view text) {
    if (!text.ends_with('\n') || !codec::is_utf8(text)) return false;
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return c == '\n' || (byte >= 0x20 && byte != 0x7f);
    });
}

std::uint32_t big_endian_32(ByteView bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
           static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

void put_big_endian(Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::string cosigned_message(std::string_view text, std::uint64_t unix_s) {
    return "cosignature/v1\ntime " + std::to_string(unix_s) + "\n" + std::string(text);
}

Result<NoteSignature> parse_signature(std::string_view line) {
    if (!line.starts_with(signature_start)) return malformed("a signature line starts with an em dash and a space");
    line.remove_prefix(signature_start.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_key_name(line.substr(0, space)))
        return malformed("a signature line has a key name, a space and the signature");
    NoteSignature signature;
    signature.name = line.substr(0, space);
    JZ_TRY(const Bytes bytes, codec::decode_base64(line.substr(space + 1)));
    if (bytes.size() <= key_id_bytes) return malformed("a signature is longer than the key's 4 bytes");
    signature.key_id = big_endian_32(bytes);
    signature.signature.assign(bytes.begin() + key_id_bytes, bytes.end());
    return signature;
}

}  // namespace

std::uint32_t NoteKey::id() const {
    const std::array<std::uint8_t, 2> middle = {0x0A, static_cast<std::uint8_t>(algorithm)};
    return big_endian_32(crypto::Sha256().update(as_bytes(name)).update(middle).update(public_key).finish());
}

std::string NoteKey::to_string() const {
    Bytes hash;
    put_big_endian(hash, id(), key_id_bytes);
    Bytes typed = {static_cast<std::uint8_t>(algorithm)};
    append(typed, public_key);
    return name + '+' + to_hex(hash) + '+' + codec::encode_base64(typed);
}

Result<NoteKey> NoteKey::parse(std::string_view text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    // The name has no plus sign, but base64 may.
    const std::size_t first = text.find('+');
    const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
    if (second == std::string_view::npos || !is_key_name(text.substr(0, first)))
        return malformed("a verifier key looks like name+01234567+base64");
    JZ_TRY(const Bytes hash, from_hex(text.substr(first + 1, second - first - 1)));
    JZ_TRY(const Bytes typed, codec::decode_base64(text.substr(second + 1)));
    NoteKey key;
    key.name = text.substr(0, first);
    if (hash.size() != key_id_bytes || typed.size() != 1 + key.public_key.size() ||
        (typed[0] != 0x01 && typed[0] != 0x04))
        return malformed("the verifier key is not of a kind that is known here: Ed25519, or a witness's cosignatures");
    key.algorithm = static_cast<NoteAlgorithm>(typed[0]);
    std::copy(typed.begin() + 1, typed.end(), key.public_key.begin());
    if (key.id() != big_endian_32(hash))
        return malformed("the verifier key's name, hash and key do not belong together");
    return key;
}

Result<NoteKey> note_key(std::string_view name, NoteAlgorithm algorithm, const crypto::Signer& signer) {
    if (signer.suite() != crypto::Suite::ed25519)
        return Error(ErrorKind::invalid, "notes are signed with Ed25519 keys");
    if (!is_key_name(name)) {
        return Error(ErrorKind::invalid,
                     "a log's name is 1 to 255 bytes without spaces and plus signs, for example "
                     "pay.example.com/journal")
            .with_param("origin");
    }
    NoteKey key{std::string(name), algorithm, {}};
    std::ranges::copy(signer.public_key(), key.public_key.begin());
    return key;
}

std::string Note::to_string() const {
    std::string out = text + "\n";
    for (const NoteSignature& signature : signatures) {
        Bytes bytes;
        put_big_endian(bytes, signature.key_id, key_id_bytes);
        append(bytes, signature.signature);
        out += std::string(signature_start) + signature.name + ' ' + codec::encode_base64(bytes) + '\n';
    }
    return out;
}

Result<Note> Note::parse(std::string_view bytes) {
    if (bytes.size() > max_note_bytes) return Error(ErrorKind::too_large, "a signed note is at most 16 KiB");
    // The last empty line ends the text: signatures have none.
    const std::size_t blank = bytes.rfind("\n\n");
    if (blank == std::string_view::npos || !bytes.ends_with('\n'))
        return malformed("a signed note is a text, an empty line and signature lines, each ended by a newline");
    Note note;
    note.text = bytes.substr(0, blank + 1);
    if (!is_note_text(note.text)) return malformed("a note's text is UTF-8 without control characters");
    bytes.remove_prefix(blank + 2);
    if (bytes.empty()) return malformed("the note has no signature");
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        if (note.signatures.size() == max_note_signatures)
            return Error(ErrorKind::too_large, "a note has at most 16 signatures");
        JZ_TRY(auto signature, parse_signature(bytes.substr(0, end)));
        note.signatures.push_back(std::move(signature));
        bytes.remove_prefix(end + 1);
    }
    return note;
}

Result<NoteSignature> sign_note(std::string_view text, const NoteKey& key, const crypto::Signer& signer) {
    if (!is_note_text(text)) return Error(ErrorKind::invalid, "a note's text is lines of UTF-8");
    JZ_TRY(const crypto::Signature signature, signer.sign(as_bytes(text)));
    return NoteSignature{key.name, key.id(), to_bytes(signature)};
}

Result<NoteSignature> cosign_note(std::string_view text, const NoteKey& key, const crypto::Signer& signer,
                                  Timestamp when) {
    if (!is_note_text(text)) return Error(ErrorKind::invalid, "a note's text is lines of UTF-8");
    JZ_TRY(const crypto::Signature signature, signer.sign(as_bytes(cosigned_message(text, when.s()))));
    NoteSignature made{key.name, key.id(), {}};
    put_big_endian(made.signature, when.s(), 8);
    append(made.signature, signature);
    return made;
}

Result<Timestamp> verify_note(const Note& note, const NoteKey& key) {
    const std::uint32_t id = key.id();
    const auto found = std::ranges::find_if(
        note.signatures, [&](const NoteSignature& one) { return one.name == key.name && one.key_id == id; });
    if (found == note.signatures.end())
        return Error(ErrorKind::unauthenticated, "the note is not signed by " + key.name + " with this key");
    JZ_TRY(const crypto::Verifier verifier, crypto::make_verifier(crypto::Suite::ed25519, key.public_key));
    ByteView signature = found->signature;
    Timestamp when;
    std::string message = note.text;
    if (key.algorithm == NoteAlgorithm::cosignature) {
        if (signature.size() != 8 + crypto::signature_size) return malformed("a cosignature has a time and 64 bytes");
        std::uint64_t unix_s = 0;
        for (const std::uint8_t byte : signature.first(8)) unix_s = unix_s << 8 | byte;
        // Times beyond 2500 do not fit nanoseconds and are nobody's.
        if (unix_s > 16'725'225'600) return malformed("the cosignature's time is out of range");
        when = timestamp_s(unix_s);
        message = cosigned_message(note.text, unix_s);
        signature = signature.subspan(8);
    }
    if (!verifier.verify(as_bytes(message), signature))
        return Error(ErrorKind::unauthenticated, "the signature of " + key.name + " on the note is wrong");
    return when;
}

std::string Checkpoint::text() const {
    return origin + '\n' + std::to_string(size) + '\n' + codec::encode_base64(root) + '\n';
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    std::array<std::string_view, 3> lines;
    for (std::string_view& line : lines) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return malformed("a checkpoint has an origin, a size and a root");
        line = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    Checkpoint checkpoint;
    checkpoint.origin = lines[0];
    if (checkpoint.origin.empty()) return malformed("a checkpoint's first line is its origin");
    JZ_TRY(checkpoint.size, parse_u64(lines[1]));
    JZ_TRY(const Bytes root, codec::decode_base64(lines[2]));
    if (root.size() != checkpoint.root.size()) return malformed("a checkpoint's root has 32 bytes");
    std::ranges::copy(root, checkpoint.root.begin());
    // An extension line is not empty, or the text would not end where the signatures begin.
    if (text.starts_with('\n') || text.find("\n\n") != std::string_view::npos)
        return malformed("a checkpoint has no empty lines");
    return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const NoteKey& key) {
    JZ_TRY(const Note parsed, Note::parse(note));
    JZ_CHECK(verify_note(parsed, key));
    JZ_TRY(auto checkpoint, Checkpoint::parse(parsed.text));
    if (checkpoint.origin != key.name) {
        return Error(ErrorKind::unauthenticated,
                     "the checkpoint is of the log " + checkpoint.origin + ", not of " + key.name);
    }
    return checkpoint;
}

}  // namespace jiaozi::proof
