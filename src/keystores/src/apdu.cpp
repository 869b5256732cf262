#include <jiaozi/keystores/apdu.hpp>

namespace jiaozi::keystores {
namespace {

constexpr std::uint8_t chaining_bit = 0x10;
constexpr std::size_t header_size = 4;

std::size_t expected(std::uint8_t le) noexcept {
    return le == 0 ? 256 : le;
}

}  // namespace

Result<Apdu> parse_apdu(ByteView bytes) {
    if (bytes.size() < header_size) return Error(ErrorKind::malformed, "an APDU has at least 4 bytes");
    Apdu apdu{.cla = static_cast<std::uint8_t>(bytes[0] & ~chaining_bit),
              .ins = bytes[1],
              .p1 = bytes[2],
              .p2 = bytes[3],
              .data = {},
              .le = 0,
              .more = (bytes[0] & chaining_bit) != 0};
    const ByteView body = bytes.subspan(header_size);
    if (body.empty()) return apdu;
    if (body.size() == 1) {
        apdu.le = expected(body[0]);
        return apdu;
    }
    const std::size_t lc = body[0];
    if (lc == 0 || body.size() < 1 + lc || body.size() > 2 + lc) {
        return Error(ErrorKind::malformed, "the lengths of the APDU do not fit");
    }
    apdu.data = body.subspan(1, lc);
    if (body.size() == 2 + lc) apdu.le = expected(body[1 + lc]);
    return apdu;
}

}  // namespace jiaozi::keystores
