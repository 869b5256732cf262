// Short command APDUs of ISO/IEC 7816-4, as a card reads them. Pure functions.
#pragma once

#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::keystores {

struct Apdu {
    std::uint8_t cla = 0;
    std::uint8_t ins = 0;
    std::uint8_t p1 = 0;
    std::uint8_t p2 = 0;
    ByteView data;       // at most 255 bytes
    std::size_t le = 0;  // 1..256; 0: no answer wanted
    bool more = false;   // command chaining: not the last part
};

// Cases 1 to 4 with one-byte lengths. Error malformed for everything else, extended lengths included.
Result<Apdu> parse_apdu(ByteView bytes);

}  // namespace jiaozi::keystores
