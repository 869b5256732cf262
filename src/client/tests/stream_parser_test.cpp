#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/client/http_client.hpp>

namespace jiaozi::client {
namespace {

std::vector<StreamEvent> parse(std::string_view text, std::size_t piece) {
    StreamParser parser;
    std::vector<StreamEvent> events;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        EXPECT_TRUE(parser.feed(text.substr(at, piece), [&](const StreamEvent& event) {
            events.push_back(event);
            return true;
        }));
    }
    return events;
}

TEST(EventStream, IsReadTheSameInPiecesOfAnySizeAndWithAnyLineEnd) {
    const std::string lines[] = {
        ": keep-alive", "", "id: 7", "event: payment.captured", "data: {\"a\":1}", "data: more", "", "data:x", "",
        "event: empty", ""};
    for (const char* end : {"\n", "\r\n", "\r"}) {
        std::string text;
        for (const std::string& line : lines) text += line + end;
        for (std::size_t piece = 1; piece <= text.size(); ++piece) {
            const auto events = parse(text, piece);
            ASSERT_EQ(events.size(), 2U) << piece;
            EXPECT_EQ(events[0].id, "7");
            EXPECT_EQ(events[0].type, "payment.captured");
            EXPECT_EQ(events[0].data, "{\"a\":1}\nmore");
            EXPECT_EQ(events[1].type, "");
            EXPECT_EQ(events[1].id, "7");  // the last id stays until another is given
            EXPECT_EQ(events[1].data, "x");
        }
    }
}

TEST(EventStream, AnEventWithoutAnEndIsNotCollectedForEver) {
    StreamParser parser;
    const std::string line(4096, 'x');
    bool fed = true;
    for (int i = 0; fed && i < 1000; ++i) fed = parser.feed(line, [](const StreamEvent&) { return true; });
    EXPECT_FALSE(fed);
}

TEST(HttpClient, SaysWhatToDoWhenNothingAnswers) {
    auto client = HttpClient::create({.base_url = "http://127.0.0.1:1", .key = "", .timeout = seconds(2)});
    ASSERT_TRUE(client.ok());
    const auto answer = client->send(
        {.method = "GET", .path = "/healthz", .body = "", .content_type = "", .idempotency_key = "", .headers = {}});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().kind(), ErrorKind::unavailable);
    EXPECT_NE(answer.error().message().find("jiaozi serve"), std::string::npos);
    EXPECT_FALSE(HttpClient::create({.base_url = "ftp://x", .key = "", .timeout = seconds(1)}).ok());
}

}  // namespace
}  // namespace jiaozi::client
