#include "transfers.hpp"

#include <algorithm>

namespace jiaozi::devices {
namespace {

constexpr std::size_t overhead = 512;  // of an entry in the list and the table, at the most

}  // namespace

std::size_t Transfers::Transfer::bytes() const noexcept {
    return overhead + errand.capacity() + answer.capacity();
}

Transfers::Transfer* Transfers::find(DeviceId device) noexcept {
    const auto found = places_.find(device);
    return found == places_.end() ? nullptr : &*found->second;
}

Transfers::Transfer& Transfers::begin(DeviceId device, const protocol::PursePiece& piece) {
    transfers_.push_back({});
    Transfer& made = transfers_.back();
    made.device = device;
    made.id = piece.transfer;
    made.size = piece.size;
    places_[device] = std::prev(transfers_.end());
    bytes_ += made.bytes();
    return made;
}

void Transfers::drop(DeviceId device) {
    const auto found = places_.find(device);
    if (found == places_.end()) return;
    bytes_ -= found->second->bytes();
    transfers_.erase(found->second);
    places_.erase(found);
}

void Transfers::heard(DeviceId device, Timestamp now) {
    const auto found = places_.find(device);
    if (found == places_.end()) return;
    found->second->heard = now;
    transfers_.splice(transfers_.end(), transfers_, found->second);
}

void Transfers::forget_the_old(Timestamp now) {
    while (!transfers_.empty() && now - transfers_.front().heard > keep_) drop(transfers_.front().device);
}

// The newest stays: it fits alone.
void Transfers::make_room() {
    while (bytes_ > max_bytes_ && transfers_.size() > 1) drop(transfers_.front().device);
}

Transfers::Step Transfers::take(DeviceId device, const protocol::PursePiece& piece, Timestamp now) {
    forget_the_old(now);
    Transfer* transfer = find(device);
    if (transfer != nullptr && transfer->id != piece.transfer) {
        if (transfer->stage == Stage::running) return Silence{};
        drop(device);
        transfer = nullptr;
    }
    if (transfer == nullptr) transfer = &begin(device, piece);
    heard(device, now);
    if (transfer->size != piece.size) {
        return Error(ErrorKind::invalid, "this transfer began with another size").with_param("size");
    }
    if (transfer->stage == Stage::answered) return answer_from(*transfer, 0);
    if (transfer->stage == Stage::running) return Silence{};
    if (piece.offset == transfer->errand.size()) {
        bytes_ -= transfer->bytes();
        append(transfer->errand, piece.data);
        bytes_ += transfer->bytes();
        make_room();
    }
    if (transfer->errand.size() < transfer->size) {
        return protocol::PurseTaken{piece.transfer, static_cast<std::uint32_t>(transfer->errand.size())};
    }
    if (!transfer->has_its_hash && protocol::transfer_id(transfer->errand) != transfer->id) {
        drop(device);
        return Error(ErrorKind::invalid, "the transfer is not the hash of its bytes").with_param("transfer");
    }
    transfer->has_its_hash = true;
    transfer->stage = Stage::running;
    return Whole{transfer->errand};
}

Transfers::Step Transfers::more(DeviceId device, const protocol::PurseMore& more, Timestamp now) {
    forget_the_old(now);
    heard(device, now);
    const Transfer* const transfer = find(device);
    if (transfer == nullptr || transfer->id != more.transfer) {
        // While another one is being done this one can't begin anew.
        if (transfer != nullptr && transfer->stage == Stage::running) return Silence{};
        return protocol::PurseTaken{more.transfer, 0};
    }
    if (transfer->stage == Stage::running) return Silence{};
    if (transfer->stage == Stage::coming) {
        return protocol::PurseTaken{more.transfer, static_cast<std::uint32_t>(transfer->errand.size())};
    }
    if (more.offset > transfer->answer.size()) {
        return Error(ErrorKind::invalid, "the answer is shorter than that").with_param("offset");
    }
    return answer_from(*transfer, more.offset);
}

Transfers::Step Transfers::answered(DeviceId device, const protocol::TransferId& transfer, Bytes answer,
                                    Timestamp now) {
    Transfer* const found = find(device);
    if (found == nullptr || found->id != transfer) return Silence{};
    if (answer.empty() || answer.size() > protocol::max_errand_answer) {
        drop(device);
        return Error(ErrorKind::too_large, "the answer to this errand is too long; make several of it");
    }
    heard(device, now);
    bytes_ -= found->bytes();
    found->errand = Bytes();
    found->check = protocol::answer_check(answer);
    found->answer = std::move(answer);
    found->stage = Stage::answered;
    bytes_ += found->bytes();
    make_room();
    return answer_from(*found, 0);
}

void Transfers::failed(DeviceId device, const protocol::TransferId& transfer, bool for_good) {
    Transfer* const found = find(device);
    if (found == nullptr || found->id != transfer) return;
    if (for_good) return drop(device);
    found->stage = Stage::coming;
}

protocol::PurseAnswer Transfers::answer_from(const Transfer& transfer, std::uint32_t offset) {
    const ByteView rest = ByteView(transfer.answer).subspan(offset);
    return {.transfer = transfer.id,
            .size = static_cast<std::uint32_t>(transfer.answer.size()),
            .offset = offset,
            .data = to_bytes(rest.first(std::min(rest.size(), protocol::max_purse_piece))),
            .check = transfer.check};
}

}  // namespace jiaozi::devices
