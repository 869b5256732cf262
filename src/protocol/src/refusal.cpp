#include <algorithm>

#include <jiaozi/protocol/refusal.hpp>

namespace jiaozi::protocol {

std::string_view name_of(RefusalCode code) noexcept {
    switch (code) {
        case RefusalCode::too_large:
            return "too_large";
        case RefusalCode::malformed:
            return "malformed";
        case RefusalCode::unknown_device:
            return "unknown_device";
        case RefusalCode::session_unknown:
            return "session_unknown";
        case RefusalCode::bad_signature:
            return "bad_signature";
        case RefusalCode::device_not_active:
            return "device_not_active";
        case RefusalCode::replayed:
            return "replayed";
        case RefusalCode::stale_hello:
            return "stale_hello";
        case RefusalCode::claim_refused:
            return "claim_refused";
        case RefusalCode::rate_limited:
            return "rate_limited";
        case RefusalCode::request_refused:
            return "request_refused";
    }
    return "malformed";
}

std::optional<RefusalCode> parse_refusal_code(std::string_view name) noexcept {
    const auto found = std::ranges::find(all_refusal_codes, name, [](RefusalCode code) { return name_of(code); });
    if (found == all_refusal_codes.end()) return std::nullopt;
    return *found;
}

}  // namespace jiaozi::protocol
