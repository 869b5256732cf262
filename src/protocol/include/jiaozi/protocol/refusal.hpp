// Why a device's message is refused: the closed list of docs/protocol/device.md section 5, in the order of the checks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jiaozi::protocol {

enum class RefusalCode : std::uint8_t {
    too_large,          // over the size limit
    malformed,          // not COSE, not deterministic CBOR, unknown type or key, wrong type or length
    unknown_device,     // device or kid not known, or the topic is another device's
    session_unknown,    // no such session: say hello
    bad_signature,      // the signature or MAC does not verify, or the alg is not the credential's
    device_not_active,  // pending, suspended, lost, retired
    replayed,           // seq far below the window
    stale_hello,        // hello's time is not above the last
    claim_refused,      // code wrong, used or expired; SIM does not match
    rate_limited,       // too many messages
    request_refused,    // authentic, but what it asks cannot be: the text says why
};

inline constexpr std::array all_refusal_codes{
    RefusalCode::too_large,       RefusalCode::malformed,      RefusalCode::unknown_device,
    RefusalCode::session_unknown, RefusalCode::bad_signature,  RefusalCode::device_not_active,
    RefusalCode::replayed,        RefusalCode::stale_hello,    RefusalCode::claim_refused,
    RefusalCode::rate_limited,    RefusalCode::request_refused};

// The token on the wire, e.g. "stale_hello". Static storage.
std::string_view name_of(RefusalCode code) noexcept;
std::optional<RefusalCode> parse_refusal_code(std::string_view name) noexcept;

}  // namespace jiaozi::protocol
