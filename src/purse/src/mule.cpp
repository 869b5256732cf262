// MULE (docs/protocol/offline.md, 9.2): deposits that somebody else carries to the ledger, sealed so that only the
// ledger reads them. What is carried is not value of this purse: it is kept if there is room and may be lost.
#include "record.hpp"

namespace jiaozi::purse {
namespace {

constexpr std::size_t enc_size = 32;
constexpr std::size_t slot_head = 2;  // the length, little-endian
constexpr std::size_t most_carried = max_bundle - slot_head;

std::size_t length_in(View head) noexcept {
    return static_cast<std::size_t>(head[0]) | static_cast<std::size_t>(head[1]) << 8;
}

}  // namespace

jz_status Purse::mule(unsigned index, const Fixed<32>& deposit_key, Span out, std::size_t& size) noexcept {
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    constexpr std::size_t before = 1 + enc_size;
    std::size_t plain = 0;
    jz_status status = deposit(index, out.subspan(before, JZ_MESSAGE_BYTES - before - tag_size), plain);
    if (status != JZ_OK) return status;
    if (enc_size + plain + tag_size > most_carried) return JZ_TOO_LARGE;
    Fixed<32> secret{};
    Fixed<32> enc{};
    SealKeys keys;
    status = new_ephemeral(platform_, secret, enc);
    if (status == JZ_OK) {
        status = derive_keys(platform_, secret, deposit_key, enc, deposit_key, {}, Verb::mule, keys);
    }
    wipe(secret);
    if (status == JZ_OK) status = seal(platform_, keys.payer, Verb::mule, {}, out.subspan(before), plain);
    if (status != JZ_OK) return status;
    out[0] = static_cast<std::uint8_t>(Verb::mule);
    std::memcpy(out.data() + 1, enc.data(), enc.size());
    size = before + plain + tag_size;
    return JZ_OK;
}

jz_status Purse::on_mule(View body) noexcept {
    if (body.size() <= enc_size + tag_size) return JZ_MALFORMED;
    Load* room = nullptr;
    for (Load& load : carried_) {
        if (load.size != 0 && equal(load.name, body.first(load.name.size()))) return JZ_OK;  // it is here already
        if (load.size == 0 && room == nullptr) room = &load;
    }
    if (room == nullptr) return JZ_NO_ROOM;
    const Fixed<slot_head> head{static_cast<std::uint8_t>(body.size()), static_cast<std::uint8_t>(body.size() >> 8)};
    work_.clear();
    if (!work_.append(head) || !work_.append(body)) return JZ_TOO_LARGE;
    const auto number = static_cast<unsigned>(room - carried_.data());
    // A favour: a device without the room refuses it and goes on paying.
    if (platform_.save(platform_.context, JZ_AREA_MULE, number, c_view(work_.view())) != 0) return JZ_NO_ROOM;
    room->size = static_cast<std::uint16_t>(body.size());
    take(body.first(room->name.size()), room->name);
    return JZ_OK;
}

// What is carried, found again when the purse is opened; a slot that can't be read is free.
void Purse::find_carried() noexcept {
    for (std::size_t i = 0; i < carried_.size(); ++i) {
        Load& load = carried_[i];
        load = {};
        Fixed<slot_head + sizeof load.name> head{};
        const auto slot = static_cast<unsigned>(i);
        if (platform_.load(platform_.context, JZ_AREA_MULE, slot, 0, head.data(), head.size()) != JZ_READ_OK) continue;
        const std::size_t size = length_in(head);
        std::uint8_t last = 0;
        const bool whole =
            size > enc_size + tag_size && size <= most_carried &&
            platform_.load(platform_.context, JZ_AREA_MULE, slot, slot_head + size - 1, &last, 1) == JZ_READ_OK;
        if (!whole) continue;
        load.size = static_cast<std::uint16_t>(size);
        take(View(head).subspan(slot_head), load.name);
    }
}

jz_status Purse::carried(unsigned index, Span out, std::size_t& size) noexcept {
    for (std::size_t i = 0; i < carried_.size(); ++i) {
        const Load& load = carried_[i];
        if (load.size == 0 || index-- != 0) continue;
        if (out.size() < std::size_t{1} + load.size) return JZ_BUFFER_TOO_SMALL;
        out[0] = static_cast<std::uint8_t>(Verb::mule);
        const int read = platform_.load(platform_.context, JZ_AREA_MULE, static_cast<unsigned>(i), slot_head,
                                        out.data() + 1, load.size);
        if (read != JZ_READ_OK) return JZ_STORAGE_FAILED;
        size = std::size_t{1} + load.size;
        return JZ_OK;
    }
    return JZ_NOTHING_HERE;
}

jz_status Purse::unload() noexcept {
    constexpr Fixed<slot_head> empty{};
    jz_status status = JZ_OK;
    for (std::size_t i = 0; i < carried_.size(); ++i) {
        if (carried_[i].size == 0) continue;
        if (platform_.save(platform_.context, JZ_AREA_MULE, static_cast<unsigned>(i), c_view(empty)) != 0) {
            status = JZ_STORAGE_FAILED;
            continue;
        }
        carried_[i] = {};
    }
    return status;
}

}  // namespace jiaozi::purse
