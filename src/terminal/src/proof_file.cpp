#include <algorithm>

#include <boost/json.hpp>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/purse/proof.hpp>
#include <jiaozi/purse_host/memory.hpp>
#include <jiaozi/terminal/proof_file.hpp>

namespace jiaozi::terminal {
namespace {

constexpr std::uint8_t proof_head = 0x84;  // an array of four

// A platform wants every callback; checking a proof calls hash and verify.
class NoSigner final : public purse_host::PurseSigner {
  public:
    crypto::Suite suite() const override { return crypto::Suite::ed25519; }
    Bytes public_key() const override { return {}; }
    bool sign(ByteView, std::uint8_t*) override { return false; }
};

ProvenNote note_of(const purse::Entry<purse::Note>& entry) {
    return {.id = entry.id,
            .seq = entry.value.seq,
            .payee = entry.value.payee,
            .amount = entry.value.total(),
            .time = entry.value.time};
}

Error refused(jz_status status) {
    const std::string name = jz_status_name(status);
    switch (status) {
        case JZ_UNKNOWN_ISSUER:
            return Error(ErrorKind::unauthenticated, "the certificate in the proof is not by this issuer's key")
                .with_code(name);
        case JZ_BAD_SIGNATURE:
            return Error(ErrorKind::unauthenticated, "a signature in the proof is wrong: it proves nothing")
                .with_code(name);
        case JZ_BAD_RANGE:
            return Error(ErrorKind::declined,
                         "the two notes do not contradict each other: an honest purse may sign both")
                .with_code(name);
        default:
            return Error(ErrorKind::malformed, "this is no fork proof: " + name).with_code(name);
    }
}

}  // namespace

Result<Bytes> read_proof(ByteView file) {
    if (file.size() > max_proof_file) return Error(ErrorKind::too_large, "a fork proof's file has at most 64 KiB");
    if (!file.empty() && file[0] == proof_head) return to_bytes(file);
    std::string_view text = as_text(file);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    std::string member;
    if (text.starts_with('{')) {
        boost::system::error_code error;
        const auto parsed = boost::json::parse(text, error);
        const auto* const found = !error && parsed.is_object() ? parsed.get_object().if_contains("proof") : nullptr;
        if (found == nullptr || !found->is_string()) {
            return Error(ErrorKind::malformed, "the JSON has no member 'proof' with the proof in base64");
        }
        member = found->get_string();
        text = member;
    }
    if (auto hex = from_hex(text); hex.ok()) return hex;
    auto base64 = codec::decode_base64(text);
    if (!base64.ok()) return Error(ErrorKind::malformed, "this is no fork proof: neither CBOR, hexadecimal nor base64");
    return base64;
}

Result<ProvenFork> check_proof(ByteView proof, std::span<const IssuerKey> issuers) {
    NoSigner signer;
    purse_host::MemoryStorage storage;
    purse_host::MemoryAnchor anchor;
    const SystemClock clock;
    const purse_host::HostPurse purse(purse_host::real_cryptography(), signer, storage, anchor, clock);
    std::vector<purse::IssuerKey> keys;
    for (const IssuerKey& issuer : issuers) {
        jz_issuer_key key{};
        key.suite = static_cast<int>(issuer.suite);
        key.size = static_cast<std::uint8_t>(issuer.key.size());
        std::ranges::copy(issuer.key, key.public_key);
        if (purse::read_issuer_key(purse.platform(), key, keys.emplace_back()) != JZ_OK) {
            return Error(ErrorKind::invalid, to_text(issuer) + " is no key").with_param("issuer");
        }
    }
    purse::ForkProof found;
    const jz_status status = purse::verify_proof(purse.platform(), keys, proof, found);
    if (status != JZ_OK) return refused(status);
    ProvenFork fork;
    fork.purse = found.guilty();
    fork.serial = found.certificate.value.serial;
    fork.asset = as_text(found.certificate.value.asset.view());
    fork.notes = {note_of(found.note[0]), note_of(found.note[1])};
    fork.same_number = fork.notes[0].seq == fork.notes[1].seq;
    return fork;
}

}  // namespace jiaozi::terminal
