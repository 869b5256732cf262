// The payer: look, pay, resume, and what the payee answers (docs/protocol/offline.md, 7.1 and 8).
#include "record.hpp"

namespace jiaozi::purse {

jz_status Purse::read_demand(View message, Demand& demand) noexcept {
    if (message.size() > JZ_MESSAGE_BYTES) return JZ_TOO_LARGE;
    if (message.empty() || message[0] != static_cast<std::uint8_t>(Verb::request)) return JZ_MALFORMED;
    View rest = message.subspan(1);
    if (read_object(rest, demand.object) != JZ_OK) return JZ_MALFORMED;
    jz_status status = parse(demand.object, demand.request);
    if (status != JZ_OK) return status;
    if (!rest.empty()) {
        status = read_whole(rest, Type::certificate, demand.certificate);
    } else {
        const Peer* peer = find_peer(demand.request.payee, nullptr);
        if (peer == nullptr) return JZ_NEED_CERTIFICATE;
        demand.known = true;
        status = read_whole(peer->bytes.view(), Type::certificate, demand.certificate);
    }
    if (status == JZ_OK) status = parse(demand.certificate, demand.payee);
    return status == JZ_OK ? id_of(platform_, demand.object, demand.id) : status;
}

// Everything about who asks; nothing about whether we can pay. In the order of the specification.
jz_status Purse::check_demand(const Demand& demand) noexcept {
    const Certificate& payee = demand.payee;
    if (demand.request.payee != payee.purse || payee.purse == purse_) return JZ_WRONG_PAYEE;
    if (demand.object.suite != payee.suite) return JZ_WRONG_SUITE;
    if (const jz_status status = active(); status != JZ_OK) return status;
    if (demand.request.asset != payee.asset || payee.asset != asset_) return JZ_WRONG_ASSET;
    if (!in_time(payee.expires)) return JZ_EXPIRED;
    const IssuerKey* issuer = nullptr;
    jz_status status = issuer_of(payee, demand.certificate.suite, issuer);
    if (status == JZ_OK) status = standing(payee.purse);
    if (status == JZ_OK && !demand.known) status = verify(platform_, demand.certificate, issuer->suite, issuer->key);
    if (status == JZ_OK) status = verify(platform_, demand.object, payee.suite, payee.key);
    if (status != JZ_OK) return status;
    status = learn_time(payee.not_before);
    if (status != JZ_OK || demand.known) return status;
    Id id{};
    status = id_of(platform_, demand.certificate, id);
    if (status == JZ_OK) remember_peer(payee.purse, id, demand.certificate.bytes);
    return status;
}

jz_status Purse::check_limits(const Demand& demand, bool cvm) noexcept {
    Fixed<JZ_RECORD_BYTES> record{};
    Object object;
    std::uint16_t count = 0;
    const Holding* own = own_certificate();
    if (own == nullptr) return JZ_DRAINED;
    for (const Holding& holding : holding_) {
        if (!holding.used || !holding.lot || !in_time(holding.expires)) continue;
        Certificate lot;
        if (const jz_status status = read_certificate(holding, record, object, lot); status != JZ_OK) return status;
        if (demand.request.amount > lot.per_payment) return JZ_OVER_LIMIT;
        if (count == 0 || lot.count < count) count = lot.count;
    }
    if (count == 0) return JZ_DRAINED;
    if (notes_since_sync_ >= count) return JZ_COUNT_LIMIT;
    Certificate lot;
    if (const jz_status status = read_certificate(*own, record, object, lot); status != JZ_OK) return status;
    const bool needs_cvm =
        demand.request.amount > lot.without_cvm || paid_without_cvm_ > lot.without_cvm - demand.request.amount;
    if (needs_cvm && wrong_pins_ >= max_wrong_pins) return JZ_LOCKED;
    return needs_cvm && !cvm ? JZ_CVM_REQUIRED : JZ_OK;
}

jz_status Purse::look(View message, jz_offer& offer) noexcept {
    Demand demand;
    jz_status status = read_demand(message, demand);
    if (status == JZ_OK) status = check_demand(demand);
    if (status != JZ_OK) return status;
    offer = {};
    offer.payee = demand.request.payee;
    offer.amount = demand.request.amount;
    std::memcpy(offer.asset, demand.request.asset.text.data(), demand.request.asset.size);
    std::memcpy(offer.invoice, demand.request.invoice.data(), demand.request.invoice.size());
    status = check_limits(demand, false);
    offer.cvm_required = status == JZ_CVM_REQUIRED ? 1 : 0;
    return status == JZ_CVM_REQUIRED ? JZ_OK : status;
}

jz_status Purse::plan(const Demand& demand, Draw& out) noexcept {
    // The first refusal is the one to tell: later strategies are only other ways to the same end.
    jz_status first = JZ_INSUFFICIENT;
    constexpr int strategies = 3;
    for (int strategy = 0; strategy < strategies; ++strategy) {
        if (!draw(demand.request.amount, demand.request.payee, strategy, out)) continue;
        std::size_t notes = 0;
        jz_status status = provenance(std::span(out.source).first(out.sources), 0, work_, notes);
        if (status == JZ_OK && work_.size() + max_object > max_bundle) status = JZ_PROVENANCE_LIMIT;
        if (status == JZ_OK) return JZ_OK;
        if (first == JZ_INSUFFICIENT) first = status;
    }
    return first;
}

Payment* Purse::room_for_payment() noexcept {
    Payment* oldest = nullptr;
    for (Payment& payment : payment_) {
        if (payment.state == PaymentState::none) return &payment;
        if (payment.state == PaymentState::done && (oldest == nullptr || payment.seq < oldest->seq)) oldest = &payment;
    }
    return oldest;
}

jz_status Purse::pay(View message, bool cvm, Span out, std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    Demand demand;
    jz_status status = read_demand(message, demand);
    if (status == JZ_NEED_CERTIFICATE) {
        out[0] = static_cast<std::uint8_t>(Verb::status);
        out[1] = JZ_NEED_CERTIFICATE;
        size = 2;
        return status;
    }
    if (status == JZ_OK) status = check_demand(demand);
    if (status != JZ_OK) return status;
    heard_list_ = demand.request.list;
    for (Payment& payment : payment_) {
        if (payment.state == PaymentState::none || payment.request != demand.id) continue;
        if (payment.state == PaymentState::void_held) return JZ_ALREADY_VOIDED;
        return send_note(payment, false, out, size);
    }
    status = check_limits(demand, cvm);
    if (status != JZ_OK) return status;
    Draw drawn;
    status = plan(demand, drawn);
    if (status != JZ_OK) return status;
    if (room_for_payment() == nullptr) return JZ_NO_ROOM;

    Note note;
    note.payer = purse_;
    note.seq = seq_ + 1;
    note.previous = previous_;
    note.payee = demand.request.payee;
    note.request = demand.id;
    note.source = drawn.source;
    note.sources = drawn.sources;
    note.time = now();
    note.cvm = cvm;
    note.balance = balance() - demand.request.amount;
    note.hop = drawn.hop;
    std::array<std::uint8_t, max_payload> payload;
    std::array<std::uint8_t, max_object> signed_bytes;
    Object object;
    status = sign(platform_, suite_, write_payload(note, payload), signed_bytes, object);
    if (status != JZ_OK) return status;
    BodyWriter body;
    body.u8(demand.payee.assurance).u8(static_cast<std::uint8_t>(demand.payee.suite)).u8(demand.payee.key.size).u8(0);
    body.raw(demand.payee.key.bytes).raw(demand.request.nonce).raw(demand.request.ephemeral).raw(object.bytes);
    status = commit_signed(Kind::note, body.view());
    if (status != JZ_OK) return status;
    for (Payment& payment : payment_) {
        if (payment.state == PaymentState::sent && payment.seq == seq_) return send_note(payment, false, out, size);
    }
    return JZ_UNKNOWN_NOTE;
}

jz_status Purse::send_note(Payment& payment, bool everything, Span out, std::size_t& size) noexcept {
    constexpr std::size_t before_note = 4 + 33 + 16 + 32;
    constexpr std::size_t before_bundle = 1 + 16 + 32;
    Fixed<JZ_RECORD_BYTES> record{};
    Kind kind{};
    View body;
    jz_status status = read_record(payment.record, record, kind, body);
    if (status != JZ_OK) return status;
    Object object;
    Note note;
    status = read_whole(body.subspan(before_note), Type::note, object);
    if (status == JZ_OK) status = parse(object, note);
    std::size_t notes = 0;
    if (status == JZ_OK) status = provenance(note.all_sources(), everything ? 0 : payment.payee, work_, notes);
    const std::size_t plain = object.bytes.size() + work_.size();
    if (status == JZ_OK && plain > max_bundle) status = JZ_PROVENANCE_LIMIT;
    if (status != JZ_OK) return status;

    Fixed<32> secret{};
    Fixed<32> enc{};
    SealKeys keys;
    status = new_ephemeral(platform_, secret, enc);
    if (status == JZ_OK) {
        status =
            derive_keys(platform_, secret, payment.ephemeral, enc, payment.ephemeral, payment.request, Verb::pay, keys);
    }
    wipe(secret);
    if (status != JZ_OK) return status;
    out[0] = static_cast<std::uint8_t>(Verb::pay);
    std::memcpy(out.data() + 1, payment.nonce.data(), payment.nonce.size());
    std::memcpy(out.data() + 17, enc.data(), enc.size());
    const Span sealed = out.subspan(before_bundle);
    std::memcpy(sealed.data(), object.bytes.data(), object.bytes.size());
    if (!work_.empty()) std::memcpy(sealed.data() + object.bytes.size(), work_.view().data(), work_.size());
    status = seal(platform_, keys.payer, Verb::pay, payment.request, sealed, plain);
    if (status != JZ_OK) return status;
    payment.answer_key = keys.payee;
    payment.has_answer_key = true;
    asked_last_ = false;
    last_note_ = payment.note;
    size = before_bundle + plain + tag_size;
    return JZ_OK;
}

Payment* Purse::unknown_payment(unsigned index) noexcept {
    // In the order they were made, so that an index means the same until one of them is known.
    Payment* found = nullptr;
    std::uint32_t after = 0;
    for (unsigned i = 0; i <= index; ++i) {
        found = nullptr;
        for (Payment& payment : payment_) {
            if (payment.state != PaymentState::sent || payment.seq <= after) continue;
            if (found == nullptr || payment.seq < found->seq) found = &payment;
        }
        if (found == nullptr) return nullptr;
        after = found->seq;
    }
    return found;
}

jz_status Purse::resume(unsigned index, Span out, std::size_t& size) noexcept {
    constexpr std::size_t whole = 1 + 16 + 32 + 32 + tag_size;
    if (out.size() < whole) return JZ_BUFFER_TOO_SMALL;
    Payment* payment = unknown_payment(index);
    if (payment == nullptr) return JZ_NOTHING_HERE;
    Fixed<32> secret{};
    Fixed<32> enc{};
    SealKeys keys;
    jz_status status = new_ephemeral(platform_, secret, enc);
    if (status == JZ_OK) {
        status = derive_keys(platform_, secret, payment->ephemeral, enc, payment->ephemeral, payment->request,
                             Verb::resume, keys);
    }
    wipe(secret);
    if (status != JZ_OK) return status;
    out[0] = static_cast<std::uint8_t>(Verb::resume);
    std::memcpy(out.data() + 1, payment->nonce.data(), payment->nonce.size());
    std::memcpy(out.data() + 17, enc.data(), enc.size());
    std::memcpy(out.data() + 49, payment->note.data(), payment->note.size());
    status = seal(platform_, keys.payer, Verb::resume, payment->request, out.subspan(49), payment->note.size());
    if (status != JZ_OK) return status;
    payment->answer_key = keys.payee;
    payment->has_answer_key = true;
    asked_last_ = false;
    last_note_ = payment->note;
    size = whole;
    return JZ_OK;
}

jz_status Purse::pay_again(unsigned index, Span out, std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    Payment* payment = unknown_payment(index);
    return payment == nullptr ? JZ_NOTHING_HERE : send_note(*payment, true, out, size);
}

jz_status Purse::cancel(unsigned index, Span out, std::size_t& size) noexcept {
    const Payment* payment = unknown_payment(index);
    if (payment == nullptr) return JZ_NOTHING_HERE;
    if (out.size() < 17) return JZ_BUFFER_TOO_SMALL;
    out[0] = static_cast<std::uint8_t>(Verb::cancel);
    std::memcpy(out.data() + 1, payment->nonce.data(), payment->nonce.size());
    size = 17;
    return JZ_OK;
}

jz_status Purse::wrong_pin() noexcept {
    if (wrong_pins_ >= max_wrong_pins) return JZ_LOCKED;
    BodyWriter body;
    body.u8(static_cast<std::uint8_t>(wrong_pins_ + 1));
    const jz_status status = commit(Kind::pin, body.view());
    return status == JZ_OK && wrong_pins_ >= max_wrong_pins ? JZ_LOCKED : status;
}

jz_status Purse::on_receipt(View body) noexcept {
    for (Payment& payment : payment_) {
        if (!payment.has_answer_key || payment.state == PaymentState::none) continue;
        std::array<std::uint8_t, max_object + tag_size> copy;
        if (body.size() > copy.size() || body.size() < tag_size) return JZ_MALFORMED;
        std::memcpy(copy.data(), body.data(), body.size());
        const Span sealed = Span(copy).first(body.size());
        if (unseal(platform_, payment.answer_key, Verb::receipt, payment.request, sealed) != JZ_OK) continue;
        Object object;
        Receipt receipt;
        jz_status status = read_whole(sealed.first(body.size() - tag_size), Type::receipt, object);
        if (status == JZ_OK) status = parse(object, receipt);
        if (status != JZ_OK) return status;
        if (receipt.note != payment.note) return JZ_UNKNOWN_NOTE;
        if (receipt.payee != payment.payee) return JZ_WRONG_PAYEE;
        if (receipt.amount != payment.amount) return JZ_WRONG_AMOUNT;
        status = verify(platform_, object, payment.payee_suite, payment.payee_key);
        if (status != JZ_OK || payment.state == PaymentState::done) return status;
        status = commit(Kind::done, object.bytes);
        if (status != JZ_OK) return status;
        // It could read the note, so it holds our certificates: the next one travels without them.
        for (std::size_t i = 0; i < max_lots; ++i) {
            if ((payment.holdings >> i & 1) == 0) continue;
            given_[next_given_] = {payment.payee, holding_[i].id};
            next_given_ = (next_given_ + 1) % given_.size();
        }
        return JZ_OK;
    }
    return JZ_UNKNOWN_NOTE;
}

jz_status Purse::on_voided(View body) noexcept {
    Object object;
    Void voided;
    jz_status status = read_whole(body, Type::void_request, object);
    if (status == JZ_OK) status = parse(object, voided);
    if (status != JZ_OK) return status;
    for (const Payment& payment : payment_) {
        if (payment.state == PaymentState::none || payment.request != voided.request) continue;
        if (voided.payee != payment.payee) return JZ_WRONG_PAYEE;
        status = verify(platform_, object, payment.payee_suite, payment.payee_key);
        if (status != JZ_OK || payment.state == PaymentState::void_held) return status;
        // A receipt and a VOID for one request: the payee has lied, the receipt stands, and both are evidence.
        if (payment.state == PaymentState::done) return JZ_ALREADY_CREDITED;
        return commit(Kind::void_held, object.bytes);
    }
    return JZ_UNKNOWN_REQUEST;
}

}  // namespace jiaozi::purse
