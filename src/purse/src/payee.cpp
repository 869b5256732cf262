// The payee: requests, the checks of a PAY in the order of docs/protocol/offline.md 7.2, receipts and voids.
#include "record.hpp"

namespace jiaozi::purse {
namespace {

constexpr std::size_t nonce_size = 16;
constexpr std::size_t enc_size = 32;

}  // namespace

Incoming* Purse::find_request(View nonce) noexcept {
    for (Incoming& request : incoming_) {
        if (request.state != RequestState::none && equal(request.nonce, nonce)) return &request;
    }
    return nullptr;
}

Incoming* Purse::room_for_request() noexcept {
    // A void stays until room is wanted: its only use is to be sent again, and the ledger gets it from the journal.
    Incoming* oldest = nullptr;
    for (Incoming& request : incoming_) {
        if (request.state == RequestState::none) return &request;
        if (request.state == RequestState::voided && (oldest == nullptr || request.seq < oldest->seq)) {
            oldest = &request;
        }
    }
    return oldest;
}

jz_status Purse::send_request(const Incoming& request, bool with_certificate, Span out, std::size_t& size) noexcept {
    Fixed<JZ_RECORD_BYTES> record{};
    Kind kind{};
    View body;
    jz_status status = read_record(request.request_record, record, kind, body);
    if (status != JZ_OK) return status;
    const View object = body.subspan(request.secret.size());
    out[0] = static_cast<std::uint8_t>(Verb::request);
    std::memcpy(out.data() + 1, object.data(), object.size());
    size = 1 + object.size();
    wipe(record);
    asked_last_ = true;
    last_request_ = request.nonce;
    if (!with_certificate) return JZ_OK;
    const Holding* own = own_certificate();
    if (own == nullptr) return JZ_DRAINED;
    Object certificate;
    Certificate value;
    status = read_certificate(*own, record, certificate, value);
    if (status != JZ_OK) return status;
    std::memcpy(out.data() + size, certificate.bytes.data(), certificate.bytes.size());
    size += certificate.bytes.size();
    return JZ_OK;
}

jz_status Purse::request(std::uint64_t amount, const Fixed<8>& invoice, bool with_certificate, Nonce& nonce, Span out,
                         std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    if (amount == 0 || amount > highest_amount) return JZ_BAD_ARGUMENT;
    if (const jz_status status = active(); status != JZ_OK) return status;
    const Holding* own = own_certificate();
    if (own == nullptr || !in_time(own->expires)) return JZ_DRAINED;
    Fixed<JZ_RECORD_BYTES> record{};
    Object object;
    Certificate certificate;
    jz_status status = read_certificate(*own, record, object, certificate);
    if (status != JZ_OK) return status;

    std::uint64_t taken = 0;
    std::size_t slots = 0;
    for (const Holding& held : holding_) {
        if (!held.used || held.lot) continue;
        taken += held.total;
        ++slots;
    }
    for (const Incoming& request : incoming_) {
        if (request.state != RequestState::open) continue;
        taken += request.amount;
        ++slots;
    }
    if (taken > certificate.receive_cap || amount > certificate.receive_cap - taken) return JZ_RECEIVE_CAP;
    // An open request reserves its slot: a note that was asked for must not be refused for want of room.
    if (slots >= max_held || room_for_request() == nullptr) return JZ_NO_ROOM;

    Request request;
    request.payee = purse_;
    request.amount = amount;
    request.asset = asset_;
    request.t_low = t_low_;
    request.list = list_.head.version;
    request.invoice = invoice;
    Fixed<32> secret{};
    status = new_ephemeral(platform_, secret, request.ephemeral);
    if (status != JZ_OK) return status;
    if (platform_.random(platform_.context, request.nonce.data(), request.nonce.size()) != 0) return JZ_CRYPTO_FAILED;
    nonce = request.nonce;
    std::array<std::uint8_t, max_payload> payload;
    std::array<std::uint8_t, max_object> signed_bytes;
    status = sign(platform_, suite_, write_payload(request, payload), signed_bytes, object);
    if (status != JZ_OK) return status;
    BodyWriter body;
    body.raw(secret).raw(object.bytes);
    status = commit(Kind::request, body.view());
    wipe(secret);
    return status == JZ_OK ? send_request(*find_request(nonce), with_certificate, out, size) : status;
}

jz_status Purse::send_voided(const Incoming& request, Span out, std::size_t& size) noexcept {
    Fixed<JZ_RECORD_BYTES> record{};
    Kind kind{};
    View body;
    const jz_status status = read_record(request.answer_record, record, kind, body);
    if (status != JZ_OK) return status;
    const View object = body.subspan(nonce_size);
    out[0] = static_cast<std::uint8_t>(Verb::voided);
    std::memcpy(out.data() + 1, object.data(), object.size());
    size = 1 + object.size();
    return JZ_OK;
}

jz_status Purse::void_request(const Nonce& nonce, Span out, std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    if (halted_) return JZ_HALTED;
    Incoming* request = find_request(nonce);
    if (request == nullptr) return JZ_UNKNOWN_REQUEST;
    if (request->state == RequestState::credited) return JZ_ALREADY_CREDITED;
    if (request->state == RequestState::open) {
        // A SUSPECT purse does not know what it said last, so it says nothing new.
        if (journal_suspect_ || state_ == JZ_STATE_SUSPECT) return JZ_SUSPECT;
        Void voided;
        voided.payee = purse_;
        voided.seq = seq_ + 1;
        voided.previous = previous_;
        voided.request = request->request;
        std::array<std::uint8_t, max_payload> payload;
        std::array<std::uint8_t, max_object> signed_bytes;
        Object object;
        jz_status status = sign(platform_, suite_, write_payload(voided, payload), signed_bytes, object);
        if (status != JZ_OK) return status;
        BodyWriter body;
        body.raw(nonce).raw(object.bytes);
        status = commit_signed(Kind::void_request, body.view());
        if (status != JZ_OK) return status;
    }
    return send_voided(*request, out, size);
}

jz_status Purse::on_cancel(View body, Span out, std::size_t& size) noexcept {
    Nonce nonce{};
    if (!take(body, nonce)) return JZ_MALFORMED;
    return void_request(nonce, out, size);
}

jz_status Purse::on_resume(View body, Span out, std::size_t& size) noexcept {
    constexpr std::size_t sealed_id = 32 + tag_size;
    if (body.size() != nonce_size + enc_size + sealed_id) return JZ_MALFORMED;
    const Incoming* request = find_request(body.first(nonce_size));
    if (request == nullptr) return JZ_UNKNOWN_REQUEST;
    Fixed<32> enc{};
    take(body.subspan(nonce_size, enc_size), enc);
    SealKeys keys;
    jz_status status =
        derive_keys(platform_, request->secret, enc, enc, request->ephemeral, request->request, Verb::resume, keys);
    Fixed<sealed_id> sealed{};
    take(body.subspan(nonce_size + enc_size), sealed);
    if (status == JZ_OK) status = unseal(platform_, keys.payer, Verb::resume, request->request, sealed);
    if (status != JZ_OK) return status;
    switch (request->state) {
        case RequestState::credited:
            if (!equal(View(sealed).first(32), request->note)) return JZ_ALREADY_CREDITED;
            return send_receipt(*request, keys.payee, out, size);
        case RequestState::voided:
            return send_voided(*request, out, size);
        case RequestState::open:
        case RequestState::none:
            break;
    }
    return JZ_UNKNOWN_NOTE;
}

jz_status Purse::send_receipt(const Incoming& request, const SealKey& key, Span out, std::size_t& size) noexcept {
    Fixed<JZ_RECORD_BYTES> record{};
    Kind kind{};
    View body;
    jz_status status = read_record(request.answer_record, record, kind, body);
    if (status != JZ_OK) return status;
    constexpr std::size_t before_receipt = 12 + nonce_size + 32;
    const View object = body.subspan(before_receipt);
    out[0] = static_cast<std::uint8_t>(Verb::receipt);
    std::memcpy(out.data() + 1, object.data(), object.size());
    status = seal(platform_, key, Verb::receipt, request.request, out.subspan(1), object.size());
    if (status == JZ_OK) size = 1 + object.size() + tag_size;
    return status;
}

// Decrypts into work_, reads into bundle_, and fills in the certificates that the payer left out.
jz_status Purse::open_bundle(Incoming& request, View body, SealKeys& keys) noexcept {
    const View sealed = body.subspan(nonce_size + enc_size);
    if (sealed.size() > max_bundle + tag_size) return JZ_TOO_LARGE;
    if (sealed.size() < tag_size) return JZ_MALFORMED;
    Fixed<32> enc{};
    take(body.subspan(nonce_size, enc_size), enc);
    jz_status status =
        derive_keys(platform_, request.secret, enc, enc, request.ephemeral, request.request, Verb::pay, keys);
    if (status != JZ_OK) return JZ_BAD_SIGNATURE;
    const std::size_t plain = sealed.size() - tag_size;
    // The tag is opened from a copy beside, so that the room for a bundle need not hold it too.
    work_.resize(plain);
    if (plain > 0) std::memcpy(work_.all().data(), sealed.data(), plain);
    Fixed<33> aad{static_cast<std::uint8_t>(Verb::pay)};
    std::memcpy(aad.data() + 1, request.request.data(), request.request.size());
    if (platform_.open(platform_.context, keys.payer.key.data(), keys.payer.nonce.data(), c_view(aad),
                       work_.all().data(), plain, sealed.data() + plain) != 0) {
        return JZ_BAD_SIGNATURE;
    }
    status = read_bundle(platform_, work_.view(), bundle_);
    if (status != JZ_OK) return status;
    for (const Entry<Note>& entry : bundle_.all_notes()) {
        for (const Source& source : entry.value.all_sources()) {
            if (bundle_.find_note(source.id) != nullptr || bundle_.find_lot(source.id) != nullptr) continue;
            const Peer* peer = find_peer(0, &source.id);
            if (peer == nullptr) return JZ_NEED_CERTIFICATE;
            if (!work_.append(peer->bytes.view())) return JZ_PROVENANCE_LIMIT;
            View added = work_.view().last(peer->bytes.size());
            status = add_to_bundle(platform_, added, bundle_);
            if (status != JZ_OK) return status;
        }
        if (bundle_.find_purse(entry.value.payer) != nullptr) continue;
        const Peer* peer = find_peer(entry.value.payer, nullptr);
        if (peer == nullptr) return JZ_NEED_CERTIFICATE;
        if (!work_.append(peer->bytes.view())) return JZ_PROVENANCE_LIMIT;
        View added = work_.view().last(peer->bytes.size());
        status = add_to_bundle(platform_, added, bundle_);
        if (status != JZ_OK) return status;
    }
    return JZ_OK;
}

// Is this the note that was asked for?
jz_status Purse::check_note(const Incoming& request) noexcept {
    const Note& note = bundle_.note[0].value;
    if (note.request != request.request) return JZ_WRONG_REQUEST;
    if (note.payee != purse_) return JZ_WRONG_PAYEE;
    if (note.total() != request.amount) return JZ_WRONG_AMOUNT;
    jz_status status = check_complete(bundle_);
    if (status == JZ_OK) status = check_suites(bundle_);
    return status == JZ_OK ? check_asset(bundle_, asset_) : status;
}

// Times, limits, hops: what its certificates allow.
jz_status Purse::check_terms(const Incoming& request) noexcept {
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        if (!in_time(entry.value.expires)) return JZ_EXPIRED;
    }
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        if (entry.value.not_before > now()) return JZ_NOT_YET_VALID;
    }
    for (const Entry<Note>& entry : bundle_.all_notes()) {
        for (const Entry<Certificate>& own : bundle_.all_certificates()) {
            if (own.value.purse != entry.value.payer) continue;
            if (entry.value.total() > own.value.per_payment) return JZ_OVER_LIMIT;
            if (entry.value.total() > own.value.without_cvm && !entry.value.cvm) return JZ_CVM_REQUIRED;
        }
    }
    const Note& note = bundle_.note[0].value;
    for (const Entry<Certificate>& own : bundle_.all_certificates()) {
        if (own.value.purse == note.payer && list_stale() && request.amount > own.value.without_cvm) {
            return JZ_STALE_LIST;
        }
    }
    return check_hops(bundle_);
}

