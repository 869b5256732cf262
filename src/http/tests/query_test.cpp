// Query strings and times, without a server.
#include <gtest/gtest.h>

#include <jiaozi/api/json.hpp>
#include <jiaozi/http/query.hpp>

namespace jiaozi::http {
namespace {

TEST(Query, ReadsAndRefuses) {
    auto query = Query::parse("limit=5&type=payment.%2A&name=a+b&flag=true&&empty=");
    ASSERT_TRUE(query.ok());
    EXPECT_EQ(query->page().limit, 5u);
    EXPECT_EQ(query->get("type"), "payment.*");
    EXPECT_EQ(query->get("name"), "a b");
    EXPECT_EQ(query->boolean("flag"), true);
    EXPECT_EQ(query->finish().error().param(), "empty");
    EXPECT_EQ(query->get("empty"), "");
    EXPECT_TRUE(query->finish().ok());
    for (const char* bad : {"a=%", "a=%2", "a=%2x", "a=%00", "a=%0a", "a=\x7f", "a=1&a=2"})
        EXPECT_FALSE(Query::parse(bad).ok()) << bad;
    std::string many;
    for (int i = 0; i < 33; ++i) many += "p" + std::to_string(i) + "=1&";
    EXPECT_FALSE(Query::parse(many).ok());
}

TEST(Rfc3339, RoundTripsAndRefuses) {
    for (const char* text : {"1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-21T20:19:22.123Z",
                             "2100-03-01T00:00:00.000Z"}) {
        const auto time = parse_rfc3339(text);
        ASSERT_TRUE(time.ok()) << text;
        EXPECT_EQ(api::rfc3339(*time), text);
    }
    EXPECT_EQ(*parse_rfc3339("2026-11-21T08:00:00+08:00"), *parse_rfc3339("2026-11-21T00:00:00Z"));
    EXPECT_EQ(*parse_rfc3339("2026-11-20T19:30:00-04:30"), *parse_rfc3339("2026-11-21T00:00:00Z"));
    EXPECT_EQ(parse_rfc3339("2026-11-21T00:00:00.000000001Z")->ns % 10, 1u);
    for (const char* bad :
         {"", "2026-11-21", "2026-11-21 00:00:00Z", "2026-11-21T00:00:00", "2026-13-01T00:00:00Z",
          "2026-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T00:60:00Z", "2026-11-21T00:00:60Z",
          "1969-12-31T23:59:59Z", "2026-11-21T00:00:00+8", "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00.0000000001Z",
          "9999-01-01T00:00:00Z", "2026-11-21T00:00:00Zx"}) {
        EXPECT_FALSE(parse_rfc3339(bad).ok()) << bad;
    }
}

}  // namespace
}  // namespace jiaozi::http
