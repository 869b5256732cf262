// What a device hands in for its offline purse in one go, and what it is answered (docs/protocol/device.md, 4.2). Too
// large for an envelope: it travels as purse_piece and purse_answer.
//
// decode: exactly this form, or Error malformed, too_large. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::protocol {

struct Errand {
    static constexpr std::size_t max_deposits = 100;
    static constexpr std::size_t max_carried = 16;
    static constexpr std::size_t max_item = 4'608;
    static constexpr std::size_t max_heads = 512;

    struct Sync {
        std::uint32_t last_seen = 0;
        bool suspect = false;
        std::uint32_t highest_seq = 0;
        bool operator==(const Sync&) const = default;
    };

    std::uint32_t purse = 0;  // its ordinal, at least 1
    std::vector<Bytes> deposits;
    std::optional<Sync> sync;
    std::optional<std::uint32_t> list;  // the version that it has
    std::vector<Bytes> carried;
    Bytes heads;  // empty: no alarm
    bool operator==(const Errand&) const = default;
};

// The parts that may fail by themselves; the numbers are the errand's keys.
enum class ErrandPart : std::uint8_t { carried = 5, heads = 6 };

struct ErrandAnswer {
    struct List {
        std::uint32_t version = 0;
        Bytes head;
        Bytes body;
        Bytes update;  // HEAD and delta: head and body are empty then
        bool operator==(const List&) const = default;
    };
    struct PutOff {
        ErrandPart part = ErrandPart::carried;
        std::string why;  // at most max_name bytes
        bool operator==(const PutOff&) const = default;
    };

    std::vector<std::string> deposits;  // "ok", or why not
    Bytes acknowledgement;              // empty: no sync was asked for
    std::optional<List> list;
    std::vector<std::string> carried;
    bool two_lists = false;
    Bytes deposit_key;  // 32 bytes, or none
    std::vector<PutOff> put_off;
    bool operator==(const ErrandAnswer&) const = default;
};

Bytes encode(const Errand& errand);
Result<Errand> decode_errand(ByteView bytes);
Bytes encode(const ErrandAnswer& answer);
Result<ErrandAnswer> decode_errand_answer(ByteView bytes);

TransferId transfer_id(ByteView errand);
AnswerCheck answer_check(ByteView answer);

}  // namespace jiaozi::protocol