// Issuers known, nobody on the list or proven guilty.
jz_status Purse::check_trust() noexcept {
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        const IssuerKey* issuer = nullptr;
        const jz_status status = issuer_of(entry.value, entry.object.suite, issuer);
        if (status != JZ_OK) return status;
    }
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        const jz_status status = standing(entry.value.purse);
        if (status != JZ_OK) return status;
    }
    return JZ_OK;
}

// Looks for siblings within the bundle and among all that is kept. A pair found is filed if its signatures are right:
// those of the bundle were verified before, those that are kept when they were credited.
jz_status Purse::check_conflicts(bool& found) noexcept {
    found = false;
    for (std::size_t i = 0; i < bundle_.notes; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (!in_conflict(bundle_.note[i], bundle_.note[j])) continue;
            found = true;
            return file_proof(bundle_.note[i], bundle_.note[j], bundle_);
        }
    }
    for (const Holding& held : holding_) {
        if (!held.used || held.lot) continue;
        const Span bytes = kept_.all().first(held.bundle_size);
        if (platform_.load(platform_.context, JZ_AREA_BUNDLE, held.slot, 0, bytes.data(), bytes.size()) != JZ_READ_OK) {
            return JZ_STORAGE_FAILED;
        }
        View rest = bytes;
        Entry<Note> kept;
        while (!rest.empty() && read_object(rest, kept.object) == JZ_OK && kept.object.type == Type::note) {
            if (parse(kept.object, kept.value) != JZ_OK || id_of(platform_, kept.object, kept.id) != JZ_OK) break;
            for (const Entry<Note>& entry : bundle_.all_notes()) {
                if (!in_conflict(entry, kept)) continue;
                found = true;
                return file_proof(entry, kept, bundle_);
            }
        }
    }
    return JZ_OK;
}

