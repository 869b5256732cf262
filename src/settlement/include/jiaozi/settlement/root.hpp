// The root document: which keys may issue certificates, signed by a threshold of offline keys (docs/settlement.md,
// Issuer keys and the root). A new version needs the signers of the old one and its own, and follows it without gap:
// whoever has stolen fewer keys than the threshold can neither replace the root nor jump ahead of it. Pure,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::settlement {

inline constexpr std::size_t max_root_bytes = 8'192;  // with its signatures
inline constexpr std::size_t max_root_keys = 16;      // signers, and issuing keys

struct RootKey {
    crypto::Suite suite = crypto::Suite::ed25519;
    Bytes key;
    bool operator==(const RootKey&) const = default;
};

struct IssuingKey {
    RootKey key;
    std::uint32_t not_before = 0;
    std::uint32_t not_after = 0;
    std::uint64_t escrow_cap = 0;  // open lots of this key, minor units of each asset
    bool operator==(const IssuingKey&) const = default;
};

struct Root {
    std::uint32_t version = 1;
    std::vector<RootKey> signers;
    std::uint32_t threshold = 1;
    std::vector<IssuingKey> issuing;
    std::vector<purse::Kid> revoked;
    bool operator==(const Root&) const = default;
};

// The key's id in the objects that it signs (docs/protocol/offline.md, 2).
purse::Kid kid_of(const RootKey& key);

// The document without signatures; what signers sign is root_message of it.
Bytes encode(const Root& root);
Bytes root_message(ByteView document);

struct RootSignature {
    std::uint32_t signer = 0;  // index into the signers
    crypto::Signature signature{};
};
// `by_own`: signers of this version; `by_previous`: of the version before, none for the first. Both ascend.
Bytes signed_root(ByteView document, std::span<const RootSignature> by_own, std::span<const RootSignature> by_previous);

// The root in `bytes`, if it may follow `current` (none: it is the first, version 1, and trusted by other means).
// malformed, too_large, invalid: not a root. conflict `root_version`: not the next version. forbidden
// `root_threshold`: too few good signatures, of which version the message says.
Result<Root> accept_root(const std::optional<Root>& current, ByteView bytes);
// One that was accepted before, as it was journaled: its signatures are not looked at.
Result<Root> stored_root(ByteView bytes);

}  // namespace jiaozi::settlement
