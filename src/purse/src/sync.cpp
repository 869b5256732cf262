// What comes from the issuer and goes to it: certificates, acknowledgements, blacklists, deposits.
#include <jiaozi/purse/cbor.hpp>

#include "record.hpp"

namespace jiaozi::purse {

jz_status Purse::load(View bytes) noexcept {
    if (halted_) return JZ_HALTED;
    Object object;
    Certificate lot;
    jz_status status = read_whole(bytes, Type::certificate, object);
    if (status == JZ_OK) status = parse(object, lot);
    if (status != JZ_OK) return status;
    if (lot.purse != purse_) return JZ_WRONG_PAYEE;
    if (lot.suite != suite_ || lot.key != key_) return JZ_WRONG_SUITE;
    if (asset_.size != 0 && lot.asset != asset_) return JZ_WRONG_ASSET;
    if (!in_time(lot.expires)) return JZ_EXPIRED;
    const IssuerKey* issuer = nullptr;
    status = issuer_of(lot, object.suite, issuer);
    if (status == JZ_OK) status = verify(platform_, object, issuer->suite, issuer->key);
    Id id{};
    if (status == JZ_OK) status = id_of(platform_, object, id);
    if (status != JZ_OK) return status;
    for (const Holding& holding : holding_) {
        if (holding.used && holding.id == id) return JZ_OK;  // the answer to a retried LOAD is the same certificate
    }
    // A lot that was spent, closed or forgotten must not come back by loading its certificate again.
    if (lot.serial <= last_serial_) return JZ_OUTDATED;
    return room_for_lot() == nullptr ? JZ_NO_ROOM : commit(Kind::lot, object.bytes);
}

jz_status Purse::sync(View bytes) noexcept {
    if (halted_) return JZ_HALTED;
    Object object;
    SyncAck ack;
    jz_status status = read_whole(bytes, Type::sync_ack, object);
    if (status == JZ_OK) status = parse(object, ack);
    if (status != JZ_OK) return status;
    if (ack.purse != purse_) return JZ_WRONG_PAYEE;
    const IssuerKey* issuer = nullptr;
    status = find_issuer(std::span(issuer_).first(issuers_), ack.issuer, object.suite, issuer);
    if (status == JZ_OK) status = verify(platform_, object, issuer->suite, issuer->key);
    if (status != JZ_OK) return status;
    if (ack.sync <= sync_) return JZ_OUTDATED;
    // An older journal stays one: only the flag that ends SUSPECT binds it to the counter anew.
    const bool stays_suspect = journal_suspect_ && (ack.flags & sync_restart) == 0;
    return stays_suspect ? commit(Kind::sync, object.bytes) : commit_signed(Kind::sync, object.bytes);
}

jz_status Purse::declare_lost() noexcept {
    BodyWriter body;
    body.u8(JZ_STATE_LOST).u8(JZ_LOST);
    return commit(Kind::state, body.view());
}

namespace {

// The whole body, read once: canonical, of the length and hash that the head says.
jz_status check_list(const jz_platform& platform, const Object& object, const ListHead& head, View body) noexcept {
    if (body.size() > JZ_LIST_BYTES) return JZ_TOO_LARGE;
    const jz_view part = c_view(body);
    Id root{};
    if (platform.hash(platform.context, hash_of(object.suite), &part, 1, root.data()) != 0) return JZ_CRYPTO_FAILED;
    if (root != head.root) return JZ_BAD_SIGNATURE;
    ListSource source(body);
    ListReader reader(source, head.enrolled, head.revoked);
    std::uint32_t ordinal = 0;
    while (reader.next(ordinal)) {
    }
    return reader.valid() ? JZ_OK : JZ_MALFORMED;
}

}  // namespace

jz_status Purse::install_list(View head_bytes, View body) noexcept {
    if (halted_) return JZ_HALTED;
    Object object;
    ListHead head;
    jz_status status = read_whole(head_bytes, Type::list_head, object);
    if (status == JZ_OK) status = parse(object, head);
    if (status != JZ_OK) return status;
    if (head.version <= list_.head.version) return compare_heads(head_bytes);
    const IssuerKey* issuer = nullptr;
    status = find_issuer(std::span(issuer_).first(issuers_), head.issuer, object.suite, issuer);
    if (status == JZ_OK) status = verify(platform_, object, issuer->suite, issuer->key);
    if (status == JZ_OK) status = check_list(platform_, object, head, body);
    if (status != JZ_OK) return status;
    const std::uint8_t slot = list_.slot == 0 ? 1 : 0;  // never over the one in use
    if (platform_.save(platform_.context, JZ_AREA_LIST, slot, c_view(body)) != 0) return JZ_STORAGE_FAILED;
    BodyWriter record;
    record.u8(slot).u8(0).u16(0).u32(static_cast<std::uint32_t>(body.size())).raw(object.bytes);
    status = commit(Kind::list, record.view());
    return status == JZ_OK ? mark_blacklisted() : status;
}

// A held note with a revoked purse among its ancestors stays a claim: it can be settled and not spent on.
jz_status Purse::mark_blacklisted() noexcept {
    for (Holding& held : holding_) {
        if (!held.used || held.lot || held.settle_only || !held.checked) continue;
        const Span bytes = kept_.all().first(held.bundle_size);
        if (platform_.load(platform_.context, JZ_AREA_BUNDLE, held.slot, 0, bytes.data(), bytes.size()) != JZ_READ_OK) {
            return JZ_STORAGE_FAILED;
        }
        View rest = bytes;
        Object object;
        while (!rest.empty() && read_object(rest, object) == JZ_OK) {
            Certificate certificate;
            if (object.type != Type::certificate || parse(object, certificate) != JZ_OK) continue;
            if (standing(certificate.purse) != JZ_OK) held.settle_only = true;
        }
    }
    return JZ_OK;
}

jz_status Purse::deposit(unsigned index, Span out, std::size_t& size) noexcept {
    for (std::size_t i = max_lots; i < max_holdings; ++i) {
        const Holding& held = holding_[i];
        if (!held.used || index-- != 0) continue;
        Fixed<JZ_RECORD_BYTES> record{};
        Kind kind{};
        View body;
        const jz_status status = read_record(held.record, record, kind, body);
        if (status != JZ_OK) return status;
        const View receipt = body.subspan(12 + 16 + 32);
        if (out.size() < receipt.size() + held.bundle_size) return JZ_BUFFER_TOO_SMALL;
        std::memcpy(out.data(), receipt.data(), receipt.size());
        if (platform_.load(platform_.context, JZ_AREA_BUNDLE, held.slot, 0, out.data() + receipt.size(),
                           held.bundle_size) != JZ_READ_OK) {
            return JZ_STORAGE_FAILED;
        }
        size = receipt.size() + held.bundle_size;
        return JZ_OK;
    }
    return JZ_NOTHING_HERE;
}

void Purse::trust_info(jz_trust_info& out) const noexcept {
    out = {};
    out.list_version = list_.head.version;
    out.list_time = list_.head.time;
    out.contradictions = static_cast<std::uint32_t>(contradictions_);
    out.two_lists = alarm_record_ != 0 ? 1 : 0;
    for (const auto& proof : proof_) out.proofs += proof.empty() ? 0 : 1;
    for (const Load& load : carried_) out.carried += load.size == 0 ? 0 : 1;
}

void Purse::info(jz_info& out) const noexcept {
    out = {};
    out.state = journal_suspect_ && state_ == JZ_ACTIVE ? JZ_STATE_SUSPECT : state_;
    out.purse = purse_;
    out.seq = seq_;
    out.t_low = t_low_;
    out.list_version = list_.head.version;
    out.spendable = active() == JZ_OK ? balance() : 0;
    out.wrong_pins = wrong_pins_;
    for (const Payment& payment : payment_) {
        if (payment.state == PaymentState::sent) {
            ++out.payments_unknown;
            out.unknown += payment.amount;
        } else if (payment.state == PaymentState::void_held) {
            out.void_held += payment.amount;
        }
    }
    for (const Incoming& request : incoming_) {
        if (request.state == RequestState::open) ++out.requests_open;
    }
    for (const Holding& held : holding_) {
        if (!held.used || held.lot) continue;
        ++out.notes_held;
        out.received += held.total;
    }
}

}  // namespace jiaozi::purse
