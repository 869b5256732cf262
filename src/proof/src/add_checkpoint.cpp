#include <algorithm>
#include <charconv>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/proof/add_checkpoint.hpp>
#include <jiaozi/proof/witness.hpp>

namespace jiaozi::proof {
namespace {

constexpr std::string_view old_word = "old ";

Error malformed(const char* cause) {
    return {ErrorKind::malformed, std::string("not a request to add a checkpoint: ") + cause};
}

// Up to the newline, which is taken too; none if there is no further line.
bool take_line(std::string_view& rest, std::string_view& line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return true;
}

// Decimal, without sign or leading zeros.
Result<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t size = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (failed != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0'))
        return malformed("the old size is not a decimal number");
    return size;
}

}  // namespace

std::string AddCheckpoint::to_string() const {
    std::string text = std::string(old_word) + std::to_string(old_size) + "\n";
    for (const crypto::Digest& hash : proof) text += codec::encode_base64(hash) + "\n";
    return text + "\n" + note;
}

Result<AddCheckpoint> AddCheckpoint::parse(std::string_view body) {
    if (body.size() > max_add_checkpoint_bytes)
        return Error(ErrorKind::too_large, "a request to add a checkpoint is at most 20 KiB");
    AddCheckpoint request;
    std::string_view line;
    if (!take_line(body, line) || !line.starts_with(old_word)) return malformed("the first line is not the old size");
    JZ_TRY(request.old_size, parse_size(line.substr(old_word.size())));
    for (;;) {
        if (!take_line(body, line)) return malformed("no empty line ends the proof");
        if (line.empty()) break;
        if (request.proof.size() == max_consistency_hashes) return malformed("the proof has more than 63 hashes");
        const auto hash = codec::decode_base64(line);
        crypto::Digest digest{};
        if (!hash.ok() || hash->size() != digest.size()) return malformed("a line of the proof is not a hash");
        std::ranges::copy(*hash, digest.begin());
        request.proof.push_back(digest);
    }
    if (request.old_size == 0 && !request.proof.empty()) return malformed("from nothing there is nothing to prove");
    request.note = body;
    JZ_CHECK(Note::parse(request.note));
    return request;
}

std::string signature_lines(std::span<const NoteSignature> signatures) {
    const Note note{"-\n", {signatures.begin(), signatures.end()}};
    return note.to_string().substr(note.text.size() + 1);  // the text, and the empty line behind it
}

Result<Note> with_answer(const Note& note, const NoteKey& witness, std::string_view answer) {
    if (answer.size() > max_note_bytes) return Error(ErrorKind::too_large, "the witness's answer is too long");
    JZ_TRY(const Note answered, Note::parse(note.text + "\n" + std::string(answer)));
    Note ours{note.text, {}};
    std::ranges::copy_if(answered.signatures, std::back_inserter(ours.signatures), [&](const NoteSignature& one) {
        return one.name == witness.name && one.key_id == witness.id();
    });
    JZ_CHECK(verify_note(ours, witness));
    return merge_signatures(note, ours);
}

}  // namespace jiaozi::proof