jz_status Purse::on_pay(View body, Span out, std::size_t& size) noexcept {
    if (body.size() < nonce_size + enc_size + tag_size) return JZ_MALFORMED;
    Incoming* request = find_request(body.first(nonce_size));
    if (request == nullptr) return JZ_UNKNOWN_REQUEST;
    if (request->state == RequestState::voided) {
        const jz_status status = send_voided(*request, out, size);
        return status == JZ_OK ? JZ_ALREADY_VOIDED : status;
    }
    SealKeys keys;
    jz_status status = open_bundle(*request, body, keys);
    if (status != JZ_OK) return status;
    if (request->state == RequestState::credited) {
        if (bundle_.note[0].id != request->note) return JZ_ALREADY_CREDITED;
        return send_receipt(*request, keys.payee, out, size);
    }
    status = active();
    if (status == JZ_OK) status = check_note(*request);
    if (status == JZ_OK) status = check_terms(*request);
    if (status == JZ_OK) status = check_trust();
    if (status == JZ_OK) status = check_ranges(bundle_);
    Pieces pieces;
    if (status == JZ_OK) status = resolve(bundle_, pieces);
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        const IssuerKey* issuer = nullptr;
        if (status == JZ_OK) status = issuer_of(entry.value, entry.object.suite, issuer);
        if (status == JZ_OK && find_peer(0, &entry.id) == nullptr) {
            status = verify(platform_, entry.object, issuer->suite, issuer->key);
        }
    }
    if (status == JZ_OK) status = verify_notes(platform_, bundle_);
    if (status != JZ_OK) return status;
    bool conflict = false;
    status = check_conflicts(conflict);
    if (status != JZ_OK) return status;
    if (conflict) return JZ_DOUBLE_SPEND;
    return credit(*request, keys, out, size);
}

