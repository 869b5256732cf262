// jiaozi_purse.h over the purse: checks pointers, places the object in the caller's memory, decides nothing.
#include <new>

#include "purse.hpp"

// The caller's block: the first word says whether a purse lives in it.
struct jz_purse {
    alignas(JZ_PURSE_ALIGN) unsigned char memory[JZ_PURSE_BYTES];
};

namespace {

using jiaozi::purse::Fixed;
using jiaozi::purse::Nonce;
using jiaozi::purse::Purse;
using jiaozi::purse::Span;
using jiaozi::purse::View;
using jiaozi::purse::view_of;

Purse& of(jz_purse* purse) noexcept {
    return *std::launder(reinterpret_cast<Purse*>(purse->memory));
}

bool complete(const jz_platform* p) noexcept {
    return p != nullptr && p->hash != nullptr && p->verify != nullptr && p->x25519 != nullptr && p->seal != nullptr &&
           p->open != nullptr && p->random != nullptr && p->sign != nullptr && p->append != nullptr &&
           p->read != nullptr && p->save != nullptr && p->load != nullptr && p->anchor_read != nullptr &&
           p->anchor_advance != nullptr && p->now != nullptr;
}

// Functions that write: pointers checked, and the length 0 unless something was written.
template <class Call>
jz_status writing(jz_purse* purse, uint8_t* out, std::size_t capacity, std::size_t* size, Call call) noexcept {
    if (purse == nullptr || size == nullptr || (out == nullptr && capacity != 0)) return JZ_BAD_ARGUMENT;
    *size = 0;
    std::size_t written = 0;
    const jz_status status = call(of(purse), Span(out, capacity), written);
    *size = written;
    return status;
}

}  // namespace

extern "C" {

uint32_t jz_purse_version(void) {
    return JZ_PURSE_VERSION;
}

jz_status jz_purse_create(jz_purse* purse, const jz_platform* platform, const jz_identity* identity) {
    if (purse == nullptr || identity == nullptr || !complete(platform)) return JZ_BAD_ARGUMENT;
    return (new (purse->memory) Purse(*platform))->create(*identity);
}

jz_status jz_purse_open(jz_purse* purse, const jz_platform* platform) {
    if (purse == nullptr || !complete(platform)) return JZ_BAD_ARGUMENT;
    return (new (purse->memory) Purse(*platform))->open();
}

void jz_purse_close(jz_purse* purse) {
    if (purse == nullptr) return;
    of(purse).~Purse();
    jiaozi::purse::wipe(purse->memory);
}

jz_status jz_purse_trust(jz_purse* purse, const jz_issuer_key* keys, size_t count) {
    if (purse == nullptr || (keys == nullptr && count != 0)) return JZ_BAD_ARGUMENT;
    return of(purse).trust({keys, count});
}

jz_status jz_purse_info(const jz_purse* purse, jz_info* info) {
    if (purse == nullptr || info == nullptr) return JZ_BAD_ARGUMENT;
    std::launder(reinterpret_cast<const Purse*>(purse->memory))->info(*info);
    return JZ_OK;
}

jz_status jz_purse_load(jz_purse* purse, jz_view certificate) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).load(view_of(certificate));
}

jz_status jz_purse_sync(jz_purse* purse, jz_view acknowledgement) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).sync(view_of(acknowledgement));
}

jz_status jz_purse_install_list(jz_purse* purse, jz_view head, jz_view body) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).install_list(view_of(head), view_of(body));
}

jz_status jz_purse_update_list(jz_purse* purse, jz_view head_and_delta) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).update_list(view_of(head_and_delta));
}

jz_status jz_purse_deposit(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.deposit(index, room, written); });
}

jz_status jz_purse_evidence(jz_purse* purse, uint64_t index, unsigned* kind, uint8_t* out, size_t capacity,
                            size_t* size) {
    if (kind == nullptr) return JZ_BAD_ARGUMENT;
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.evidence(index, *kind, room, written);
    });
}

jz_status jz_purse_adopt(jz_purse* purse, jz_view object) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).adopt(view_of(object));
}

jz_status jz_purse_declare_lost(jz_purse* purse) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).declare_lost();
}

