// What each record means. Called for a record just written and for every record when a purse is opened; it signs
// nothing, verifies nothing (that was done before the record was written) and writes nothing.
#include "record.hpp"

namespace jiaozi::purse {
namespace {

template <class Table, class Predicate>
auto find_in(Table& table, Predicate predicate) noexcept -> decltype(table.data()) {
    for (auto& entry : table) {
        if (predicate(entry)) return &entry;
    }
    return nullptr;
}

template <class Value>
jz_status read_object_of(View bytes, Type type, Object& object, Value& value) noexcept {
    const jz_status status = read_whole(bytes, type, object);
    return status == JZ_OK ? parse(object, value) : status;
}

}  // namespace

jz_status Purse::apply(Kind kind, View body) noexcept {
    if ((kind == Kind::start) != (records_ == 0)) return JZ_MALFORMED;
    BodyReader in(body);
    switch (kind) {
        case Kind::start:
            return apply_start(body);
        case Kind::lot:
            return apply_lot(body);
        case Kind::request:
            return apply_request(body);
        case Kind::note:
            return apply_note(body);
        case Kind::done:
        case Kind::void_held:
            return apply_answer(kind, body);
        case Kind::credit:
            return apply_credit(body);
        case Kind::void_request:
            return apply_void(body);
        case Kind::time: {
            const std::uint32_t time = in.u32();
            if (time > t_low_) t_low_ = time;
            return in.ok() ? JZ_OK : JZ_MALFORMED;
        }
        case Kind::sync:
            return apply_sync(body);
        case Kind::opened:
            opening_failed_ = in.u8() == 0;
            return in.ok() ? JZ_OK : JZ_MALFORMED;
        case Kind::adopted:
            return apply_adopted(body);
        case Kind::state: {
            const unsigned state = in.u8();
            if (!in.ok() || state < JZ_ACTIVE || state > JZ_STATE_LOST) return JZ_MALFORMED;
            state_ = static_cast<jz_state>(state);
            return JZ_OK;
        }
        case Kind::list:
            return apply_list(body);
        case Kind::pin:
            wrong_pins_ = in.u8();
            return in.ok() ? JZ_OK : JZ_MALFORMED;
        case Kind::proof: {
            const std::uint32_t purse = in.u32();
            if (guilty_count_ < guilty_.size()) guilty_[guilty_count_++] = purse;
            if (purse == purse_) state_ = JZ_STATE_FROZEN;
            return in.ok() ? JZ_OK : JZ_MALFORMED;
        }
        case Kind::alarm:
            return apply_alarm(body);
    }
    return JZ_MALFORMED;
}

jz_status Purse::apply_start(View body) noexcept {
    BodyReader in(body);
    const std::uint8_t version = in.u8();
    suite_ = static_cast<Suite>(in.u8());
    assurance_ = in.u8();
    in.u8();
    purse_ = in.u32();
    in.take_to(anchor_);
    seq_ = in.u32();
    in.take_to(previous_);
    in.take_to(key_.bytes);
    key_.size = suite_ == Suite::ed25519 ? 32 : 33;
    return in.ok() && version == 1 ? JZ_OK : JZ_MALFORMED;
}

jz_status Purse::apply_lot(View body) noexcept {
    Object object;
    Certificate lot;
    jz_status status = read_object_of(body, Type::certificate, object, lot);
    if (status != JZ_OK) return status;
    if (lot.not_before > t_low_) t_low_ = lot.not_before;
    Holding* room = room_for_lot();
    if (room == nullptr) return JZ_NO_ROOM;
    *room = {};
    room->used = room->lot = true;
    room->total = lot.amount;
    room->not_before = lot.not_before;
    room->expires = lot.expires;
    room->hops = lot.hops;
    room->directed = lot.directed;
    room->record = records_;
    if (lot.amount > 0) room->free[room->pieces++] = {0, lot.amount};
    asset_ = lot.asset;
    last_serial_ = lot.serial;
    return id_of(platform_, object, room->id);
}

jz_status Purse::apply_request(View body) noexcept {
    Incoming* room = room_for_request();
    if (room == nullptr) return JZ_NO_ROOM;
    *room = {};
    BodyReader in(body);
    in.take_to(room->secret);
    Object object;
    Request request;
    const jz_status status = read_object_of(in.rest(), Type::request, object, request);
    if (status != JZ_OK || !in.ok()) return JZ_MALFORMED;
    room->state = RequestState::open;
    room->amount = request.amount;
    room->request_record = records_;
    room->nonce = request.nonce;
    room->ephemeral = request.ephemeral;
    return id_of(platform_, object, room->request);
}

jz_status Purse::apply_note(View body) noexcept {
    Payment* room = room_for_payment();
    if (room == nullptr) return JZ_NO_ROOM;
    Payment payment;
    BodyReader in(body);
    payment.payee_class = in.u8();
    payment.payee_suite = static_cast<Suite>(in.u8());
    payment.payee_key.size = in.u8();
    in.u8();
    in.take_to(payment.payee_key.bytes);
    in.take_to(payment.nonce);
    in.take_to(payment.ephemeral);
    Object object;
    Note note;
    jz_status status = read_object_of(in.rest(), Type::note, object, note);
    if (status != JZ_OK || !in.ok()) return JZ_MALFORMED;
    status = id_of(platform_, object, payment.note);
    if (status != JZ_OK) return status;
    for (const Source& source : note.all_sources()) {
        Holding* holding = find_holding(source.id);
        if (holding == nullptr || !holding->cut({source.offset, source.end()})) return JZ_BAD_RANGE;
        payment.holdings |= std::uint32_t{1} << (holding - holding_.data());
    }
    payment.state = PaymentState::sent;
    payment.payee = note.payee;
    payment.seq = seq_ = note.seq;
    payment.amount = note.total();
    payment.record = records_;
    payment.request = note.request;
    previous_ = payment.note;
    ++notes_since_sync_;
    paid_without_cvm_ = note.cvm ? 0 : paid_without_cvm_ + payment.amount;
    *room = payment;
    return JZ_OK;
}

jz_status Purse::apply_answer(Kind kind, View body) noexcept {
    Object object;
    if (kind == Kind::done) {
        Receipt receipt;
        if (read_object_of(body, Type::receipt, object, receipt) != JZ_OK) return JZ_MALFORMED;
        Payment* payment = find_in(payment_, [&](const Payment& p) { return p.note == receipt.note; });
        if (payment == nullptr) return JZ_MALFORMED;
        payment->state = PaymentState::done;
        return JZ_OK;
    }
    Void voided;
    if (read_object_of(body, Type::void_request, object, voided) != JZ_OK) return JZ_MALFORMED;
    Payment* payment = find_in(
        payment_, [&](const Payment& p) { return p.state == PaymentState::sent && p.request == voided.request; });
    if (payment == nullptr) return JZ_MALFORMED;
    payment->state = PaymentState::void_held;
    return JZ_OK;
}

jz_status Purse::apply_credit(View body) noexcept {
    BodyReader in(body);
    Holding held;
    held.slot = in.u8();
    held.hop = in.u8();
    held.hops = in.u8();
    in.u8();
    held.bundle_size = in.u16();
    in.u16();
    held.expires = in.u32();
    Nonce nonce{};
    in.take_to(nonce);
    in.take_to(held.bundle_hash);
    Object object;
    Receipt receipt;
    if (!in.ok() || read_object_of(in.rest(), Type::receipt, object, receipt) != JZ_OK) return JZ_MALFORMED;
    Incoming* request = find_request(nonce);
    if (request == nullptr || request->state != RequestState::open || held.slot >= max_held) return JZ_MALFORMED;
    Holding& room = holding_[max_lots + held.slot];
    if (room.used) return JZ_MALFORMED;
    held.used = true;
    held.total = receipt.amount;
    held.id = receipt.note;
    held.record = records_;
    held.receipt_seq = receipt.seq;
    held.free[held.pieces++] = {0, held.total};
    room = held;
    request->state = RequestState::credited;
    request->note = receipt.note;
    request->answer_record = records_;
    request->seq = seq_ = receipt.seq;
    return id_of(platform_, object, previous_);
}

jz_status Purse::apply_void(View body) noexcept {
    BodyReader in(body);
    Nonce nonce{};
    in.take_to(nonce);
    Object object;
    Void voided;
    if (!in.ok() || read_object_of(in.rest(), Type::void_request, object, voided) != JZ_OK) return JZ_MALFORMED;
    Incoming* request = find_request(nonce);
    if (request == nullptr || request->state != RequestState::open) return JZ_MALFORMED;
    request->state = RequestState::voided;
    request->answer_record = records_;
    request->seq = seq_ = voided.seq;
    return id_of(platform_, object, previous_);
}

jz_status Purse::apply_adopted(View body) noexcept {
    Object object;
    View rest = body;
    jz_status status = read_object(rest, object);
    if (status != JZ_OK || !rest.empty()) return JZ_MALFORMED;
    Note note;
    Receipt receipt;
    Void voided;
    if (object.type == Type::note && parse(object, note) == JZ_OK) {
        for (const Source& source : note.all_sources()) {
            Holding* holding = find_holding(source.id);
            if (holding == nullptr || !holding->cut({source.offset, source.end()})) return JZ_BAD_RANGE;
        }
        ++notes_since_sync_;
        paid_without_cvm_ = note.cvm ? 0 : paid_without_cvm_ + note.total();
        seq_ = note.seq;
    } else if (object.type == Type::receipt && parse(object, receipt) == JZ_OK) {
        seq_ = receipt.seq;  // the payer asks again and gets another one
    } else if (object.type == Type::void_request && parse(object, voided) == JZ_OK) {
        // It can be read out of the card, so the request stays without a credit. Nobody was told: it is just gone.
        for (Incoming& request : incoming_) {
            if (request.state != RequestState::open || request.request != voided.request) continue;
            wipe(request.secret);
            request = {};
        }
        seq_ = voided.seq;
    } else {
        return JZ_MALFORMED;
    }
    return id_of(platform_, object, previous_);
}

jz_status Purse::apply_list(View body) noexcept {
    BodyReader in(body);
    List list;
    list.slot = in.u8();
    in.raw(3);
    list.size = in.u32();
    Object object;
    if (!in.ok() || read_object_of(in.rest(), Type::list_head, object, list.head) != JZ_OK) return JZ_MALFORMED;
    list.record = records_;
    previous_list_ = list_;
    list_ = list;
    if (list.head.time > t_low_) t_low_ = list.head.time;
    return JZ_OK;
}

jz_status Purse::apply_alarm(View body) noexcept {
    Object object;
    ListHead head;
    if (read_object_of(body, Type::list_head, object, head) != JZ_OK) return JZ_MALFORMED;
    alarm_record_ = records_;
    alarm_list_record_ = (head.version == list_.head.version ? list_ : previous_list_).record;
    return JZ_OK;
}

void Purse::forget_through(std::uint32_t seq) noexcept {
    for (Incoming& request : incoming_) {
        if (request.state != RequestState::none && request.state != RequestState::open && request.seq <= seq) {
            wipe(request.secret);
            request = {};
        }
    }
    // The ledger has paid these notes, receipt or not.
    for (Payment& payment : payment_) {
        if (payment.state == PaymentState::sent && payment.seq <= seq) payment.state = PaymentState::done;
    }
    for (std::size_t i = max_lots; i < max_holdings; ++i) {
        Holding& held = holding_[i];
        if (!held.used || held.receipt_seq > seq) continue;
        if (!in_use(i)) held = {};
    }
}

jz_status Purse::apply_sync(View body) noexcept {
    Object object;
    SyncAck ack;
    if (read_object_of(body, Type::sync_ack, object, ack) != JZ_OK) return JZ_MALFORMED;
    sync_ = ack.sync;
    contradictions_ = 0;  // they were handed in with the deposits; not journalled
    if (ack.time > t_low_) t_low_ = ack.time;
    for (std::size_t i = 0; i < ack.released; ++i) {
        for (Payment& payment : payment_) {
            // The ledger has taken the amount back. The range is never spent again: two notes over it would be a fork
            // proof against an honest payer (docs/adr/0011).
            if (payment.state == PaymentState::void_held && payment.note == ack.release[i]) payment = {};
        }
    }
    forget_through(ack.through);
    if (ack.next > seq_ + 1) {
        seq_ = ack.next - 1;
        const jz_status status = id_of(platform_, object, previous_);
        if (status != JZ_OK) return status;
    }
    if ((ack.flags & sync_limits) != 0) {
        notes_since_sync_ = 0;
        paid_without_cvm_ = 0;
        wrong_pins_ = 0;
    }
    if ((ack.flags & sync_restart) != 0) {
        for (Holding& holding : holding_) {
            holding.pieces = 0;
            holding.settle_only = !holding.lot;
        }
        // Which of the open requests were answered is not known any more, so none is answered again
        // (docs/adr/0018): the payer's deposit finds the answer in the ledger.
        for (Incoming& request : incoming_) {
            if (request.state != RequestState::open) continue;
            wipe(request.secret);
            request = {};
        }
        if (state_ == JZ_STATE_SUSPECT) state_ = JZ_ACTIVE;
        journal_suspect_ = false;
    }
    if ((ack.flags & sync_freeze) != 0) state_ = JZ_STATE_FROZEN;
    return JZ_OK;
}

}  // namespace jiaozi::purse
