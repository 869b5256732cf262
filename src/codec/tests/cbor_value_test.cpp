#include <random>

#include <gtest/gtest.h>

#include <jiaozi/codec/cbor_value.hpp>

namespace jiaozi::codec {
namespace {

constexpr CborLimits floats{.allow_floats = true};

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

TEST(CborValue, DiagnosticNotation) {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    const Row rows[] = {
        {"1bffffffffffffffff", "18446744073709551615"},
        {"3bffffffffffffffff", "-18446744073709551616"},
        {"a301020304056"
         "161",
         "{1: 2, 3: 4, 5: \"a\"}"},
        {"83f4f6f7", "[false, null, undefined]"},
        {"d2"
         "4201ff",
         "18(h'01ff')"},
        {"f93e00", "1.5"},
        {"f93c00", "1.0"},
        {"f97c00", "Infinity"},
        {"f97e00", "NaN"},
        {"f8ff", "simple(255)"},
        {"6322"
         "5c0a",
         "\"\\\"\\\\\\u000a\""},
    };
    for (const Row& row : rows) {
        const auto value = decode_cbor(hex(row.bytes), CborRules::deterministic, floats);
        ASSERT_TRUE(value.ok()) << row.bytes << value.error().to_string();
        EXPECT_EQ(cbor_diagnostic(*value), row.text);
        EXPECT_EQ(to_hex(encode_cbor(*value).value()), row.bytes);
    }
}

TEST(CborValue, TheTolerantRulesReadOtherFormsAndWriteTheOneForm) {
    struct Row {
        std::string_view other;
        std::string_view ours;
    };
    const Row rows[] = {
        {"1800", "00"},
        {"9f0102ff", "820102"},
        {"bf02000100ff", "a201000200"},
        {"a202000100", "a201000200"},
        {"5f41014102ff", "420102"},
        {"7f61616162ff", "626162"},
        {"fb3ff0000000000000", "f93c00"},
        {"fa7fc00000", "f97e00"},
    };
    for (const Row& row : rows) {
        EXPECT_FALSE(decode_cbor(hex(row.other), CborRules::deterministic, floats).ok()) << row.other;
        EXPECT_EQ(to_hex(encode_cbor(decode_cbor(hex(row.other), CborRules::valid, floats).value()).value()), row.ours);
    }
}

TEST(CborValue, TheTolerantRulesStillRefuseWhatIsNotValid) {
    for (const std::string_view bad :
         {"", "ff", "f818", "a200000000", "a20000180000", "61ff", "5f6161ff", "5f5f4100ffff", "bf00ff", "9f00", "1c",
          "3f", "df00ff", "0000", "9affffffff", "7f61e461bdff"}) {
        EXPECT_FALSE(decode_cbor(hex(bad), CborRules::valid, floats).ok()) << bad;
    }
    EXPECT_EQ(decode_cbor(Bytes(100'000, 0x81), CborRules::valid).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(decode_cbor(Bytes(1'000, 0x9F), CborRules::valid).error().kind(), ErrorKind::too_large);
    EXPECT_FALSE(decode_cbor(hex("f93c00"), CborRules::valid).ok()) << "floats are off by default";
}

// A random tree, for the property below. Depth shrinks so that it ends.
CborValue random_value(std::mt19937_64& random, int depth) {
    const auto pick = [&](std::uint64_t below) { return random() % below; };
    CborValue value;
    switch (pick(depth > 0 ? 9 : 6)) {
        case 0:
            value.type = CborType::uint;
            value.number = random() >> pick(64);
            break;
        case 1:
            value.type = CborType::negint;
            value.number = random() >> pick(64);
            break;
        case 2:
            value.type = CborType::bytes;
            value.bytes.assign(pick(40), static_cast<std::uint8_t>(random()));
            break;
        case 3:
            value.type = CborType::text;
            value.text.assign(pick(40), static_cast<char>('a' + pick(26)));
            break;
        case 4:
            value.type = CborType::boolean;
            value.number = pick(2);
            break;
        case 5:
            value.type = CborType::floating;
            value.real = static_cast<double>(random()) / static_cast<double>(1 + pick(1000));
            break;
        case 6:
            value.type = CborType::array;
            for (std::uint64_t i = pick(6); i > 0; --i) value.items.push_back(random_value(random, depth - 1));
            break;
        case 7:
            value.type = CborType::map;
            for (std::uint64_t i = 0, n = pick(6); i < n; ++i) {
                value.items.push_back({.type = CborType::uint, .number = i * 1000});
                value.items.push_back(random_value(random, depth - 1));
            }
            break;
        default:
            value.type = CborType::tag;
            value.number = random() >> pick(64);
            value.items.push_back(random_value(random, depth - 1));
    }
    return value;
}

TEST(CborValue, ARandomTreeComesBackUnderBothRules) {
    const std::uint64_t seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 2000; ++i) {
        const CborValue value = random_value(random, 4);
        const Bytes bytes = encode_cbor(value).value();
        EXPECT_EQ(decode_cbor(bytes, CborRules::deterministic, floats).value(), value);
        EXPECT_EQ(decode_cbor(bytes, CborRules::valid, floats).value(), value);
    }
}

// Found by the fuzzer: the strict reader let an empty container stand one level deeper than the tolerant decoder.
TEST(CborValue, AnEmptyContainerAtTheDepthLimitIsRefusedByBothDecoders) {
    CborLimits limits;
    for (const std::uint8_t empty : {std::uint8_t{0x80}, std::uint8_t{0xa0}}) {
        for (std::size_t tags = limits.max_depth - 1; tags <= limits.max_depth; ++tags) {
            Bytes input(tags, 0xc2);
            input.push_back(empty);
            CborReader reader(input, limits);
            const bool strict = reader.skip().ok();
            EXPECT_EQ(strict, tags < limits.max_depth) << tags;
            EXPECT_EQ(decode_cbor(input, CborRules::valid, limits).ok(), strict) << tags;
        }
    }
}

}  // namespace
}  // namespace jiaozi::codec