jz_status jz_purse_request(jz_purse* purse, uint64_t amount, const uint8_t invoice[8], int with_certificate,
                           uint8_t nonce[16], uint8_t* out, size_t capacity, size_t* size) {
    if (nonce == nullptr) return JZ_BAD_ARGUMENT;
    Fixed<8> hash{};
    if (invoice != nullptr) jiaozi::purse::take({invoice, hash.size()}, hash);
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        Nonce made{};
        const jz_status status = p.request(amount, hash, with_certificate != 0, made, room, written);
        std::memcpy(nonce, made.data(), made.size());
        return status;
    });
}

jz_status jz_purse_void(jz_purse* purse, const uint8_t nonce[16], uint8_t* out, size_t capacity, size_t* size) {
    if (nonce == nullptr) return JZ_BAD_ARGUMENT;
    Nonce which{};
    jiaozi::purse::take({nonce, which.size()}, which);
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.void_request(which, room, written);
    });
}

jz_status jz_purse_look(jz_purse* purse, jz_view request, jz_offer* offer) {
    if (purse == nullptr || offer == nullptr) return JZ_BAD_ARGUMENT;
    return of(purse).look(view_of(request), *offer);
}

jz_status jz_purse_pay(jz_purse* purse, jz_view request, int cvm, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.pay(view_of(request), cvm != 0, room, written);
    });
}

jz_status jz_purse_resume(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.resume(index, room, written); });
}

jz_status jz_purse_pay_again(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.pay_again(index, room, written);
    });
}

jz_status jz_purse_cancel(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.cancel(index, room, written); });
}

jz_status jz_purse_wrong_pin(jz_purse* purse) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).wrong_pin();
}

jz_status jz_purse_receive(jz_purse* purse, jz_view message, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.receive(view_of(message), room, written);
    });
}

jz_status jz_purse_gossip(jz_purse* purse, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.gossip(room, written); });
}

jz_status jz_purse_contradiction(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.contradiction(index, room, written);
    });
}

jz_status jz_purse_alarm(jz_purse* purse, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.alarm(room, written); });
}

jz_status jz_purse_trust_info(const jz_purse* purse, jz_trust_info* info) {
    if (purse == nullptr || info == nullptr) return JZ_BAD_ARGUMENT;
    std::launder(reinterpret_cast<const Purse*>(purse->memory))->trust_info(*info);
    return JZ_OK;
}

jz_status jz_purse_mule(jz_purse* purse, unsigned index, const uint8_t deposit_key[32], uint8_t* out, size_t capacity,
                        size_t* size) {
    if (deposit_key == nullptr) return JZ_BAD_ARGUMENT;
    Fixed<32> key{};
    jiaozi::purse::take({deposit_key, key.size()}, key);
    return writing(purse, out, capacity, size, [&](Purse& p, Span room, std::size_t& written) noexcept {
        return p.mule(index, key, room, written);
    });
}

jz_status jz_purse_carried(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size) {
    return writing(purse, out, capacity, size,
                   [&](Purse& p, Span room, std::size_t& written) noexcept { return p.carried(index, room, written); });
}

jz_status jz_purse_unload(jz_purse* purse) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).unload();
}

jz_status jz_purse_last_proof(const jz_purse* purse, uint8_t* out, size_t capacity, size_t* size) {
    if (purse == nullptr || out == nullptr || size == nullptr) return JZ_BAD_ARGUMENT;
    *size = 0;
    const View proof = std::launder(reinterpret_cast<const Purse*>(purse->memory))->last_proof();
    if (proof.empty()) return JZ_NOTHING_HERE;
    if (proof.size() > capacity) return JZ_BUFFER_TOO_SMALL;
    std::memcpy(out, proof.data(), proof.size());
    *size = proof.size();
    return JZ_OK;
}

jz_status jz_purse_learn_proof(jz_purse* purse, jz_view proof) {
    return purse == nullptr ? JZ_BAD_ARGUMENT : of(purse).learn_proof(view_of(proof));
}

