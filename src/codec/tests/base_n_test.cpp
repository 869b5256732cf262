#include <gtest/gtest.h>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/codec/utf8.hpp>

namespace jiaozi::codec {
namespace {

struct Row {
    std::string_view plain;
    std::string_view base64;
    std::string_view base32;
};

// RFC 4648 section 10.
constexpr Row rfc4648[] = {
    {"", "", ""},
    {"f", "Zg==", "MY======"},
    {"fo", "Zm8=", "MZXQ===="},
    {"foo", "Zm9v", "MZXW6==="},
    {"foob", "Zm9vYg==", "MZXW6YQ="},
    {"fooba", "Zm9vYmE=", "MZXW6YTB"},
    {"foobar", "Zm9vYmFy", "MZXW6YTBOI======"},
};

std::string unpadded(std::string_view text) {
    return std::string(text.substr(0, text.find('=')));
}

TEST(BaseN, VectorsOfRfc4648) {
    for (const Row& row : rfc4648) {
        const Bytes plain = to_bytes(as_bytes(row.plain));
        EXPECT_EQ(encode_base64(plain), row.base64);
        EXPECT_EQ(encode_base32(plain), row.base32);
        EXPECT_EQ(encode_base64(plain, Base64::url_unpadded), unpadded(row.base64));
        EXPECT_EQ(encode_base32(plain, Base32::unpadded), unpadded(row.base32));
        EXPECT_EQ(decode_base64(row.base64).value(), plain);
        EXPECT_EQ(decode_base64(unpadded(row.base64), Base64::standard_unpadded).value(), plain);
        EXPECT_EQ(decode_base32(row.base32).value(), plain);
        EXPECT_EQ(decode_base32(unpadded(row.base32), Base32::unpadded).value(), plain);
    }
}

TEST(BaseN, TheUrlAlphabetDiffersInTwoCharacters) {
    const Bytes bytes = {0xFB, 0xEF, 0xFF};
    EXPECT_EQ(encode_base64(bytes), "++//");
    EXPECT_EQ(encode_base64(bytes, Base64::url), "--__");
    EXPECT_FALSE(decode_base64("--__").ok());
    EXPECT_FALSE(decode_base64("++//", Base64::url).ok());
}

TEST(BaseN, OneTextForOneValue) {
    for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9v",
                                        "Zm9vA===", "Zm=v", "Zm9v===="}) {
        EXPECT_EQ(decode_base64(text).error().kind(), ErrorKind::malformed) << text;
    }
    for (const std::string_view text : {"Zg==", "Z", "Zh", "Zm9vA"}) {
        EXPECT_FALSE(decode_base64(text, Base64::url_unpadded).ok()) << text;
    }
    for (const std::string_view text : {"my======", "MY", "MZ======", "M=======", "MZX=====", "MZXW6Y==", "========"}) {
        EXPECT_FALSE(decode_base32(text).ok()) << text;
    }
}

TEST(BaseN, EveryLengthComesBack) {
    Bytes bytes;
    for (unsigned i = 0; i < 70; ++i) {
        for (const Base64 variant : {Base64::standard, Base64::standard_unpadded, Base64::url, Base64::url_unpadded}) {
            EXPECT_EQ(decode_base64(encode_base64(bytes, variant), variant).value(), bytes);
        }
        for (const Base32 variant : {Base32::padded, Base32::unpadded}) {
            EXPECT_EQ(decode_base32(encode_base32(bytes, variant), variant).value(), bytes);
        }
        bytes.push_back(static_cast<std::uint8_t>(i * 37 + 11));
    }
}

TEST(Utf8, AcceptsAndRefusesByTheTable) {
    for (const std::string_view good :
         {"", "abc", "交子", "\xF0\x9F\xA5\x9F", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "\xEE\x80\x80"}) {
        EXPECT_TRUE(is_utf8(good));
        EXPECT_EQ(replace_invalid_utf8(good), good);
    }
    const std::string_view bad[] = {"\x80",
                                    "\xC0\x80",
                                    "\xC1\xBF",
                                    "\xE0\x9F\xBF",
                                    "\xED\xA0\x80",
                                    "\xF0\x8F\xBF\xBF",
                                    "\xF4\x90\x80\x80",
                                    "\xF5\x80\x80\x80",
                                    "\xFF",
                                    "\xE4\xBA",
                                    "a\xE4",
                                    "\xE4\xBA"
                                    "a"};
    for (const std::string_view text : bad) {
        EXPECT_FALSE(is_utf8(text)) << to_hex(as_bytes(text));
        EXPECT_TRUE(is_utf8(replace_invalid_utf8(text)));
    }
    EXPECT_EQ(utf8_length("a交子"), 3U);
    EXPECT_EQ(replace_invalid_utf8("a\xFF"
                                   "b"),
              "a\xEF\xBF\xBD"
              "b");
}

}  // namespace
}  // namespace jiaozi::codec
