#include <algorithm>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/settlement/root.hpp>

namespace jiaozi::settlement {
namespace {

using codec::CborReader;
using codec::CborWriter;

constexpr std::uint64_t root_type = 9;
constexpr std::string_view domain = "jiaozi/purse/root/1";

Error bad_root(ErrorKind kind, std::string message) {
    return Error(kind, "root: " + std::move(message)).with_param("root");
}

Result<std::uint32_t> read_u32(CborReader& in) {
    JZ_TRY(const std::uint64_t value, in.uint());
    if (value > 0xFFFFFFFF) return bad_root(ErrorKind::malformed, "a number is over 32 bits");
    return static_cast<std::uint32_t>(value);
}

Result<RootKey> read_key(CborReader& in) {
    JZ_TRY(const std::uint64_t number, in.uint());
    JZ_TRY(const crypto::Suite suite, crypto::suite_from_number(number));
    JZ_TRY(const ByteView key, in.bytes());
    JZ_TRY(Bytes canonical, crypto::canonical_public_key(suite, key));
    if (!equal(canonical, key)) return bad_root(ErrorKind::malformed, "a key is not in its canonical form");
    return RootKey{suite, std::move(canonical)};
}

Result<std::uint64_t> read_count(CborReader& in, std::size_t most) {
    JZ_TRY(const std::uint64_t count, in.array());
    if (count > most) return bad_root(ErrorKind::too_large, "at most " + std::to_string(most) + " in one list");
    return count;
}

Result<Root> read_root(ByteView document) {
    CborReader in(document, {.max_bytes = max_root_bytes, .max_depth = 4});
    Root root;
    JZ_CHECK(in.array_of(6));
    JZ_TRY(const std::uint64_t type, in.uint());
    if (type != root_type) return bad_root(ErrorKind::malformed, "another type of object");
    JZ_TRY(root.version, read_u32(in));
    JZ_TRY(const std::uint64_t signers, read_count(in, max_root_keys));
    for (std::uint64_t i = 0; i < signers; ++i) {
        JZ_CHECK(in.array_of(2));
        JZ_TRY(RootKey key, read_key(in));
        if (std::ranges::find(root.signers, key) != root.signers.end()) {
            return bad_root(ErrorKind::invalid, "one signer is named twice");
        }
        root.signers.push_back(std::move(key));
    }
    JZ_TRY(root.threshold, read_u32(in));
    if (root.threshold == 0 || root.threshold > root.signers.size()) {
        return bad_root(ErrorKind::invalid, "the threshold must be from 1 to the number of signers");
    }
    JZ_TRY(const std::uint64_t issuing, read_count(in, max_root_keys));
    for (std::uint64_t i = 0; i < issuing; ++i) {
        IssuingKey key;
        JZ_CHECK(in.array_of(5));
        JZ_TRY(key.key, read_key(in));
        JZ_TRY(key.not_before, read_u32(in));
        JZ_TRY(key.not_after, read_u32(in));
        JZ_TRY(key.escrow_cap, in.uint());
        if (key.not_before >= key.not_after) return bad_root(ErrorKind::invalid, "an issuing key is never valid");
        root.issuing.push_back(std::move(key));
    }
    JZ_TRY(const std::uint64_t revoked, read_count(in, 64));
    for (std::uint64_t i = 0; i < revoked; ++i) {
        JZ_TRY(const ByteView kid, in.bytes());
        if (!purse::take(kid, root.revoked.emplace_back())) return bad_root(ErrorKind::malformed, "a kid has 8 bytes");
    }
    JZ_CHECK(in.finish());
    return root;
}

// Takes the first item of a CBOR sequence off.
Result<ByteView> take_item(ByteView& rest) {
    // Items of a sequence end where the next begins; a reader of one item tells where.
    CborReader in(rest, {.max_bytes = max_root_bytes, .max_depth = 4});
    JZ_TRY(const ByteView item, in.raw());
    rest = rest.subspan(item.size());
    return item;
}

Result<std::vector<RootSignature>> read_signatures(ByteView item) {
    CborReader in(item, {.max_bytes = max_root_bytes, .max_depth = 4});
    std::vector<RootSignature> out;
    JZ_TRY(const std::uint64_t count, read_count(in, max_root_keys));
    for (std::uint64_t i = 0; i < count; ++i) {
        RootSignature& signature = out.emplace_back();
        JZ_CHECK(in.array_of(2));
        JZ_TRY(signature.signer, read_u32(in));
        JZ_TRY(const ByteView bytes, in.bytes());
        if (bytes.size() != signature.signature.size()) {
            return bad_root(ErrorKind::malformed, "a signature has 64 bytes");
        }
        std::ranges::copy(bytes, signature.signature.begin());
        if (i > 0 && out[i - 1].signer >= signature.signer) {
            return bad_root(ErrorKind::malformed, "signatures must ascend by signer");
        }
    }
    return out;
}

std::uint32_t good_signatures(const Root& signers_of, ByteView message, std::span<const RootSignature> signatures) {
    std::uint32_t good = 0;
    for (const RootSignature& signature : signatures) {
        if (signature.signer >= signers_of.signers.size()) continue;
        const RootKey& key = signers_of.signers[signature.signer];
        const auto verifier = crypto::make_verifier(key.suite, key.key);
        if (verifier.ok() && verifier->verify(message, signature.signature)) ++good;
    }
    return good;
}

Error too_few(std::uint32_t version, std::uint32_t good, std::uint32_t threshold) {
    return bad_root(ErrorKind::forbidden, std::to_string(good) + " good signatures of version " +
                                              std::to_string(version) + "'s signers, and " + std::to_string(threshold) +
                                              " are needed")
        .with_code("root_threshold");
}

}  // namespace

purse::Kid kid_of(const RootKey& key) {
    const auto number = static_cast<std::uint8_t>(key.suite);
    const crypto::Digest digest = crypto::Sha256().update({&number, 1}).update(key.key).finish();
    purse::Kid kid{};
    std::copy_n(digest.begin(), kid.size(), kid.begin());
    return kid;
}

Bytes encode(const Root& root) {
    CborWriter out;
    out.array(6).uint(root_type).uint(root.version).array(root.signers.size());
    for (const RootKey& key : root.signers) out.array(2).uint(static_cast<std::uint64_t>(key.suite)).bytes(key.key);
    out.uint(root.threshold).array(root.issuing.size());
    for (const IssuingKey& key : root.issuing) {
        out.array(5).uint(static_cast<std::uint64_t>(key.key.suite)).bytes(key.key.key);
        out.uint(key.not_before).uint(key.not_after).uint(key.escrow_cap);
    }
    out.array(root.revoked.size());
    for (const purse::Kid& kid : root.revoked) out.bytes(kid);
    return out.take();
}

Bytes root_message(ByteView document) {
    Bytes message = to_bytes(as_bytes(domain));
    append(message, document);
    return message;
}

Bytes signed_root(ByteView document, std::span<const RootSignature> by_own,
                  std::span<const RootSignature> by_previous) {
    Bytes out = to_bytes(document);
    for (const auto& signatures : {by_own, by_previous}) {
        CborWriter list;
        list.array(signatures.size());
        for (const RootSignature& signature : signatures) {
            list.array(2).uint(signature.signer).bytes(signature.signature);
        }
        append(out, list.take());
    }
    return out;
}

Result<Root> stored_root(ByteView bytes) {
    JZ_TRY(const ByteView document, take_item(bytes));
    return read_root(document);
}

Result<Root> accept_root(const std::optional<Root>& current, ByteView bytes) {
    if (bytes.size() > max_root_bytes) return bad_root(ErrorKind::too_large, "over 8,192 bytes");
    ByteView rest = bytes;
    JZ_TRY(const ByteView document, take_item(rest));
    JZ_TRY(const ByteView own_item, take_item(rest));
    JZ_TRY(const ByteView previous_item, take_item(rest));
    if (!rest.empty()) return bad_root(ErrorKind::malformed, "something follows the signatures");
    JZ_TRY(Root root, read_root(document));
    const std::uint32_t next = current ? current->version + 1 : 1;
    if (root.version != next) {
        return bad_root(ErrorKind::conflict, "version " + std::to_string(root.version) + " can't follow; version " +
                                                 std::to_string(next) + " is next")
            .with_code("root_version");
    }
    JZ_TRY(const std::vector<RootSignature> own, read_signatures(own_item));
    JZ_TRY(const std::vector<RootSignature> previous, read_signatures(previous_item));
    const Bytes message = root_message(document);
    const std::uint32_t good = good_signatures(root, message, own);
    if (good < root.threshold) return too_few(root.version, good, root.threshold);
    if (!current) return root;
    const std::uint32_t before = good_signatures(*current, message, previous);
    if (before < current->threshold) return too_few(current->version, before, current->threshold);
    return root;
}

}  // namespace jiaozi::settlement
