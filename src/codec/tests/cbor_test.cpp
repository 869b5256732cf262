#include <random>

#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>

namespace jiaozi::codec {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

Result<void> strict(std::string_view text, CborLimits limits = {}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes, limits);
    JZ_CHECK(reader.skip());
    return reader.finish();
}

TEST(CborWriter, WritesTheShortestForm) {
    struct Row {
        std::int64_t value;
        std::string_view bytes;
    };
    const Row rows[] = {
        {0, "00"},
        {23, "17"},
        {24, "1818"},
        {255, "18ff"},
        {256, "190100"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {4294967295, "1affffffff"},
        {4294967296, "1b0000000100000000"},
        {INT64_MAX, "1b7fffffffffffffff"},
        {-1, "20"},
        {-24, "37"},
        {-25, "3818"},
        {-256, "38ff"},
        {-257, "390100"},
        {INT64_MIN, "3b7fffffffffffffff"},
    };
    for (const Row& row : rows) {
        CborWriter out;
        EXPECT_EQ(to_hex(out.integer(row.value).view()), row.bytes);
        CborReader reader(out.view());
        EXPECT_EQ(reader.integer().value(), row.value);
        EXPECT_TRUE(reader.finish().ok());
    }
}

TEST(CborWriter, ContainersStringsAndSimpleValues) {
    CborWriter out;
    out.array(6)
        .map(2)
        .integer(1)
        .text("交子")
        .integer(-1)
        .bytes(Bytes{1, 2})
        .boolean(true)
        .null()
        .tag(32)
        .text("u")
        .array(0)
        .map(0);
    EXPECT_EQ(to_hex(out.view()),
              "86a20166e4baa4e5ad9020420102f5f6d82061"
              "7580a0");
    EXPECT_TRUE(strict(to_hex(out.view())).ok());
}

TEST(CborWriter, TextThatIsNotUtf8IsRepairedSoThatOurReaderTakesIt) {
    CborWriter out;
    out.text("a\xFF");
    EXPECT_EQ(to_hex(out.view()), "6461efbfbd");
}

TEST(CborWriterDeathTest, UnsortedKeysAndUnfilledContainersAreBugs) {
    EXPECT_DEATH(CborWriter().map(2).integer(2).null().integer(1).null(), "");
    EXPECT_DEATH(CborWriter().map(2).integer(1).null().integer(1).null(), "");
    EXPECT_DEATH(static_cast<void>(CborWriter().array(2).null().view()), "");
    EXPECT_DEATH(CborWriter().null().null(), "");
}

TEST(CborMapWriter, SortsByEncodedKey) {
    CborMapWriter map;
    map.field("b").uint(1);
    map.field(-1).uint(2);
    map.field(300).uint(3);
    map.field(10).uint(4);
    map.field("aa").uint(5);
    CborWriter out;
    map.write_to(out);
    EXPECT_EQ(to_hex(out.view()),
              "a50a0419012c0320026162016261"
              "6105");
}

struct Refusal {
    const char* why;
    std::string_view bytes;
    ErrorKind kind = ErrorKind::malformed;
};

TEST(CborReader, WhatIsRefusedAndWhy) {
    const Refusal cases[] = {
        {"nothing", ""},
        {"23 in two bytes", "1817"},
        {"255 in three bytes", "1900ff"},
        {"65535 in five bytes", "1a0000ffff"},
        {"4294967295 in nine bytes", "1b00000000ffffffff"},
        {"-1 in two bytes", "3800"},
        {"a long length of a byte string", "580100"},
        {"a long length of an array", "980100"},
        {"a long length of a map", "b8010000"},
        {"a long tag number", "d81700"},
        {"reserved length code 28", "1c"},
        {"an indefinite byte string", "5f4100ff"},
        {"an indefinite text string", "7f6161ff"},
        {"an indefinite array", "9f00ff"},
        {"an indefinite map", "bf0000ff"},
        {"a break by itself", "ff"},
        {"a key twice", "a200000000"},
        {"keys out of order", "a201000000"},
        {"a longer key before a shorter one", "a2190100000000"},
        {"keys out of order further down", "a100a201000000"},
        {"text that is not UTF-8", "61ff"},
        {"a surrogate in text", "63eda080"},
        {"a simple value in two bytes that fits one", "f818"},
        {"simple value 20 in two bytes", "f814"},
        {"a float, though it is the shortest", "f93c00"},
        {"a byte after the item", "0000"},
        {"an array cut short", "8200"},
        {"an array that claims 2^32 items", "9affffffff"},
        {"a map that claims 2^63 pairs", "bb8000000000000000"},
        {"a map that claims 2^64-1 pairs", "bbffffffffffffffff"},
        {"a byte string that claims 2^64-1 bytes", "5bffffffffffffffff"},
        {"a number cut short", "19ff"},
        {"a tag without content", "c1"},
        {"nested too deeply", "8181818181818181818181818181818181818100", ErrorKind::too_large},
    };
    for (const Refusal& c : cases) {
        const auto result = strict(c.bytes);
        ASSERT_FALSE(result.ok()) << c.why;
        EXPECT_EQ(result.error().kind(), c.kind) << c.why << ": " << result.error().to_string();
    }
}

TEST(CborReader, FloatsAreReadInTheirShortestFormWhereTheyAreAllowed) {
    const CborLimits floats{.allow_floats = true};
    for (const std::string_view good :
         {"f90000", "f98000", "f93c00", "f97bff", "f90001", "f90400", "f97c00", "f9fc00", "f97e00", "fa47c35000",
          "fa7f7fffff", "fb3ff199999999999a", "fb7e37e43c8800759c", "fa33000000"}) {
        EXPECT_TRUE(strict(good, floats).ok()) << good;
        const Bytes bytes = hex(good);
        CborReader reader(bytes, floats);
        CborWriter out;
        EXPECT_EQ(to_hex(out.floating(reader.floating().value()).view()), good);
    }
    for (const std::string_view bad :
         {"fa3f800000", "fb3ff0000000000000", "fa7f800000", "fb7ff0000000000000", "fa7fc00000", "fb7ff8000000000000",
          "f97e01", "f97c01", "fa00000000", "fb47efffffe0000000", "fa33800000"}) {
        EXPECT_FALSE(strict(bad, floats).ok()) << bad;
    }
}

TEST(CborReader, LimitsAreKept) {
    EXPECT_EQ(strict("83000000", {.max_bytes = 3}).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(strict("83000000", {.max_items = 3}).error().kind(), ErrorKind::too_large);
    EXPECT_EQ(strict("818100", {.max_depth = 1}).error().kind(), ErrorKind::too_large);
    EXPECT_TRUE(strict("83000000", {.max_bytes = 4, .max_depth = 1, .max_items = 4}).ok());
    EXPECT_EQ(strict("8180", {.max_depth = 1}).error().kind(), ErrorKind::too_large) << "an empty array is a level";
}

TEST(CborReader, WrongTypesAndRangesAreNamed) {
    const Bytes text = hex("6161");
    EXPECT_NE(CborReader(text).uint().error().message().find("expected unsigned integer, found text string"),
              std::string::npos);
    const Bytes big = hex("1b8000000000000000");
    EXPECT_EQ(CborReader(big).integer().error().kind(), ErrorKind::invalid);
    EXPECT_EQ(CborReader(big).uint().value(), 0x8000000000000000ULL);
    const Bytes low = hex("3b8000000000000000");
    EXPECT_EQ(CborReader(low).integer().error().kind(), ErrorKind::invalid);
}

TEST(CborReader, RawGivesTheBytesOfOneItem) {
    const Bytes bytes = hex("82a1018203040005");
    CborReader cut(bytes);
    ASSERT_TRUE(cut.array_of(2).ok());
    EXPECT_EQ(to_hex(cut.raw().value()), "a101820304");
    EXPECT_EQ(cut.uint().value(), 0U);
    EXPECT_FALSE(cut.finish().ok());
}

struct Order {
    std::uint64_t amount = 0;
    std::optional<std::string_view> note;
    std::int64_t shift = 0;
};

Result<Order> decode_order(ByteView bytes) {
    CborReader reader(bytes);
    Order order;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(order.amount, map.uint(1, "amount"));
    JZ_TRY(order.note, map.optional_text(2, "note"));
    JZ_TRY(order.shift, map.integer(-1, "shift"));
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return order;
}

TEST(CborMapReader, ReadsAMessageAsATable) {
    const Bytes full =
        hex("a301186402626869"
            "2003");
    const Order order = decode_order(full).value();
    EXPECT_EQ(order.amount, 100U);
    EXPECT_EQ(order.note, "hi");
    EXPECT_EQ(order.shift, 3);
    EXPECT_FALSE(decode_order(hex("a201186420"
                                  "03"))
                     .value()
                     .note.has_value());
}

TEST(CborMapReader, UnknownMissingAndWrongFieldsAreRefused) {
    struct Case {
        const char* why;
        std::string_view bytes;
        std::string_view param;
    };
    const Case cases[] = {
        {"unknown key first", "a3000001012003", ""},
        {"unknown key between",
         "a30101030020"
         "03",
         ""},
        {"unknown key last", "a3010120032100", ""},
        {"amount missing", "a12003", "amount"},
        {"shift missing", "a10101", "shift"},
        {"amount is text",
         "a2016161"
         "2003",
         "amount"},
        {"note is a number", "a3010102002003", "note"},
        {"a text key", "a361610001012003", ""},
        {"an array", "80", ""},
        {"bytes after the map", "a20101200300", ""},
    };
    for (const Case& c : cases) {
        const auto order = decode_order(hex(c.bytes));
        ASSERT_FALSE(order.ok()) << c.why;
        EXPECT_EQ(order.error().kind(), ErrorKind::malformed) << c.why;
        EXPECT_EQ(order.error().param(), c.param) << c.why << ": " << order.error().to_string();
    }
}

TEST(CborMapReaderDeathTest, AskingOutOfOrderIsABug) {
    const Bytes bytes = hex("a0");
    CborReader reader(bytes);
    auto map = CborMapReader::open(reader).value();
    EXPECT_TRUE(map.optional(2).ok());
    EXPECT_DEATH(ignore_error(map.optional(1), "aborts before it returns"), "");
}

}  // namespace
}  // namespace jiaozi::codec
