// One message of every type, with every optional field, and fixed keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::protocol::samples {

inline const DeviceId device{make_uint128(0x018f'0000'0000'0000, 0x00c0'ffee'0000'0001)};
inline const DeviceId machine{make_uint128(0x018f'0000'0000'0000, 0x00c0'ffee'0000'0002)};
inline const PaymentId payment{make_uint128(0x018f'0000'0001'0000, 0x1111'2222'3333'4444)};
inline const ProductId product{make_uint128(0x018f'0000'0002'0000, 0x5555'6666'7777'8888)};
inline const WalletId wallet{make_uint128(0x018f'0000'0003'0000, 0x9999'aaaa'bbbb'cccc)};
inline constexpr SessionId session{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8};
inline constexpr std::uint64_t time_ms = 1'700'000'000'123;

// 32 bytes: first, first + 1, …
inline Bytes counting(std::uint8_t first, std::size_t size = 32) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
    return bytes;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(std::uint8_t first) {
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
    return bytes;
}

inline std::vector<Body> bodies() {
    const KeyId credential = array_of<8>(0x30);
    return {
        Claim{"ABCDE-FGHJK", crypto::Suite::ed25519, counting(0x40), "8986012345678901239", "460001234567890",
              "490154203237518"},
        Hello{array_of<32>(0x50), array_of<16>(0x60), "machine 1.0"},
        Heartbeat{DeviceStatus::busy, array_of<8>(0x70)},
        CatalogueRequest{.after = 12},
        PayRequest{payment, PaymentKind::device, 3, 2, 700, "CNY", "", machine},
        CommandAck{payment, 4, false, "door open"},
        DeliveryReport{payment, DeliveryResult::partial, 1, "second one stuck"},
        BalanceRequest{},
        QrRequest{payment, 5, 1},
        Rotate{crypto::Suite::sm2, counting(0x02, 33), array_of<64>(0x80)},
        PursePiece{array_of<32>(0xc0), 5'000, 2'048, counting(0x10, 100)},
        PurseMore{array_of<32>(0xc0), 2'048},
        Claimed{credential, crypto::Suite::ed25519, counting(0x90), "correct horse", counting(0xa0, 180)},
        Welcome{array_of<32>(0xb0), array_of<16>(0x60), session, time_ms + 86'400'000, 30, 7},
        HeartbeatAck{},
        Catalogue{{{1, product, "Water", "水", 200, "CNY"}, {2, product, "", "", 0, "POINTS"}}, true},
        PayAnswer{payment, PaymentState::declined, Reason::insufficient_funds, 700, "CNY"},
        ReportAck{payment, PaymentState::captured, 350, true},
        BalanceAnswer{{{wallet, 12'345, "CNY"}}},
        Qr{payment, "00020101021226", time_ms + 60'000},
        Rotated{credential, counting(0xa0, 180)},
        PurseTaken{array_of<32>(0xc0), 4'096},
        PurseAnswer{array_of<32>(0xc0), 3'000, 2'048, counting(0x20, 90), array_of<8>(0xd0)},
        Command{payment, 1, 3, 2, 700, "CNY", time_ms + 20'000, product},
        Probe{array_of<8>(0x70)},
        Cancel{payment},
        ErrorAnswer{RefusalCode::stale_hello, "say hello later", 9, time_ms},
    };
}

inline Message message(Body body, std::uint64_t seq = 1) {
    Message result{.device = device, .session = {}, .seq = seq, .time_ms = time_ms, .body = std::move(body)};
    if (needs_session(type_of(result.body))) result.session = session;
    return result;
}

}  // namespace jiaozi::protocol::samples