jz_status jz_verify_proof(const jz_platform* platform, const jz_issuer_key* keys, size_t count, jz_view proof,
                          uint32_t* guilty) {
    using namespace jiaozi::purse;
    std::array<IssuerKey, max_issuers> known;
    if (platform == nullptr || platform->hash == nullptr || platform->verify == nullptr || guilty == nullptr ||
        count > known.size() || (keys == nullptr && count != 0)) {
        return JZ_BAD_ARGUMENT;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (const jz_status status = read_issuer_key(*platform, keys[i], known[i]); status != JZ_OK) return status;
    }
    ForkProof found;
    const jz_status status = verify_proof(*platform, std::span(known).first(count), view_of(proof), found);
    if (status == JZ_OK) *guilty = found.guilty();
    return status;
}

const char* jz_status_name(jz_status status) {
    switch (status) {
#define JZ_NAME(CODE, NAME) \
    case CODE:              \
        return NAME;
        JZ_NAME(JZ_OK, "ok")
        JZ_NAME(JZ_TOO_LARGE, "too_large")
        JZ_NAME(JZ_MALFORMED, "malformed")
        JZ_NAME(JZ_UNKNOWN_REQUEST, "unknown_request")
        JZ_NAME(JZ_ALREADY_VOIDED, "already_voided")
        JZ_NAME(JZ_WRONG_PAYEE, "wrong_payee")
        JZ_NAME(JZ_WRONG_AMOUNT, "wrong_amount")
        JZ_NAME(JZ_WRONG_SUITE, "wrong_suite")
        JZ_NAME(JZ_WRONG_ASSET, "wrong_asset")
        JZ_NAME(JZ_EXPIRED, "expired")
        JZ_NAME(JZ_NOT_YET_VALID, "not_yet_valid")
        JZ_NAME(JZ_OVER_LIMIT, "over_limit")
        JZ_NAME(JZ_TOO_MANY_HOPS, "too_many_hops")
        JZ_NAME(JZ_PROVENANCE_LIMIT, "provenance_limit")
        JZ_NAME(JZ_CVM_REQUIRED, "cvm_required")
        JZ_NAME(JZ_STALE_LIST, "stale_list")
        JZ_NAME(JZ_UNKNOWN_ISSUER, "unknown_issuer")
        JZ_NAME(JZ_BLACKLISTED, "blacklisted")
        JZ_NAME(JZ_FORK_PROVEN, "fork_proven")
        JZ_NAME(JZ_BAD_RANGE, "bad_range")
        JZ_NAME(JZ_DOUBLE_SPEND, "double_spend")
        JZ_NAME(JZ_BAD_SIGNATURE, "bad_signature")
        JZ_NAME(JZ_WRONG_DIRECTED, "wrong_directed")
        JZ_NAME(JZ_WRONG_REQUEST, "wrong_request")
        JZ_NAME(JZ_TWO_LISTS, "two_lists")
        JZ_NAME(JZ_NEED_CERTIFICATE, "need_certificate")
        JZ_NAME(JZ_INSUFFICIENT, "insufficient")
        JZ_NAME(JZ_RECEIVE_CAP, "receive_cap")
        JZ_NAME(JZ_COUNT_LIMIT, "count_limit")
        JZ_NAME(JZ_LOCKED, "locked")
        JZ_NAME(JZ_SUSPECT, "suspect")
        JZ_NAME(JZ_FROZEN, "frozen")
        JZ_NAME(JZ_DRAINED, "drained")
        JZ_NAME(JZ_LOST, "lost")
        JZ_NAME(JZ_NO_ROOM, "no_room")
        JZ_NAME(JZ_UNKNOWN_NOTE, "unknown_note")
        JZ_NAME(JZ_ALREADY_CREDITED, "already_credited")
        JZ_NAME(JZ_OUTDATED, "outdated")
        JZ_NAME(JZ_SETTLE_ONLY, "settle_only")
        JZ_NAME(JZ_STORAGE_FAILED, "storage_failed")
        JZ_NAME(JZ_SIGNER_REFUSED, "signer_refused")
        JZ_NAME(JZ_CRYPTO_FAILED, "crypto_failed")
        JZ_NAME(JZ_HALTED, "halted")
        JZ_NAME(JZ_BUFFER_TOO_SMALL, "buffer_too_small")
        JZ_NAME(JZ_BAD_ARGUMENT, "bad_argument")
        JZ_NAME(JZ_NOTHING_HERE, "nothing_here")
#undef JZ_NAME
    }
    return "unknown";
}

}  // extern "C"