jz_status Purse::credit(Incoming& request, SealKeys& keys, Span out, std::size_t& size) noexcept {
    std::uint32_t slot = 0;
    while (slot < max_held && holding_[max_lots + slot].used) ++slot;
    if (slot == max_held) return JZ_NO_ROOM;
    const jz_view bundle = c_view(work_.view());
    Id hash{};
    if (platform_.hash(platform_.context, JZ_SHA256, &bundle, 1, hash.data()) != 0) return JZ_CRYPTO_FAILED;
    std::uint32_t time = 0;
    std::uint32_t expires = 0xFFFFFFFF;
    std::uint8_t hops = max_hops;
    for (const Entry<Certificate>& entry : bundle_.all_certificates()) {
        if (entry.value.not_before > time) time = entry.value.not_before;
        if (entry.value.expires < expires) expires = entry.value.expires;
        if (entry.value.hops < hops) hops = entry.value.hops;
        remember_peer(entry.value.purse, entry.id, entry.object.bytes);
    }
    jz_status status = learn_time(time);
    if (status != JZ_OK) return status;

    Receipt receipt;
    receipt.payee = purse_;
    receipt.seq = seq_ + 1;
    receipt.previous = previous_;
    receipt.note = bundle_.note[0].id;
    receipt.amount = request.amount;
    receipt.time = now();
    std::array<std::uint8_t, max_payload> payload;
    std::array<std::uint8_t, max_object> signed_bytes;
    Object object;
    status = sign(platform_, suite_, write_payload(receipt, payload), signed_bytes, object);
    if (status != JZ_OK) return status;
    // The bundle first: the record that names it is what makes it count.
    if (platform_.save(platform_.context, JZ_AREA_BUNDLE, slot, bundle) != 0) {
        halted_ = true;
        return JZ_STORAGE_FAILED;
    }
    BodyWriter body;
    body.u8(static_cast<std::uint8_t>(slot)).u8(bundle_.note[0].value.hop).u8(hops).u8(0);
    body.u16(static_cast<std::uint16_t>(bundle.size)).u16(0).u32(expires);
    body.raw(request.nonce).raw(hash).raw(object.bytes);
    status = commit_signed(Kind::credit, body.view());
    return status == JZ_OK ? send_receipt(request, keys.payee, out, size) : status;
}

}  // namespace jiaozi::purse
