#include <jiaozi/purse/cbor.hpp>
#include <jiaozi/purse/proof.hpp>

namespace jiaozi::purse {

jz_status read_issuer_key(const jz_platform& platform, const jz_issuer_key& input, IssuerKey& out) noexcept {
    if (input.suite < JZ_ED25519 || input.suite > JZ_SM2 || input.size != (input.suite == JZ_ED25519 ? 32 : 33)) {
        return JZ_BAD_ARGUMENT;
    }
    out.suite = static_cast<Suite>(input.suite);
    out.revoked = input.revoked != 0;
    out.key.size = input.size;
    std::memcpy(out.key.bytes.data(), input.public_key, sizeof input.public_key);
    const auto number = static_cast<std::uint8_t>(input.suite);
    const std::array<jz_view, 2> parts{jz_view{&number, 1}, c_view(out.key.view())};
    Id digest{};
    if (platform.hash(platform.context, JZ_SHA256, parts.data(), parts.size(), digest.data()) != 0) {
        return JZ_CRYPTO_FAILED;
    }
    std::memcpy(out.kid.data(), digest.data(), out.kid.size());
    return JZ_OK;
}

jz_status find_issuer(std::span<const IssuerKey> keys, const Kid& kid, Suite suite, const IssuerKey*& found) noexcept {
    for (const IssuerKey& key : keys) {
        if (key.kid != kid || key.revoked) continue;
        found = &key;
        return key.suite == suite ? JZ_OK : JZ_WRONG_SUITE;
    }
    return JZ_UNKNOWN_ISSUER;
}

View write_proof(const Entry<Note>& left, const Entry<Note>& right, const Object& certificate, Span out) noexcept {
    const bool in_order = std::memcmp(left.id.data(), right.id.data(), left.id.size()) < 0;
    CborWriter writer(out);
    writer.array(4).uint(static_cast<std::uint64_t>(Type::fork_proof));
    writer.raw(in_order ? left.object.bytes : right.object.bytes);
    writer.raw(in_order ? right.object.bytes : left.object.bytes);
    writer.raw(certificate.bytes);
    return writer.ok() ? writer.written() : View{};
}

jz_status read_proof(const jz_platform& platform, View& sequence, ForkProof& proof) noexcept {
    CborReader in(sequence);
    in.array_of(4);
    if (in.uint() != static_cast<std::uint64_t>(Type::fork_proof) || !in.ok()) return JZ_MALFORMED;
    View rest = in.rest();
    for (Entry<Note>& entry : proof.note) {
        if (read_object(rest, entry.object) != JZ_OK) return JZ_MALFORMED;
        if (parse(entry.object, entry.value) != JZ_OK) return JZ_MALFORMED;
        if (const jz_status status = id_of(platform, entry.object, entry.id); status != JZ_OK) return status;
    }
    if (read_object(rest, proof.certificate.object) != JZ_OK) return JZ_MALFORMED;
    if (parse(proof.certificate.object, proof.certificate.value) != JZ_OK) return JZ_MALFORMED;
    const bool ascending = std::memcmp(proof.note[0].id.data(), proof.note[1].id.data(), 32) < 0;
    if (!ascending) return JZ_MALFORMED;
    const jz_status status = id_of(platform, proof.certificate.object, proof.certificate.id);
    if (status == JZ_OK) sequence = rest;
    return status;
}

jz_status verify_proof(const jz_platform& platform, std::span<const IssuerKey> keys, View bytes,
                       ForkProof& proof) noexcept {
    if (bytes.size() > JZ_PROOF_BYTES) return JZ_TOO_LARGE;
    View rest = bytes;
    jz_status status = read_proof(platform, rest, proof);
    if (status != JZ_OK) return status;
    if (!rest.empty()) return JZ_MALFORMED;
    const Certificate& owner = proof.certificate.value;
    for (const Entry<Note>& entry : proof.note) {
        if (entry.value.payer != owner.purse) return JZ_BAD_RANGE;
    }
    if (!in_conflict(proof.note[0], proof.note[1])) return JZ_BAD_RANGE;

    const IssuerKey* issuer = nullptr;
    status = find_issuer(keys, owner.issuer, proof.certificate.object.suite, issuer);
    if (status == JZ_OK) status = verify(platform, proof.certificate.object, issuer->suite, issuer->key);
    for (const Entry<Note>& entry : proof.note) {
        if (status == JZ_OK) status = verify(platform, entry.object, owner.suite, owner.key);
    }
    return status;
}

}  // namespace jiaozi::purse
