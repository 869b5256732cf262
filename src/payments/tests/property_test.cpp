// Random lives against the naive model; and the book folded from the journal against the live one.
#include <cstdlib>
#include <iostream>
#include <latch>

#include <gtest/gtest.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/payments/book.hpp>

#include "life.hpp"

namespace jiaozi::payments::testing {
namespace {

// JIAOZI_SEED repeats a run.
std::uint64_t seed_of_run() {
    if (const char* given = std::getenv("JIAOZI_SEED")) return std::strtoull(given, nullptr, 10);
    return std::random_device{}();
}

void expect_equal(const Payment& a, const Payment& b) {
    SCOPED_TRACE(a.id.to_string());
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.reason, b.reason);
    EXPECT_EQ(a.first_state, b.first_state);
    EXPECT_EQ(a.amount, b.amount);
    EXPECT_EQ(a.captured_minor, b.captured_minor);
    EXPECT_EQ(a.refunded_minor, b.refunded_minor);
    EXPECT_EQ(a.payer_wallet, b.payer_wallet);
    EXPECT_EQ(a.payer_member, b.payer_member);
    EXPECT_EQ(a.payee_wallet, b.payee_wallet);
    EXPECT_EQ(a.delivered, b.delivered);
    EXPECT_EQ(a.late_delivery, b.late_delivery);
    EXPECT_EQ(a.request_hash, b.request_hash);
    EXPECT_EQ(a.sequence, b.sequence);
    EXPECT_EQ(a.created, b.created);
    EXPECT_EQ(a.updated, b.updated);
    EXPECT_EQ(a.expires, b.expires);
}

// Every payment as the journal alone has it.
std::map<PaymentId, Payment> folded(const engine::Engine& engine_in, engine::Engine& engine) {
    PaymentBook book({.load = [](PaymentId) { return std::optional<Payment>(); },
                      .payment_of_hold =
                          [&](uint128 hold) {
                              const auto t = engine_in.transfer(hold).value();
                              return t && t->code == api::transfer_payment ? PaymentId(t->user_data_128) : PaymentId();
                          }});
    const std::uint64_t last = engine.last_sequence();
    std::latch read(1);
    bool done = false;
    const auto feed = engine.subscribe(0, [&](std::span<const engine::Committed> batch) {
        for (const auto& committed : batch) EXPECT_TRUE(book.apply(committed, nullptr).ok());
        if (batch.back().sequence >= last && !std::exchange(done, true)) read.count_down();
    });
    read.wait();
    std::map<PaymentId, Payment> payments;
    book.for_each([&](const Payment& p) { payments[p.id] = p; });
    return payments;
}

class RandomLife : public ::testing::TestWithParam<int> {};

TEST_P(RandomLife, GoesAsTheModelSays) {
    const std::uint64_t seed = seed_of_run() + static_cast<std::uint64_t>(GetParam());
    std::cout << "JIAOZI_SEED=" << seed << '\n';
    SCOPED_TRACE("seed " + std::to_string(seed));
    World w;
    Life life(w, seed, {});
    for (int step = 0; step < 400 && !::testing::Test::HasFailure(); ++step) {
        SCOPED_TRACE("step " + std::to_string(step));
        life.step();
    }
    life.check();
    const auto from_journal = folded(*w.engine, *w.engine);
    EXPECT_EQ(from_journal.size(), life.requests().size());
    for (const auto& [id, payment] : from_journal) expect_equal(payment, w.find(id));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLife, ::testing::Range(0, 6));

}  // namespace
}  // namespace jiaozi::payments::testing
