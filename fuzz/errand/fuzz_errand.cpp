// Errands of purses (docs/protocol/device.md, 4.1 and 4.2). The first byte chooses.
//   0  an errand             what is accepted is written as the same bytes
//   1  an answer             the same
//   2  pieces of two devices: each takes 4 bytes: device and transfer, size, offset, length. What becomes whole is what
//      its name says, one at a time, and memory stays within its bound.
#include <algorithm>
#include <array>

#include <jiaozi/base/assert.hpp>

#include "transfers.hpp"

namespace {

using namespace jiaozi;
using devices::Transfers;

void errand(ByteView bytes) {
    const auto read = protocol::decode_errand(bytes);
    if (read.ok()) JZ_ASSERT(equal(protocol::encode(*read), bytes));
}

void answer(ByteView bytes) {
    const auto read = protocol::decode_errand_answer(bytes);
    if (read.ok()) JZ_ASSERT(equal(protocol::encode(*read), bytes));
}

constexpr std::size_t bound = 16 * 1024;

void pieces(ByteView rest) {
    Transfers transfers(bound, seconds(10));
    const std::array<Bytes, 2> whole = {Bytes(300, 7), Bytes(4'000, 9)};
    Timestamp now{1'000'000'000};
    while (rest.size() >= 4) {
        const ByteView step = rest.first(4);
        rest = rest.subspan(4);
        const DeviceId device{uint128{1U} + (step[0] & 1U)};
        const Bytes& bytes = whole[(step[0] >> 1) & 1U];
        now = now + seconds(step[0] >> 5);
        protocol::PursePiece piece;
        piece.transfer = protocol::transfer_id(bytes);
        piece.size = static_cast<std::uint32_t>(bytes.size() + (step[1] == 255 ? 1 : 0));
        piece.offset = static_cast<std::uint32_t>(std::min<std::size_t>(step[2] * 16U, bytes.size()));
        const std::size_t length = std::min<std::size_t>(step[3] * 8U, bytes.size() - piece.offset);
        piece.data = to_bytes(ByteView(bytes).subspan(piece.offset, length));
        if (step[1] == 254 && !piece.data.empty()) piece.data.front() ^= 1;
        const bool asks = (step[0] & 8U) != 0;
        const auto done =
            asks ? transfers.more(device, {piece.transfer, piece.offset}, now) : transfers.take(device, piece, now);
        if (const auto* const errand = std::get_if<Transfers::Whole>(&done)) {
            JZ_ASSERT(errand->errand == bytes);
            if ((step[0] & 16U) != 0) {
                transfers.failed(device, piece.transfer, step[1] % 2 == 0);
            } else {
                transfers.answered(device, piece.transfer, Bytes(1 + step[1] * 20U, 3), now);
            }
        }
        JZ_ASSERT(transfers.bytes() <= bound + protocol::max_errand && transfers.count() <= 2);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView rest(data + 1, size - 1);
    switch (data[0] % 3) {
        case 0:
            errand(rest);
            break;
        case 1:
            answer(rest);
            break;
        default:
            pieces(rest);
    }
    return 0;
}
