// Writes what an issuer signs: certificates, blacklist heads, sync acknowledgements. For the ledger side, for tests and
// for simulations; it decides nothing. Thread-safe as far as the signer is.
#pragma once

#include <span>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::purse_host {

class Issuer {
  public:
    Issuer(Cryptography& cryptography, PurseSigner& signer);

    jz_issuer_key key() const;
    // `issuer`, and for a certificate `suite`, are filled in.
    Bytes certificate(purse::Certificate content) const;
    Bytes sync_ack(purse::SyncAck content) const;
    // Head and body of the list of these ordinals, which must ascend (JZ_ASSERT).
    struct List {
        Bytes head;
        Bytes body;
    };
    List blacklist(std::uint32_t version, std::uint32_t time, std::uint32_t enrolled,
                   std::span<const std::uint32_t> revoked) const;
    // HEAD and delta from `before` to `after`.
    Bytes blacklist_delta(std::uint32_t from, std::uint32_t version, std::uint32_t time, std::uint32_t enrolled,
                          std::span<const std::uint32_t> before, std::span<const std::uint32_t> after) const;

  private:
    template <class Value>
    Bytes sign(const Value& content) const;

    Cryptography& cryptography_;
    PurseSigner& signer_;
    purse::Kid kid_{};
};

purse::Asset asset_of(std::string_view code);
purse::PublicKey public_key_of(ByteView key);

// Rice coding of ascending ordinals (docs/protocol/offline.md, 3.7).
Bytes rice_encode(std::uint32_t enrolled, std::span<const std::uint32_t> ordinals);

// Signs any payload as an object: what a purse would sign, for tests that forge.
Bytes sign_object(PurseSigner& signer, ByteView payload);

// The id of a whole object; JZ_ASSERT that it is one.
purse::Id object_id(Cryptography& cryptography, ByteView object);

}  // namespace jiaozi::purse_host
