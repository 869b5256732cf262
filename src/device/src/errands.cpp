// Errands for an offline purse: out in pieces, their answers in pieces (docs/protocol/device.md, 4.1).
#include <utility>

#include "impl.hpp"

namespace jiaozi::device {
namespace {

using protocol::MessageType;

}  // namespace

Result<void> DeviceClient::Impl::run_errand(Bytes errand) {
    if (errand.empty() || errand.size() > protocol::max_errand) {
        return Error(ErrorKind::too_large, "an errand has 1 to 131,072 bytes; make several of it");
    }
    const protocol::TransferId id = protocol::transfer_id(errand);
    if (errand_ && errand_->id == id) return {};
    if (errand_) return Error(ErrorKind::conflict, "another errand is under way");
    errand_.emplace(PurseErrand{.id = id, .bytes = std::move(errand), .answer = {}, .check = {}});
    send_piece(0);
    return {};
}

void DeviceClient::Impl::drop_errand() {
    answered(MessageType::purse_piece);
    answered(MessageType::purse_more);
    errand_.reset();
}

// One piece at a time: it is sent again until the server says how far it has come.
void DeviceClient::Impl::send_piece(std::uint32_t offset) {
    answered(MessageType::purse_piece);
    answered(MessageType::purse_more);
    errand_->answer.clear();
    const ByteView rest = ByteView(errand_->bytes).subspan(offset);
    keep(protocol::PursePiece{.transfer = errand_->id,
                              .size = static_cast<std::uint32_t>(errand_->bytes.size()),
                              .offset = offset,
                              .data = to_bytes(rest.first(std::min(rest.size(), protocol::max_purse_piece)))},
         {});
}

void DeviceClient::Impl::ask_for_more() {
    answered(MessageType::purse_piece);
    answered(MessageType::purse_more);
    keep(protocol::PurseMore{errand_->id, static_cast<std::uint32_t>(errand_->answer.size())}, {});
}

void DeviceClient::Impl::on_purse_taken(const protocol::PurseTaken& taken) {
    if (!errand_ || taken.transfer != errand_->id || taken.offset > errand_->bytes.size()) return;
    // All of it is there and not done yet: the last piece asks again in its time.
    if (taken.offset == errand_->bytes.size()) return;
    const Outgoing* const piece = find_outgoing(MessageType::purse_piece);
    if (piece != nullptr && std::get<protocol::PursePiece>(piece->body).offset == taken.offset) return;  // said twice
    send_piece(taken.offset);
}

void DeviceClient::Impl::on_purse_answer(const protocol::PurseAnswer& answer) {
    if (!errand_ || answer.transfer != errand_->id) return;
    if (!errand_->answer.empty() && answer.check != errand_->check) {
        // The server has done it again, and says it in other words.
        errand_->answer.clear();
        if (answer.offset != 0) return ask_for_more();
    }
    if (answer.offset != errand_->answer.size()) return;
    errand_->check = answer.check;
    append(errand_->answer, answer.data);
    if (errand_->answer.size() < answer.size) return ask_for_more();
    if (protocol::answer_check(errand_->answer) != errand_->check) {
        ++counters_.bad;
        errand_->answer.clear();
        return ask_for_more();
    }
    Bytes whole = std::move(errand_->answer);
    drop_errand();
    effect(actions_.errand_done, std::move(whole));
}

}  // namespace jiaozi::device
