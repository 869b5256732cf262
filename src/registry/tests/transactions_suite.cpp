// Transactions, and several sessions at once.
#include <atomic>
#include <stdexcept>
#include <thread>

#include "suite.hpp"

namespace jiaozi::registry {
namespace {

TEST_F(Registry, a_transaction_is_all_or_nothing) {
    const auto outcome = db().in_transaction([&]() -> Result<> {
        JZ_CHECK(insert(db(), person(1)));
        EXPECT_TRUE(get_person(db(), PersonId(1)).ok());
        JZ_CHECK(insert(db(), person(2)));
        return Error(ErrorKind::declined, "second thoughts");
    });
    EXPECT_EQ(refusal(outcome), "declined/declined/");
    EXPECT_EQ(page_text(list_people(db(), {})), "");
    ASSERT_OK(db().in_transaction([&]() -> Result<> {
        JZ_CHECK(insert(db(), person(1)));
        return insert(db(), person(2));
    }));
    EXPECT_EQ(page_text(list_people(db(), {})), "2 1");
}

TEST_F(Registry, a_failure_that_is_dropped_inside_still_rolls_back) {
    ASSERT_OK(insert(db(), person(1)));
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> {
                  JZ_CHECK(insert(db(), person(2)));
                  ignore_error(insert(db(), person(1)), "the point of this test");
                  return {};
              })),
              "conflict/already_exists/id");
    EXPECT_EQ(page_text(list_people(db(), {})), "1");
    ASSERT_OK(insert(db(), person(2)));
}

TEST_F(Registry, nested_transactions_join_the_outer) {
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> {
                  JZ_CHECK(db().in_transaction([&] { return insert(db(), person(1)); }));
                  return Error(ErrorKind::declined, "no");
              })),
              "declined/declined/");
    EXPECT_EQ(page_text(list_people(db(), {})), "");
}

TEST_F(Registry, an_exception_of_the_caller_rolls_back) {
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> {
                  JZ_CHECK(insert(db(), person(1)));
                  throw std::runtime_error("a bug of the caller");
              })),
              "internal/internal/");
    EXPECT_EQ(page_text(list_people(db(), {})), "");
    ASSERT_OK(insert(db(), person(1)));
}

// Read, add one, write, from several threads: none is lost, because transactions are serialisable.
TEST_F(Registry, concurrent_transactions_do_not_lose_updates) {
    constexpr std::uint64_t threads = 3;
    constexpr std::uint64_t rounds = 40;
    std::atomic<std::uint64_t> committed = 0;
    std::vector<std::thread> workers;
    for (std::uint64_t t = 0; t < threads; ++t) {
        workers.emplace_back([&] {
            auto own = store->session();
            ASSERT_OK(own);
            for (std::uint64_t i = 0; i < rounds; ++i) {
                const auto outcome = (*own)->in_transaction([&]() -> Result<> {
                    JZ_TRY(const std::uint64_t value, projection_sequence(**own, "counter"));
                    return set_projection_sequence(**own, "counter", value + 1);
                });
                if (outcome.ok()) {
                    ++committed;
                } else {
                    EXPECT_EQ(outcome.error().kind(), ErrorKind::unavailable) << outcome.error().to_string();
                }
            }
        });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(must(projection_sequence(db(), "counter")), committed.load());
    EXPECT_GT(committed.load(), rounds);
}

TEST_F(Registry, events_of_several_writers_never_appear_behind_a_reader) {
    constexpr std::uint64_t writers = 2;
    constexpr std::uint64_t rounds = 50;
    constexpr std::uint64_t batch = 7;
    std::atomic<std::uint64_t> working = writers;
    std::vector<std::thread> workers;
    for (std::uint64_t w = 0; w < writers; ++w) {
        workers.emplace_back([&, w] {
            auto own = store->session();
            ASSERT_OK(own);
            for (std::uint64_t i = 0; i < rounds; ++i) {
                std::vector<Event> events;
                for (std::uint64_t k = 0; k < batch; ++k) events.push_back(event(1 + (w * rounds + i) * batch + k));
                ASSERT_OK(append_many(**own, events));
            }
            --working;
        });
    }
    std::uint64_t seen = 0;
    std::uint64_t count = 0;
    for (bool last = false; !last;) {
        last = working == 0;
        const auto fresh = must(events_after(db(), seen, 1000));
        count += fresh.size();
        if (!fresh.empty()) seen = fresh.back().position;
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(count, writers * rounds * batch);
}

TEST_F(Registry, sessions_are_lent) {
    const Session* first = nullptr;
    {
        auto lease = store->borrow();
        ASSERT_OK(lease);
        first = &**lease;
        ASSERT_OK(insert(**lease, person(1)));
        auto second = store->borrow();
        ASSERT_OK(second);
        EXPECT_NE(&**second, first);
    }
    auto again = store->borrow();
    ASSERT_OK(again);
    EXPECT_TRUE(get_person(**again, PersonId(1)).ok());
}

}  // namespace
}  // namespace jiaozi::registry
