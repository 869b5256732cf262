#include <algorithm>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/purse/blacklist.hpp>
#include <jiaozi/purse/cose.hpp>
#include <jiaozi/purse_host/issuer.hpp>

namespace jiaozi::purse_host {

purse::Asset asset_of(std::string_view code) {
    purse::Asset asset;
    JZ_ASSERT(!code.empty() && code.size() <= asset.text.size());
    asset.size = static_cast<std::uint8_t>(code.size());
    std::ranges::copy(code, asset.text.begin());
    return asset;
}

purse::PublicKey public_key_of(ByteView key) {
    purse::PublicKey out;
    JZ_ASSERT(key.size() <= out.bytes.size());
    out.size = static_cast<std::uint8_t>(key.size());
    std::ranges::copy(key, out.bytes.begin());
    return out;
}

Bytes sign_object(PurseSigner& signer, ByteView payload) {
    const auto suite = static_cast<purse::Suite>(signer.suite());
    std::array<std::uint8_t, purse::max_payload + 48> structure{};
    const ByteView message = purse::sig_structure(purse::header_of(suite), payload, structure);
    JZ_ASSERT(!message.empty());
    crypto::Signature signature{};
    if (!signer.sign(message, signature.data())) return {};
    codec::CborWriter out;
    out.array(4).bytes(purse::header_of(suite)).map(0).bytes(payload).bytes(signature);
    return out.take();
}

purse::Id object_id(Cryptography& cryptography, ByteView bytes) {
    purse::Object object;
    JZ_ASSERT(purse::read_object(bytes, object) == JZ_OK);
    const std::array<jz_view, 2> parts{purse::c_view(object.header), purse::c_view(object.payload)};
    purse::Id id{};
    cryptography.hash(purse::hash_of(object.suite), parts, id.data());
    return id;
}

Bytes rice_encode(std::uint32_t enrolled, std::span<const std::uint32_t> ordinals) {
    // A gap of g takes at most g / 2^k + 1 + k bits.
    const auto count = static_cast<std::uint32_t>(ordinals.size());
    Bytes room((std::size_t{enrolled} >> purse::rice_parameter(enrolled, count)) / 8 + ordinals.size() * 5 + 8);
    purse::ListWriter writer(room, enrolled, count);
    for (const std::uint32_t ordinal : ordinals) JZ_ASSERT(writer.add(ordinal));
    return to_bytes(writer.finish());
}

Issuer::Issuer(Cryptography& cryptography, PurseSigner& signer) : cryptography_(cryptography), signer_(signer) {
    const auto number = static_cast<std::uint8_t>(signer.suite());
    const Bytes key = signer.public_key();
    const std::array<jz_view, 2> parts{jz_view{&number, 1}, c_view(key)};
    purse::Id digest{};
    cryptography.hash(JZ_SHA256, parts, digest.data());
    std::copy_n(digest.begin(), kid_.size(), kid_.begin());
}

jz_issuer_key Issuer::key() const {
    jz_issuer_key key{};
    const Bytes public_key = signer_.public_key();
    key.suite = static_cast<int>(signer_.suite());
    key.size = static_cast<std::uint8_t>(public_key.size());
    std::ranges::copy(public_key, key.public_key);
    return key;
}

template <class Value>
Bytes Issuer::sign(const Value& content) const {
    std::array<std::uint8_t, purse::max_payload> payload{};
    return sign_object(signer_, purse::write_payload(content, payload));
}

Bytes Issuer::certificate(purse::Certificate content) const {
    content.issuer = kid_;
    content.suite = static_cast<purse::Suite>(signer_.suite());
    return sign(content);
}

Bytes Issuer::sync_ack(purse::SyncAck content) const {
    content.issuer = kid_;
    return sign(content);
}

Issuer::List Issuer::blacklist(std::uint32_t version, std::uint32_t time, std::uint32_t enrolled,
                               std::span<const std::uint32_t> revoked) const {
    List list;
    list.body = rice_encode(enrolled, revoked);
    purse::ListHead head;
    head.issuer = kid_;
    head.version = version;
    head.time = time;
    head.enrolled = enrolled;
    head.revoked = static_cast<std::uint32_t>(revoked.size());
    const jz_view body = c_view(list.body);
    cryptography_.hash(signer_.suite() == crypto::Suite::sm2 ? JZ_SM3 : JZ_SHA256, {&body, 1}, head.root.data());
    list.head = sign(head);
    return list;
}

Bytes Issuer::blacklist_delta(std::uint32_t from, std::uint32_t version, std::uint32_t time, std::uint32_t enrolled,
                              std::span<const std::uint32_t> before, std::span<const std::uint32_t> after) const {
    std::vector<std::uint32_t> added;
    std::vector<std::uint32_t> removed;
    std::ranges::set_difference(after, before, std::back_inserter(added));
    std::ranges::set_difference(before, after, std::back_inserter(removed));
    codec::CborWriter delta;
    delta.array(5).uint(from);
    delta.uint(added.size()).bytes(rice_encode(enrolled, added));
    delta.uint(removed.size()).bytes(rice_encode(enrolled, removed));
    Bytes out = blacklist(version, time, enrolled, after).head;
    append(out, delta.take());
    return out;
}

}  // namespace jiaozi::purse_host
