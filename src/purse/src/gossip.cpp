// GOSSIP (docs/protocol/offline.md, 9.1): blacklists, fork proofs and digests that two purses tell each other after a
// payment. Nobody is believed: a list and a proof carry their signatures, a digest blames nobody.
#include <jiaozi/purse/cbor.hpp>

#include "record.hpp"

namespace jiaozi::purse {
namespace {

constexpr std::size_t nonce_size = 16;
constexpr std::size_t head_size = 1 + nonce_size + 32;
constexpr std::uint8_t most_proofs_a_tap = 4;

Digest digest_of(const Note& note, const Id& id) noexcept {
    Digest made{};
    for (std::size_t i = 0; i < 4; ++i) {
        made[i] = static_cast<std::uint8_t>(note.payer >> (24 - 8 * i));
        made[4 + i] = static_cast<std::uint8_t>(note.seq >> (24 - 8 * i));
    }
    std::memcpy(made.data() + 8, id.data(), made.size() - 8);
    return made;
}

// One purse has given one number to two things.
bool contradict(View left, View right) noexcept {
    return equal(left.first(8), right.first(8)) && !equal(left, right);
}

}  // namespace

// Calls `visit` with the digest of every note of every bundle that is kept, the newest bundle first.
template <class Visit>
jz_status Purse::each_digest(Visit visit) noexcept {
    std::uint32_t before = 0xFFFFFFFF;
    for (std::size_t round = 0; round < max_held; ++round) {
        const Holding* held = nullptr;
        for (const Holding& other : holding_) {
            if (!other.used || other.lot || !other.checked || other.receipt_seq >= before) continue;
            if (held == nullptr || other.receipt_seq > held->receipt_seq) held = &other;
        }
        if (held == nullptr) break;
        before = held->receipt_seq;
        const Span bytes = kept_.all().first(held->bundle_size);
        if (platform_.load(platform_.context, JZ_AREA_BUNDLE, held->slot, 0, bytes.data(), bytes.size()) !=
            JZ_READ_OK) {
            return JZ_STORAGE_FAILED;
        }
        View rest = bytes;
        Entry<Note> note;
        while (!rest.empty() && read_object(rest, note.object) == JZ_OK) {
            if (note.object.type != Type::note) continue;
            if (parse(note.object, note.value) != JZ_OK || id_of(platform_, note.object, note.id) != JZ_OK) break;
            if (!visit(digest_of(note.value, note.id))) return JZ_OK;
        }
    }
    return JZ_OK;
}

// The HEAD as it stands in the journal.
jz_status Purse::read_list_head(const List& list, Span record, View& head) noexcept {
    constexpr std::size_t before_head = 8;
    Kind kind{};
    View body;
    const jz_status status = read_record(list.record, record, kind, body);
    if (status == JZ_OK) head = body.subspan(before_head);
    return status;
}

// What a peer with version `heard` can use: nothing, HEAD alone, or HEAD and a delta.
jz_status Purse::write_update(std::uint32_t heard, Buffer<max_update>& out) noexcept {
    out.clear();
    if (list_.head.version == 0 || heard > list_.head.version) return JZ_OK;
    Fixed<JZ_RECORD_BYTES> record{};
    View head;
    const jz_status status = read_list_head(list_, record, head);
    if (status != JZ_OK || !out.append(head)) return status;
    if (heard == list_.head.version) return JZ_OK;  // so that two lists with one version come to light
    const std::size_t room = out.capacity - out.size();
    const List nothing{};
    std::size_t size = 0;
    if (heard != 0 && heard == previous_list_.head.version) {
        size = write_delta(previous_list_, out.all().subspan(out.size(), room));
    }
    if (size == 0) size = write_delta(nothing, out.all().subspan(out.size(), room));
    if (size == 0) {
        out.clear();  // too much has changed: it comes at the peer's next sync
    } else {
        out.resize(out.size() + size);
    }
    return JZ_OK;
}

// The body before sealing, in work_.
jz_status Purse::write_gossip(std::uint32_t heard, View& written) noexcept {
    Buffer<max_update> update;
    jz_status status = write_update(heard, update);
    if (status != JZ_OK) return status;
    std::array<Digest, max_digests> digest;
    std::size_t digests = 0;
    status = each_digest([&](const Digest& next) noexcept {
        digest[digests++] = next;
        return digests < digest.size();
    });
    if (status != JZ_OK) return status;
    std::size_t proofs = 0;
    for (const auto& proof : proof_) proofs += proof.empty() ? 0 : 1;

    CborWriter writer(work_.all());
    writer.array(4).uint(list_.head.version).bytes(update.view()).array(proofs);
    for (const auto& proof : proof_) writer.raw(proof.view());
    writer.array(digests);
    for (std::size_t i = 0; i < digests; ++i) writer.bytes(digest[i]);
    written = writer.written();
    return writer.ok() ? JZ_OK : JZ_BUFFER_TOO_SMALL;
}

// nonce ‖ enc ‖ sealed body, to the X25519 key that was heard from the peer.
jz_status Purse::send_gossip(const Nonce& nonce, const Id& request, const Fixed<32>& to, std::uint32_t heard,
                             Fixed<32>& secret, Span out, std::size_t& size) noexcept {
    View body;
    Fixed<32> enc{};
    SealKeys keys;
    jz_status status = write_gossip(heard, body);
    if (status == JZ_OK) status = new_ephemeral(platform_, secret, enc);
    if (status == JZ_OK) status = derive_keys(platform_, secret, to, enc, to, request, Verb::gossip, keys);
    if (status != JZ_OK) return status;
    out[0] = static_cast<std::uint8_t>(Verb::gossip);
    std::memcpy(out.data() + 1, nonce.data(), nonce.size());
    std::memcpy(out.data() + 1 + nonce_size, enc.data(), enc.size());
    std::memcpy(out.data() + head_size, body.data(), body.size());
    status = seal(platform_, keys.payer, Verb::gossip, request, out.subspan(head_size), body.size());
    if (status == JZ_OK) size = head_size + body.size() + tag_size;
    return status;
}

jz_status Purse::gossip(Span out, std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    if (halted_) return JZ_HALTED;
    for (const Payment& payment : payment_) {
        if (payment.state == PaymentState::none || payment.note != last_note_) continue;
        gossip_nonce_ = payment.nonce;
        return send_gossip(payment.nonce, payment.request, payment.ephemeral, heard_list_, gossip_secret_, out, size);
    }
    return JZ_NOTHING_HERE;
}

// HEAD of a version that is here: the same bytes, or the issuer has signed two lists.
jz_status Purse::compare_heads(View bytes) noexcept {
    Object object;
    ListHead head;
    if (read_whole(bytes, Type::list_head, object) != JZ_OK || parse(object, head) != JZ_OK) return JZ_MALFORMED;
    const List* same = nullptr;
    for (const List* list : {&list_, &previous_list_}) {
        if (list->head.version == head.version && list->head.issuer == head.issuer) same = list;
    }
    if (same == nullptr || head.version == 0) return JZ_OUTDATED;
    if (same->head.root == head.root && same->head.enrolled == head.enrolled && same->head.revoked == head.revoked &&
        same->head.time == head.time) {
        return JZ_OUTDATED;
    }
    const IssuerKey* issuer = nullptr;
    jz_status status = find_issuer(std::span(issuer_).first(issuers_), head.issuer, object.suite, issuer);
    if (status == JZ_OK) status = verify(platform_, object, issuer->suite, issuer->key);
    if (status != JZ_OK) return status;
    if (alarm_record_ == 0) status = commit(Kind::alarm, object.bytes);
    return status == JZ_OK ? JZ_TWO_LISTS : status;
}

jz_status Purse::take_update(View update) noexcept {
    if (update.empty()) return JZ_OK;
    View rest = update;
    Object head;
    if (read_object(rest, head) != JZ_OK) return JZ_MALFORMED;
    jz_status status = rest.empty() ? compare_heads(update) : update_list(update);
    // A list that is not newer, or a delta from another version than ours, is of no use and no fault.
    if (status == JZ_OUTDATED) status = JZ_OK;
    return status;
}

jz_status Purse::take_proofs(View& rest, std::size_t count, std::uint8_t& looked_at) noexcept {
    jz_status first = JZ_OK;
    for (std::size_t i = 0; i < count; ++i) {
        ForkProof proof;
        const View before = rest;
        jz_status status = read_proof(platform_, rest, proof);
        if (status != JZ_OK) return status;
        const View bytes = before.first(before.size() - rest.size());
        if (known_guilty(proof.guilty()) || looked_at >= most_proofs_a_tap) continue;
        ++looked_at;
        status = learn_proof(bytes);
        if (status == JZ_NO_ROOM) continue;
        // Whoever hands on a forged one is not listened to any more, proofs only, for this tap.
        if (status != JZ_OK) looked_at = most_proofs_a_tap;
        if (first == JZ_OK) first = status;
    }
    return first;
}

jz_status Purse::take_digests(std::span<const Digest> heard) noexcept {
    return each_digest([&](const Digest& own) noexcept {
        for (const Digest& other : heard) {
            if (contradict(own, other)) remember_contradiction(other);
        }
        return true;
    });
}

void Purse::remember_contradiction(const Digest& digest) noexcept {
    for (std::size_t i = 0; i < contradictions_; ++i) {
        if (contradiction_[i] == digest) return;
    }
    if (contradictions_ < contradiction_.size()) contradiction_[contradictions_++] = digest;
}

jz_status Purse::contradiction(unsigned index, Span out, std::size_t& size) noexcept {
    if (index >= contradictions_) return JZ_NOTHING_HERE;
    const Digest& found = contradiction_[index];
    if (out.size() < found.size()) return JZ_BUFFER_TOO_SMALL;
    std::memcpy(out.data(), found.data(), found.size());
    size = found.size();
    return JZ_OK;
}

// The body, read whole before any of it is believed. `looked_at`: proofs of this tap that were verified.
jz_status Purse::take_gossip(View body, std::uint8_t& looked_at, std::uint32_t& heard) noexcept {
    CborReader in(body);
    in.array_of(4);
    heard = static_cast<std::uint32_t>(in.uint(highest_u32));
    const View update = in.bytes();
    const std::size_t proofs = in.array(max_proofs);
    if (!in.ok() || update.size() > max_update) return JZ_MALFORMED;
    View rest = in.rest();
    for (std::size_t i = 0; i < proofs; ++i) {
        ForkProof proof;
        if (read_proof(platform_, rest, proof) != JZ_OK) return JZ_MALFORMED;
    }
    CborReader last(rest);
    std::array<Digest, max_digests> digest{};
    const std::size_t digests = last.array(max_digests);
    for (std::size_t i = 0; i < digests; ++i) {
        if (!take(last.bytes(), digest[i])) return JZ_MALFORMED;
    }
    if (!last.done()) return JZ_MALFORMED;

    const jz_status listed = take_update(update);
    const jz_status counted = take_digests(std::span(digest).first(digests));
    rest = in.rest();
    const jz_status proven = take_proofs(rest, proofs, looked_at);
    if (listed != JZ_OK) return listed;
    return counted != JZ_OK ? counted : proven;
}

jz_status Purse::on_gossip(View message, Span out, std::size_t& size) noexcept {
    constexpr std::size_t before = nonce_size + 32;
    if (halted_) return JZ_HALTED;
    if (message.size() < before + tag_size) return JZ_MALFORMED;
    if (message.size() - before > max_bundle) return JZ_TOO_LARGE;
    const View nonce = message.first(nonce_size);
    Fixed<32> enc{};
    take(message.subspan(nonce_size, enc.size()), enc);
    Incoming* asked = find_request(nonce);
    Payment* paid = nullptr;
    for (Payment& payment : payment_) {
        const bool answers = payment.state != PaymentState::none && payment.nonce == gossip_nonce_;
        if (answers && equal(payment.nonce, nonce)) paid = &payment;
    }
    if (asked == nullptr && paid == nullptr) return JZ_UNKNOWN_REQUEST;

    // To the request's key from who pays; to the key of our own GOSSIP when it is the answer.
    const Id& request = asked != nullptr ? asked->request : paid->request;
    const Fixed<32>& secret = asked != nullptr ? asked->secret : gossip_secret_;
    Fixed<32> own{};
    constexpr Fixed<32> base_point{9};
    if (platform_.x25519(platform_.context, own.data(), secret.data(), base_point.data()) != 0) return JZ_CRYPTO_FAILED;
    SealKeys keys;
    jz_status status = derive_keys(platform_, secret, enc, enc, own, request, Verb::gossip, keys);
    if (status != JZ_OK) return JZ_BAD_SIGNATURE;
    const View sealed = message.subspan(before);
    work_.resize(sealed.size());
    std::memcpy(work_.all().data(), sealed.data(), sealed.size());
    status = unseal(platform_, keys.payer, Verb::gossip, request, work_.all().first(sealed.size()));
    if (status != JZ_OK) return status;
    std::uint32_t heard = 0;
    std::uint8_t& looked_at = asked != nullptr ? asked->proofs : paid->proofs;
    status = take_gossip(work_.view().first(sealed.size() - tag_size), looked_at, heard);
    if (asked == nullptr || status == JZ_MALFORMED) return status;
    Fixed<32> answer_secret{};
    const jz_status sent = send_gossip(asked->nonce, asked->request, enc, heard, answer_secret, out, size);
    wipe(answer_secret);
    return status == JZ_OK ? sent : status;
}

jz_status Purse::alarm(Span out, std::size_t& size) noexcept {
    if (alarm_record_ == 0) return JZ_NOTHING_HERE;
    Fixed<JZ_RECORD_BYTES> record{};
    Kind kind{};
    View other;
    jz_status status = read_record(alarm_record_, record, kind, other);
    if (status != JZ_OK) return status;
    if (out.size() < other.size()) return JZ_BUFFER_TOO_SMALL;
    std::memcpy(out.data(), other.data(), other.size());
    size = other.size();
    View own;
    Fixed<JZ_RECORD_BYTES> second{};
    Kind first_kind{};
    View body;
    status = read_record(alarm_list_record_, second, first_kind, body);
    if (status != JZ_OK) return status;
    own = body.subspan(8);
    if (out.size() < size + own.size()) return JZ_BUFFER_TOO_SMALL;
    std::memcpy(out.data() + size, own.data(), own.size());
    size += own.size();
    return JZ_OK;
}

}  // namespace jiaozi::purse
