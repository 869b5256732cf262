// Whom a purse believes: issuers' keys, the blacklist, fork proofs, and certificates of peers it has verified before.
#include "record.hpp"

namespace jiaozi::purse {

jz_status Purse::trust(std::span<const jz_issuer_key> keys) noexcept {
    if (keys.size() > max_issuers) return JZ_NO_ROOM;
    issuers_ = 0;
    for (const jz_issuer_key& key : keys) {
        const jz_status status = read_issuer_key(platform_, key, issuer_[issuers_]);
        if (status != JZ_OK) return status;
        ++issuers_;
    }
    // A key that was revoked must not live on through certificates that were verified under it.
    for (Peer& peer : peer_) peer.purse = 0;
    return JZ_OK;
}

jz_status Purse::issuer_of(const Certificate& certificate, Suite suite, const IssuerKey*& issuer) const noexcept {
    return find_issuer(std::span(issuer_).first(issuers_), certificate.issuer, suite, issuer);
}

jz_status Purse::active() const noexcept {
    if (halted_) return JZ_HALTED;
    if (journal_suspect_) return JZ_SUSPECT;
    switch (state_) {
        case JZ_ACTIVE:
            return JZ_OK;
        case JZ_STATE_SUSPECT:
            return JZ_SUSPECT;
        case JZ_STATE_FROZEN:
            return JZ_FROZEN;
        case JZ_STATE_LOST:
            return JZ_LOST;
    }
    return JZ_SUSPECT;
}

bool Purse::list_stale() const noexcept {
    return list_.head.version == 0 || now() > std::uint64_t{list_.head.time} + list_fresh_s;
}

bool Purse::known_guilty(std::uint32_t purse) const noexcept {
    for (std::size_t i = 0; i < guilty_count_; ++i) {
        if (guilty_[i] == purse) return true;
    }
    return false;
}

jz_status Purse::standing(std::uint32_t purse) noexcept {
    if (known_guilty(purse)) return JZ_FORK_PROVEN;
    if (list_.head.version == 0) return JZ_OK;
    ListSource source(platform_, list_.slot, list_.size);
    ListReader reader(source, list_.head.enrolled, list_.head.revoked);
    std::uint32_t revoked = 0;
    while (reader.next(revoked)) {
        if (revoked == purse) return JZ_BLACKLISTED;
        if (revoked > purse) return JZ_OK;
    }
    return reader.valid() ? JZ_OK : JZ_STORAGE_FAILED;
}

const Peer* Purse::find_peer(std::uint32_t purse, const Id* id) const noexcept {
    for (const Peer& peer : peer_) {
        if (peer.purse == 0) continue;
        if (id != nullptr ? peer.id == *id : peer.purse == purse) return &peer;
    }
    return nullptr;
}

void Purse::remember_peer(std::uint32_t purse, const Id& id, View bytes) noexcept {
    if (find_peer(purse, &id) != nullptr) return;
    Peer& peer = peer_[next_peer_];
    if (!peer.bytes.assign(bytes)) return;
    peer.purse = purse;
    peer.id = id;
    next_peer_ = (next_peer_ + 1) % peer_.size();
}

jz_status Purse::remember_guilty(std::uint32_t purse, const Id& left, const Id& right) noexcept {
    if (known_guilty(purse)) return JZ_OK;
    if (guilty_count_ == guilty_.size()) return JZ_NO_ROOM;
    BodyWriter body;
    body.u32(purse).raw(left).raw(right);
    const jz_status status = commit(Kind::proof, body.view());
    return status == JZ_OK ? mark_blacklisted() : status;
}

jz_status Purse::file_proof(const Entry<Note>& left, const Entry<Note>& right, const Bundle& certificates) noexcept {
    const Entry<Certificate>* owner = certificates.find_purse(left.value.payer);
    if (owner == nullptr) return JZ_NEED_CERTIFICATE;
    newest_proof_ = (newest_proof_ + 1) % proof_.size();
    const View written = write_proof(left, right, owner->object, proof_[newest_proof_].all());
    proof_[newest_proof_].resize(written.size());
    return remember_guilty(left.value.payer, left.id, right.id);
}

// The newest two are handed on; older ones have reached the ledger by now.
void Purse::keep_proof(View bytes) noexcept {
    for (const auto& proof : proof_) {
        if (equal(proof.view(), bytes)) return;
    }
    newest_proof_ = (newest_proof_ + 1) % proof_.size();
    if (!proof_[newest_proof_].assign(bytes)) proof_[newest_proof_].clear();
}

jz_status Purse::learn_proof(View bytes) noexcept {
    ForkProof proof;
    const jz_status status = verify_proof(platform_, std::span(issuer_).first(issuers_), bytes, proof);
    if (status != JZ_OK) return status;
    keep_proof(bytes);
    return remember_guilty(proof.guilty(), proof.note[0].id, proof.note[1].id);
}

}  // namespace jiaozi::purse
