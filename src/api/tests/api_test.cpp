#include <gtest/gtest.h>

#include <jiaozi/api/json.hpp>
#include <jiaozi/api/text.hpp>

namespace jiaozi::api {
namespace {

TEST(Rfc3339, AgreesWithKnownMoments) {
    struct Row {
        std::uint64_t ms;
        const char* text;
    };
    for (const Row& row : {Row{0, "1970-01-01T00:00:00.000Z"},
                           {951'782'400'000, "2000-02-29T00:00:00.000Z"},
                           {1'000'000'000'007, "2001-09-09T01:46:40.007Z"},
                           {1'795'291'199'999, "2026-11-21T19:59:59.999Z"},
                           {4'102'444'800'000, "2100-01-01T00:00:00.000Z"},
                           {18'446'744'073'709, "2554-07-21T23:34:33.709Z"}}) {
        EXPECT_EQ(rfc3339(Timestamp{row.ms * 1'000'000}), row.text) << row.ms;
    }
}

TEST(Json, ShowsARecordWithTextIdsDecimalAmountsAndNulls) {
    Limit limit{.id = LimitId(1),
                .member = MemberId(2),
                .kind = LimitKind::per_category,
                .category = "dri\"nks\n",
                .amount = Amount(350, assets::CNY),
                .window_days = 7,
                .created = timestamp_s(1)};
    EXPECT_EQ(
        json_of(limit),
        "{\"object\":\"limit\",\"id\":\"lim_00000000000000000000000001\",\"member\":\"mem_00000000000000000000000002\","
        "\"kind\":\"per_category\",\"category\":\"dri\\\"nks\\u000a\",\"amount\":\"350\",\"asset\":\"CNY\","
        "\"window_days\":7,\"created\":\"1970-01-01T00:00:01.000Z\"}");
    Member person_member;
    person_member.person = PersonId(1);
    const std::string member = json_of(person_member);
    EXPECT_NE(member.find("\"device\":null"), std::string::npos) << member;
    EXPECT_NE(member.find("\"created\":null"), std::string::npos) << member;
}

TEST(Json, NeverShowsTheHashOfAnEnrolmentCode) {
    Device device;
    device.enrolment_code_hash = Bytes(32, 0xAB);
    EXPECT_EQ(json_of(device).find("abab"), std::string::npos);
}

TEST(Names, AreShortVisibleText) {
    for (const char* good : {"A", "Wang family", "王家", "Café №1", "🚗", "O'Neil & sons <3"}) {
        EXPECT_TRUE(check_name(good, "name").ok()) << good;
    }
    struct Row {
        std::string text;
        const char* why;
    };
    const std::vector<Row> refused = {
        {"", "must not be empty"},
        {std::string(201, 'x'), "at most 200 bytes"},
        {" a", "begin or end"},
        {"a ", "begin or end"},
        {"a\nb", "control characters"},
        {std::string("a\0b", 3), "control characters"},
        {"a\x7f", "control characters"},
        {"a\xC2\x85", "control characters"},
        {"pay \xE2\x80\xAEgnaw", "control characters"},
        {"\xEF\xBB\xBFname", "control characters"},
        {"a\xFF", "UTF-8"},
        {"\xC0\xAF", "UTF-8"},
        {"\xED\xA0\x80", "UTF-8"},
        {"\xF4\x90\x80\x80", "UTF-8"},
        {"\xE4\xBD", "UTF-8"},
    };
    for (const Row& row : refused) {
        const auto result = check_name(row.text, "name");
        ASSERT_FALSE(result.ok()) << row.text;
        EXPECT_NE(result.error().message().find(row.why), std::string::npos) << result.error().message();
        EXPECT_EQ(result.error().param(), "name");
    }
}

}  // namespace
}  // namespace jiaozi::api
