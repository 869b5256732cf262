#include "card_rules.hpp"

#include <algorithm>

namespace jiaozi::keystores {
namespace {

enum SyncFlags : std::uint32_t { new_limits = 1, lots_closed = 2, freeze = 4 };

const CardLot* find_lot(const CardState& state, const CardId& id) noexcept {
    const auto found = std::ranges::find(state.lots, id, &CardLot::id);
    return found == state.lots.end() ? nullptr : &*found;
}

// The strictest of the certificates in force; a card without one pays nothing.
struct Limits {
    bool any = false;
    std::uint64_t per_payment = max_amount;
    std::uint64_t without_cvm = max_amount;
    std::uint32_t count = 0xFFFFFFFF;
};

Limits limits_of(const CardState& state) noexcept {
    Limits limits;
    for (const CardLot& lot : state.lots) {
        if (state.t_low >= lot.expires) continue;
        limits.any = true;
        limits.per_payment = std::min(limits.per_payment, lot.per_payment);
        limits.without_cvm = std::min(limits.without_cvm, lot.without_cvm);
        limits.count = std::min(limits.count, lot.count);
    }
    return limits;
}

Status judge_limits(const CardState& state, const CardRequest& note, bool verified) noexcept {
    const Limits limits = limits_of(state);
    if (!limits.any) return Status::no_certificate;
    if (note.amount > limits.per_payment) return Status::over_limit;
    if (state.notes_since_sync >= limits.count) return Status::count_limit;
    if (note.cvm) {
        if (state.tries_left == 0) return Status::pin_locked;
        return verified ? Status::ok : Status::pin_needed;
    }
    const bool fits =
        state.paid_without_cvm <= limits.without_cvm && note.amount <= limits.without_cvm - state.paid_without_cvm;
    return fits ? Status::ok : Status::pin_needed;
}

Status judge_source(const CardState& state, const CardRequest& note, const CardSource& source) noexcept {
    for (const CardPiece& piece : state.pieces) {
        if (piece.source == source.id && source.offset < piece.to && piece.from < source.end()) return Status::overlap;
    }
    const CardLot* const lot = find_lot(state, source.id);
    if (lot == nullptr) return Status::ok;  // a received note, or a lot whose bounds the payee checks
    if (source.end() > lot->amount) return Status::beyond_lot;
    if (lot->directed != 0 && lot->directed != note.payee) return Status::wrong_directed;
    if (state.t_low >= lot->expires) return Status::expired;
    return Status::ok;
}

Status judge_chain(const CardState& state, const CardRequest& request) noexcept {
    if (request.seq <= state.last_seq) return Status::seq_used;
    if (request.seq != state.last_seq + 1 || request.previous != state.last_id) return Status::wrong_previous;
    return Status::ok;
}

// Ranges of one source that touch become one: a purse that spends from the front needs one entry for each source.
void add_piece(std::vector<CardPiece>& pieces, const CardSource& source) {
    CardPiece added{source.id, source.offset, source.end()};
    std::erase_if(pieces, [&](const CardPiece& piece) {
        if (piece.source != added.source || (piece.to != added.from && piece.from != added.to)) return false;
        added.from = std::min(added.from, piece.from);
        added.to = std::max(added.to, piece.to);
        return true;
    });
    pieces.push_back(added);
}

// A lot whose deadline has passed pays nobody: nothing about it need be remembered.
void forget_closed_lots(CardState& state) {
    const auto is_closed = [&](const CardLot& lot) { return lot.settle_by < state.t_low; };
    std::erase_if(state.pieces, [&](const CardPiece& piece) {
        const CardLot* const lot = find_lot(state, piece.source);
        return lot != nullptr && is_closed(*lot);
    });
    std::erase_if(state.lots, is_closed);
}

}  // namespace

Status judge(const CardState& state, const CardRequest& request, bool verified) noexcept {
    if (request.purse != state.purse) return Status::another_purse;
    if (request.type == CardObject::request) return Status::ok;
    if (const Status chain = judge_chain(state, request); chain != Status::ok) return chain;
    if (request.type != CardObject::note) return Status::ok;
    if (state.frozen) return Status::frozen;
    for (const CardSource& source : request.sources) {
        if (const Status status = judge_source(state, request, source); status != Status::ok) return status;
    }
    if (const Status status = judge_limits(state, request, verified); status != Status::ok) return status;
    return state.pieces.size() + request.sources.size() <= max_pieces ? Status::ok : Status::no_room;
}

void record(CardState& state, const CardRequest& request, ByteView message, const crypto::Signature& signature) {
    if (request.type == CardObject::request) return;
    state.last_seq = request.seq;
    state.last_id = request.id;
    state.last_message = to_bytes(message);
    state.last_signature = signature;
    if (request.type != CardObject::note) return;
    for (const CardSource& source : request.sources) add_piece(state.pieces, source);
    ++state.notes_since_sync;
    state.paid_without_cvm = request.cvm ? 0 : state.paid_without_cvm + request.amount;
}

Status take_certificate(CardState& state, const CardCertificate& lot) {
    if (lot.purse != state.purse || lot.key != state.public_key ||
        lot.suite != static_cast<std::uint8_t>(state.suite)) {
        return Status::another_purse;
    }
    if (lot.not_before >= lot.expires || lot.expires >= lot.settle_by) return Status::malformed;
    state.t_low = std::max(state.t_low, lot.not_before);
    forget_closed_lots(state);
    if (lot.settle_by < state.t_low) return Status::expired;
    if (find_lot(state, lot.id) != nullptr) return Status::ok;
    if (state.lots.size() == max_lots) return Status::no_room;
    state.lots.push_back(
        {lot.id, lot.amount, lot.expires, lot.settle_by, lot.per_payment, lot.without_cvm, lot.count, lot.directed});
    return Status::ok;
}

Status take_sync(CardState& state, const CardSync& sync) {
    if (sync.purse != state.purse) return Status::another_purse;
    if (sync.sync <= state.sync) return Status::old_sync;
    if (sync.next != 0 && sync.next <= state.last_seq) return Status::seq_used;
    state.sync = sync.sync;
    state.t_low = std::max(state.t_low, sync.time);
    forget_closed_lots(state);
    if ((sync.flags & new_limits) != 0) {
        state.paid_without_cvm = 0;
        state.notes_since_sync = 0;
        state.tries_left = pin_tries;
    }
    if ((sync.flags & lots_closed) != 0) {
        for (CardLot& lot : state.lots) lot.amount = 0;  // not removed: loading it again must not open it
    }
    state.frozen = state.frozen || (sync.flags & freeze) != 0;
    if (sync.next != 0) {
        state.last_seq = sync.next - 1;
        state.last_id = sync.id;
        state.last_message.clear();
    }
    return Status::ok;
}

}  // namespace jiaozi::keystores
