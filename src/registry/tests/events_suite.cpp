#include "suite.hpp"

namespace jiaozi::registry {
namespace {

TEST_F(Registry, events_keep_their_order) {
    ASSERT_OK(append_many(db(), std::vector{event(3), event(1), event(2)}));
    const auto stored = must(events_after(db(), 0, 1000));
    EXPECT_EQ(numbers(stored), (std::vector<std::uint64_t>{3, 1, 2}));
    ASSERT_EQ(stored.size(), 3U);
    EXPECT_LT(stored[0].position, stored[1].position);
    EXPECT_LT(stored[1].position, stored[2].position);
    Event expected = event(1);
    expected.position = stored[1].position;
    EXPECT_EQ(show(stored[1]), show(expected));
    EXPECT_EQ(show(must(get_event(db(), EventId(1)))), show(expected));
    EXPECT_EQ(must(newest_event_position(db())), stored[2].position);
    EXPECT_EQ(numbers(must(events_after(db(), stored[0].position, 1))), (std::vector<std::uint64_t>{1}));
    EXPECT_TRUE(must(events_after(db(), stored[2].position, 10)).empty());
    EXPECT_TRUE(must(events_after(db(), ~0ULL, 10)).empty());
    EXPECT_EQ(refusal(events_after(db(), 0, 0)), "invalid/invalid/limit");
    EXPECT_EQ(refusal(events_after(db(), 0, 1001)), "invalid/invalid/limit");
    EXPECT_EQ(refusal(get_event(db(), EventId(9))), "not_found/event_not_found/");
}

TEST_F(Registry, an_event_is_appended_once) {
    EXPECT_EQ(must(newest_event_position(db())), 0U);
    ASSERT_OK(append_many(db(), {}));
    std::vector<Event> events;
    for (std::uint64_t n = 1; n <= 100; ++n) events.push_back(event(n));
    ASSERT_OK(append_many(db(), events));
    const std::uint64_t before = must(newest_event_position(db()));
    const std::uint64_t first = must(get_event(db(), EventId(1))).position;
    for (Event& again : events) again.data = "changed";
    events.push_back(event(101));
    events.push_back(event(101));
    ASSERT_OK(append_many(db(), events));
    EXPECT_EQ(must(get_event(db(), EventId(1))).position, first);
    EXPECT_EQ(must(get_event(db(), EventId(1))).data, event(1).data);
    EXPECT_GT(must(get_event(db(), EventId(101))).position, before);
    EXPECT_EQ(must(events_after(db(), 0, 1000)).size(), 101U);
}

TEST_F(Registry, events_by_type_family_and_object) {
    ASSERT_OK(append_many(
        db(), std::vector{event(5, "payment.captured"), event(4, "payment.voided"), event(3, "device.suspended"),
                          event(2, "payments.other"), event(1, "payment.captured")}));
    EXPECT_EQ(page_text(list_events(db(), {}, {})), "1 2 3 4 5");
    EXPECT_EQ(page_text(list_events(db(), {.type = "payment.captured", .object_id = {}}, {})), "1 5");
    EXPECT_EQ(page_text(list_events(db(), {.type = "payment.*", .object_id = {}}, {})), "1 4 5");
    EXPECT_EQ(page_text(list_events(db(), {.type = "*", .object_id = {}}, {})), "");
    EXPECT_EQ(page_text(list_events(db(), {.type = {}, .object_id = PaymentId(3).to_string()}, {})), "3");
    EXPECT_EQ(page_text(list_events(db(), {.type = std::string(101, 'x'), .object_id = {}}, {})),
              "invalid/invalid/type");
    // Pages follow positions, not ids or times.
    EXPECT_EQ(
        page_text(list_events(db(), {}, {.limit = 2, .starting_after = EventId(2).to_string(), .ending_before = {}})),
        "3 4 +");
    EXPECT_EQ(
        page_text(list_events(db(), {}, {.limit = 2, .starting_after = {}, .ending_before = EventId(4).to_string()})),
        "2 3 +");
    EXPECT_EQ(page_text(list_events(db(), {}, {.starting_after = "evt_none", .ending_before = {}})),
              "invalid/invalid/starting_after");
}

TEST_F(Registry, an_event_that_is_too_large_stops_its_batch) {
    Event large = event(2);
    large.data = std::string(65'537, 'x');
    EXPECT_EQ(refusal(append_many(db(), std::vector{event(1), large})), "invalid/invalid/data");
    EXPECT_EQ(must(newest_event_position(db())), 0U);
    large.data.pop_back();
    ASSERT_OK(append_many(db(), std::vector{event(1), large}));
    EXPECT_EQ(must(get_event(db(), EventId(2))).data, large.data);
}

}  // namespace
}  // namespace jiaozi::registry
