// Base64 and base32 as RFC 4648 has them, strict: one text for one byte string. No line breaks or spaces, padding
// exactly where the variant has it, unused bits zero. Base32 is upper case. Anything else is Error malformed with the
// offset. Hexadecimal is in base/bytes.hpp, the base32 of ids in base/id.hpp. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::codec {

enum class Base64 : std::uint8_t { standard, standard_unpadded, url, url_unpadded };

std::string encode_base64(ByteView bytes, Base64 variant = Base64::standard);
Result<Bytes> decode_base64(std::string_view text, Base64 variant = Base64::standard);

enum class Base32 : std::uint8_t { padded, unpadded };

std::string encode_base32(ByteView bytes, Base32 variant = Base32::padded);
Result<Bytes> decode_base32(std::string_view text, Base32 variant = Base32::padded);

}  // namespace jiaozi::codec
