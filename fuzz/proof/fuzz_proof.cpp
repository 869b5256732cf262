// Hostile notes, keys, receipts, parts, tile paths and proofs of liabilities. The first byte chooses. What parses must
// be written back to something that parses to the same, and nothing may verify: the fuzzer has no key.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/proof/add_checkpoint.hpp>
#include <jiaozi/proof/liabilities.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/proof/receipt.hpp>
#include <jiaozi/proof/tiles.hpp>

namespace {

using namespace jiaozi;
using namespace jiaozi::proof;

const NoteKey& some_key() {
    static const NoteKey key = *NoteKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    return key;
}

void require(bool condition) {
    if (!condition) std::abort();
}

void note(std::string_view text) {
    const auto parsed = Note::parse(text);
    if (!parsed.ok()) return;
    require(parsed->to_string() == text);
    const auto checkpoint = Checkpoint::parse(parsed->text);
    if (checkpoint.ok()) require(parsed->text.starts_with(checkpoint->text()));
    require(!open_checkpoint(text, some_key()).ok());
    const auto statement = LiabilityStatement::parse(parsed->text);
    if (statement.ok()) require(statement->text() == parsed->text);
}

void key(std::string_view text) {
    const auto parsed = NoteKey::parse(text);
    if (parsed.ok()) require(*NoteKey::parse(parsed->to_string()) == *parsed);
}

void receipt(std::string_view text) {
    const auto parsed = Receipt::parse(text);
    if (!parsed.ok()) return;
    require(*Receipt::parse(parsed->to_json()) == *parsed);
    require(!verify(*parsed, some_key()).ok());
}

void liability(std::string_view text) {
    const auto parsed = LiabilityProof::parse(text);
    if (!parsed.ok()) return;
    require(*LiabilityProof::parse(parsed->to_json()) == *parsed);
    require(!verify(*parsed, some_key()).ok());
}

void added(std::string_view text) {
    const auto parsed = AddCheckpoint::parse(text);
    if (parsed.ok()) require(parsed->to_string() == text);
    const Note asked{"a\n", {}};
    require(!with_answer(asked, some_key(), text).ok());
}

void tile(std::string_view text) {
    const auto parsed = TileName::parse(text);
    if (parsed.ok()) require(parsed->path() == text);
}

// A row is an annotation of one row, itself.
void rows(ByteView bytes) {
    for (const Bytes& row : rows_of(bytes)) require(rows_of(row) == std::vector<Bytes>{row});
}

// Two sizes, and hashes of a proof: anything but a crash.
void proof_hashes(ByteView bytes) {
    if (bytes.size() < 16) return;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        from = from << 8 | bytes[i];
        to = to << 8 | bytes[8 + i];
    }
    crypto::merkle::Proof hashes;
    for (bytes = bytes.subspan(16); bytes.size() >= 32 && hashes.size() < 200; bytes = bytes.subspan(32))
        std::copy_n(bytes.begin(), 32, hashes.emplace_back().begin());
    const crypto::Digest zero{};
    static_cast<void>(crypto::merkle::root_from_inclusion(zero, from, to, hashes).ok());
    static_cast<void>(crypto::merkle::verify_consistency(from, zero, to, zero, hashes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    const std::string_view text = as_text(bytes);
    switch (data[0] % 8) {
        case 1:
            note(text);
            break;
        case 2:
            key(text);
            break;
        case 3:
            receipt(text);
            break;
        case 4:
            liability(text);
            break;
        case 5:
            tile(text);
            break;
        case 6:
            static_cast<void>(decode_part(bytes).ok());
            rows(bytes);
            break;
        case 7:
            proof_hashes(bytes);
            break;
        default:
            added(text);
    }
    return 0;
}
