#include <jiaozi/codec/base_n.hpp>

namespace jiaozi::codec {
namespace {

// One row per alphabet: how many bits a character carries, and how many characters make a full group.
struct Alphabet {
    std::string_view characters;
    unsigned bits;
    std::size_t group;
    bool padded;
};

constexpr std::string_view base64_standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64_url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view base32_upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

Alphabet alphabet_of(Base64 variant) {
    const bool url = variant == Base64::url || variant == Base64::url_unpadded;
    const bool padded = variant == Base64::standard || variant == Base64::url;
    return {url ? base64_url : base64_standard, 6, 4, padded};
}

Alphabet alphabet_of(Base32 variant) {
    return {base32_upper, 5, 8, variant == Base32::padded};
}

std::string encode(ByteView bytes, const Alphabet& alphabet) {
    std::string text;
    text.reserve((bytes.size() * 8 / alphabet.bits) + alphabet.group);
    unsigned pending = 0;
    unsigned pending_bits = 0;
    for (const std::uint8_t byte : bytes) {
        pending = (pending << 8) | byte;
        pending_bits += 8;
        for (; pending_bits >= alphabet.bits; pending_bits -= alphabet.bits) {
            text += alphabet.characters[(pending >> (pending_bits - alphabet.bits)) & ((1U << alphabet.bits) - 1)];
        }
        pending &= (1U << pending_bits) - 1;
    }
    if (pending_bits > 0) text += alphabet.characters[pending << (alphabet.bits - pending_bits)];
    while (alphabet.padded && text.size() % alphabet.group != 0) text += '=';
    return text;
}

Error malformed(std::size_t offset, std::string_view what) {
    return {ErrorKind::malformed, "base" + std::string(what) + " at offset " + std::to_string(offset)};
}

Result<Bytes> decode(std::string_view text, const Alphabet& alphabet, std::string_view name) {
    std::size_t length = text.size();
    if (alphabet.padded) {
        if (length % alphabet.group != 0) return malformed(length, std::string(name) + ": text ends inside a group");
        while (length > 0 && text.size() - length < alphabet.group && text[length - 1] == '=') --length;
    }
    Bytes bytes;
    bytes.reserve(length * alphabet.bits / 8);
    unsigned pending = 0;
    unsigned pending_bits = 0;
    for (std::size_t i = 0; i < length; ++i) {
        const std::size_t value = alphabet.characters.find(text[i]);
        if (value == std::string_view::npos) return malformed(i, std::string(name) + ": unexpected character");
        pending = (pending << alphabet.bits) | static_cast<unsigned>(value);
        pending_bits += alphabet.bits;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
            pending &= (1U << pending_bits) - 1;
        }
    }
    // A whole character's worth of left-over bits means a character too many; set ones mean two texts for one value.
    if (pending_bits >= alphabet.bits) return malformed(length, std::string(name) + ": impossible length");
    if (pending != 0) return malformed(length, std::string(name) + ": unused bits are not zero");
    const std::size_t rest = length % alphabet.group;
    const std::size_t padding = text.size() - length;
    if (alphabet.padded && padding != (rest == 0 ? 0 : alphabet.group - rest)) {
        return malformed(length, std::string(name) + ": wrong padding");
    }
    return bytes;
}

}  // namespace

std::string encode_base64(ByteView bytes, Base64 variant) {
    return encode(bytes, alphabet_of(variant));
}
Result<Bytes> decode_base64(std::string_view text, Base64 variant) {
    return decode(text, alphabet_of(variant), "64");
}

std::string encode_base32(ByteView bytes, Base32 variant) {
    return encode(bytes, alphabet_of(variant));
}
Result<Bytes> decode_base32(std::string_view text, Base32 variant) {
    return decode(text, alphabet_of(variant), "32");
}

}  // namespace jiaozi::codec
