// The projection of the journal: payments, refunds, sequences.
#include <algorithm>
#include <random>
#include <set>

#include <jiaozi/registry/payment_totals.hpp>

#include "suite.hpp"

namespace jiaozi::registry {
namespace {

TEST_F(Registry, payments_come_back) {
    Payment bare;  // everything none and never
    bare.id = PaymentId(2);
    bare.created = at(2);
    ASSERT_OK(upsert_many(db(), std::vector{payment(1), bare}));
    EXPECT_EQ(show(must(get_payment(db(), PaymentId(1)))), show(payment(1)));
    EXPECT_EQ(show(must(get_payment(db(), PaymentId(2)))), show(bare));
    EXPECT_EQ(refusal(get_payment(db(), PaymentId(3))), "not_found/payment_not_found/");
    ASSERT_OK(upsert_many(db(), {}));
}

// What a payment service begins with.
TEST_F(Registry, open_payments_and_ids_after_a_moment) {
    std::vector<Payment> stored;
    for (std::uint64_t n = 1; n <= 6; ++n) {
        stored.push_back(payment(n));
        stored.back().state = n % 3 == 0 ? PaymentState::authorized : PaymentState::captured;
        stored.back().created = at(10 + n);
    }
    ASSERT_OK(upsert_many(db(), stored));
    std::set<PaymentId> open;
    for (const Payment& one : must(open_payments(db()))) {
        EXPECT_EQ(show(one), show(stored[low64(one.id.value) - 1]));
        open.insert(one.id);
    }
    EXPECT_EQ(open, (std::set{PaymentId(3), PaymentId(6)}));
    const auto after = [&](Timestamp moment) {
        std::vector<PaymentId> ids;
        EXPECT_TRUE(each_payment_id(db(), moment, [&](PaymentId id) { ids.push_back(id); }).ok());
        return ids;
    };
    EXPECT_EQ(after(at(14)), (std::vector{PaymentId(5), PaymentId(6)}));
    EXPECT_EQ(after(Timestamp{}).size(), 6U);
    EXPECT_TRUE(after(at(16)).empty());
    stored[2].state = PaymentState::voided;
    stored[2].sequence += 1;
    ASSERT_OK(upsert_many(db(), stored));
    EXPECT_EQ(must(open_payments(db())).size(), 1U) << "the index follows";
}

TEST_F(Registry, every_field_of_a_payment_follows_its_newest_sequence) {
    Payment later;
    later.id = PaymentId(1);
    later.sequence = 2;
    later.created = at(1);
    ASSERT_OK(upsert_many(db(), std::vector{payment(1, 1)}));
    ASSERT_OK(upsert_many(db(), std::vector{later}));
    EXPECT_EQ(show(must(get_payment(db(), PaymentId(1)))), show(later));
    ASSERT_OK(upsert_many(db(), std::vector{payment(1, 3)}));
    EXPECT_EQ(show(must(get_payment(db(), PaymentId(1)))), show(payment(1, 3)));
}

TEST_F(Registry, an_older_sequence_never_wins) {
    struct Row {
        std::string what;
        std::vector<std::uint64_t> sequences;  // written in this order, each batch in brackets of `cut`
        std::size_t cut;
        std::uint64_t expected;
    };
    const Row rows[] = {
        {"in order, one by one", {1, 2, 3}, 1, 3},           {"backwards, one by one", {3, 2, 1}, 1, 3},
        {"backwards in one batch", {3, 2, 1}, 3, 3},         {"mixed in one batch", {2, 9, 4}, 3, 9},
        {"a replay of the whole", {1, 2, 3, 1, 2, 3}, 3, 3},
    };
    std::uint64_t n = 100;
    for (const Row& row : rows) {
        ++n;
        for (std::size_t i = 0; i < row.sequences.size(); i += row.cut) {
            std::vector<Payment> batch;
            for (std::size_t j = i; j < i + row.cut; ++j) {
                batch.push_back(payment(n, row.sequences[j]));
                batch.back().slot = static_cast<std::uint32_t>(row.sequences[j]);
            }
            ASSERT_OK(upsert_many(db(), batch));
        }
        const Payment stored = must(get_payment(db(), PaymentId(n)));
        EXPECT_EQ(stored.sequence, row.expected) << row.what;
        EXPECT_EQ(stored.slot, row.expected) << row.what;
    }
    // Of two with one sequence the later counts.
    Payment same = payment(n, 3);
    same.slot = 99;
    ASSERT_OK(upsert_many(db(), std::vector{payment(n, 3), same}));
    EXPECT_EQ(must(get_payment(db(), PaymentId(n))).slot, 99U);
}

TEST_F(Registry, any_replay_ends_in_the_same_rows) {
    const std::uint32_t seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Payment> history;
    std::vector<std::uint64_t> newest(200, 0);
    for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence) {
        const std::uint64_t n = random() % newest.size();
        history.push_back(payment(n + 1, sequence));
        history.back().slot = static_cast<std::uint32_t>(sequence);
        newest[n] = sequence;
    }
    for (int replay = 0; replay < 5; ++replay) {
        const std::size_t from = replay == 0 ? 0 : random() % history.size();
        const std::size_t step = 1 + random() % 150;
        for (std::size_t i = from; i < history.size(); i += step) {
            const std::span<const Payment> batch(history.begin() + static_cast<std::ptrdiff_t>(i),
                                                 std::min(step, history.size() - i));
            ASSERT_OK(upsert_many(db(), batch));
        }
    }
    for (std::size_t n = 0; n < newest.size(); ++n) {
        if (newest[n] == 0) continue;
        EXPECT_EQ(must(get_payment(db(), PaymentId(n + 1))).slot, newest[n]);
    }
}

TEST_F(Registry, payments_by_whatever_is_asked) {
    ASSERT_OK(insert(db(), group(1)));
    ASSERT_OK(insert(db(), wallet_of(GroupId(1), 500)));
    ASSERT_OK(insert(db(), wallet_of(GroupId(1), 501)));
    std::vector<Payment> all;
    for (std::uint64_t n = 1; n <= 6; ++n) {
        Payment made = payment(n);
        made.device = DeviceId(n % 2 == 0 ? 2 : 1);
        made.payer_device = DeviceId(n == 4 ? 44 : 0);
        made.payer_wallet = WalletId(n <= 2 ? 500 : 600);
        made.payee_wallet = WalletId(n == 6 ? 501 : 700);
        made.payer_member = MemberId(n == 3 ? 33 : 30);
        made.kind = n == 5 ? PaymentKind::qr : PaymentKind::machine;
        made.state = n == 1 ? PaymentState::voided : PaymentState::captured;
        all.push_back(made);
    }
    ASSERT_OK(upsert_many(db(), all));
    struct Row {
        std::string what;
        PaymentFilter filter;
        std::string expected;
    };
    const auto filter = [](auto set) {
        PaymentFilter made;
        set(made);
        return made;
    };
    const Row rows[] = {
        {"all", {}, "6 5 4 3 2 1"},
        {"device", filter([](auto& f) { f.device = DeviceId(2); }), "6 4 2"},
        {"paying device", filter([](auto& f) { f.payer_device = DeviceId(44); }), "4"},
        {"payer", filter([](auto& f) { f.payer_wallet = WalletId(500); }), "2 1"},
        {"payee", filter([](auto& f) { f.payee_wallet = WalletId(501); }), "6"},
        {"either side", filter([](auto& f) { f.wallet = WalletId(501); }), "6"},
        {"either side, as payer", filter([](auto& f) { f.wallet = WalletId(500); }), "2 1"},
        {"group", filter([](auto& f) { f.group = GroupId(1); }), "6 2 1"},
        {"another group", filter([](auto& f) { f.group = GroupId(2); }), ""},
        {"member", filter([](auto& f) { f.payer_member = MemberId(33); }), "3"},
        {"kind", filter([](auto& f) { f.kind = PaymentKind::qr; }), "5"},
        {"state", filter([](auto& f) { f.state = PaymentState::voided; }), "1"},
        {"from", filter([](auto& f) { f.created_from = at(5); }), "6 5"},
        {"before", filter([](auto& f) { f.created_to = at(3); }), "2 1"},
        {"group, device and time", filter([](auto& f) {
             f.group = GroupId(1);
             f.device = DeviceId(2);
             f.created_to = at(6);
         }),
         "2"},
    };
    for (const Row& row : rows) EXPECT_EQ(page_text(list_payments(db(), row.filter, {})), row.expected) << row.what;
    const PaymentFilter device_one = filter([](auto& f) { f.device = DeviceId(1); });
    EXPECT_EQ(page_text(list_payments(db(), device_one, {.limit = 2, .starting_after = {}, .ending_before = {}})),
              "5 3 +");
    EXPECT_EQ(page_text(list_payments(db(), device_one,
                                      {.limit = 2, .starting_after = PaymentId(3).to_string(), .ending_before = {}})),
              "1");
    EXPECT_EQ(page_text(list_payments(db(), device_one,
                                      {.limit = 1, .starting_after = {}, .ending_before = PaymentId(1).to_string()})),
              "3 +");
}

TEST_F(Registry, totals_of_the_day_by_state_and_asset) {
    struct Row {
        PaymentState state;
        Asset asset;
        std::uint64_t amount, captured, refunded;
        std::uint64_t created;  // seconds; the day asked for begins at 100
    };
    const Row rows[] = {
        {PaymentState::captured, assets::CNY, 350, 350, 0, 100},
        {PaymentState::captured, assets::CNY, 1'000'000'000'000'000'000, 999'999'999'999'999'999, 7, 101},
        {PaymentState::captured, assets::USD, 500, 250, 250, 102},
        {PaymentState::voided, assets::CNY, 400, 0, 0, 103},
        {PaymentState::captured, assets::CNY, 90, 90, 0, 99},  // yesterday's
    };
    std::vector<Payment> payments;
    for (const Row& row : rows) {
        Payment made = payment(10 * (payments.size() + 1));
        made.state = row.state;
        made.amount = Amount(row.amount, row.asset);
        made.captured_minor = row.captured;
        made.refunded_minor = row.refunded;
        made.created = at(row.created);
        payments.push_back(made);
    }
    ASSERT_OK(upsert_many(db(), payments));

    std::set<std::string> totals;
    for (const PaymentTotal& total : must(payment_totals(db(), at(100)))) {
        totals.insert(std::string(name_of(total.state)) + " " + std::string(total.asset.name()) + " x" +
                      std::to_string(total.count) + ": " + to_decimal(total.amount_minor) + ", " +
                      to_decimal(total.captured_minor) + ", " + to_decimal(total.refunded_minor));
    }
    EXPECT_EQ(totals, (std::set<std::string>{
                          "captured CNY x2: 1000000000000000350, 1000000000000000349, 7",
                          "captured USD x1: 500, 250, 250",
                          "voided CNY x1: 400, 0, 0",
                      }));
    EXPECT_TRUE(must(payment_totals(db(), at(104))).empty());
}

TEST_F(Registry, refunds_are_written_once) {
    const Refund first{
        .id = RefundId(1), .payment = PaymentId(1), .amount = Amount(100, assets::CNY), .created = at(1)};
    const Refund second{
        .id = RefundId(2), .payment = PaymentId(1), .amount = Amount(50, assets::CNY), .created = at(2)};
    const Refund other{.id = RefundId(3), .payment = PaymentId(2), .amount = Amount(50, assets::JPY), .created = at(3)};
    ASSERT_OK(insert_many(db(), std::vector{first, second, other}));
    Refund changed = first;
    changed.amount = Amount(1, assets::CNY);
    ASSERT_OK(insert_many(db(), std::vector{changed}));
    EXPECT_EQ(show(must(get_refund(db(), RefundId(1)))), show(first));
    EXPECT_EQ(page_text(list_refunds(db(), {.payment = PaymentId(1)}, {})), "2 1");
    EXPECT_EQ(page_text(list_refunds(db(), {}, {})), "3 2 1");
    EXPECT_EQ(refusal(get_refund(db(), RefundId(9))), "not_found/refund_not_found/");
    changed.payment = {};
    EXPECT_EQ(refusal(insert_many(db(), std::vector{changed})), "invalid/invalid/payment");
}

TEST_F(Registry, projections_know_how_far_they_are) {
    EXPECT_EQ(must(projection_sequence(db(), "payments")), 0U);
    ASSERT_OK(set_projection_sequence(db(), "payments", 17));
    ASSERT_OK(set_projection_sequence(db(), "webhooks", 9));
    ASSERT_OK(set_projection_sequence(db(), "payments", 18));
    EXPECT_EQ(must(projection_sequence(db(), "payments")), 18U);
    EXPECT_EQ(must(projection_sequence(db(), "webhooks")), 9U);
    EXPECT_EQ(refusal(set_projection_sequence(db(), "", 1)), "invalid/invalid/name");

    ASSERT_OK(upsert_many(db(), std::vector{payment(1)}));
    ASSERT_OK(append_many(db(), std::vector{event(1)}));
    ASSERT_OK(clear_projection(db()));
    EXPECT_EQ(must(projection_sequence(db(), "payments")), 0U);
    EXPECT_EQ(page_text(list_payments(db(), {}, {})), "");
    EXPECT_EQ(page_text(list_events(db(), {}, {})), "1");
}

TEST_F(Registry, a_projection_session_writes_rows_and_sequence_together) {
    auto projection = store->session(Durability::projection);
    ASSERT_OK(projection);
    Session& writer = **projection;
    const auto step = [&](std::uint64_t sequence, bool fails) {
        return writer.in_transaction([&]() -> Result<> {
            JZ_CHECK(upsert_many(writer, std::vector{payment(sequence, sequence)}));
            JZ_CHECK(append_many(writer, std::vector{event(sequence)}));
            JZ_CHECK(set_projection_sequence(writer, "payments", sequence));
            if (fails) return Error(ErrorKind::internal, "stop");
            return {};
        });
    };
    ASSERT_OK(step(1, false));
    EXPECT_EQ(refusal(step(2, true)), "internal/internal/");
    EXPECT_EQ(must(projection_sequence(db(), "payments")), 1U);
    EXPECT_EQ(page_text(list_payments(db(), {}, {})), "1");
    EXPECT_EQ(page_text(list_events(db(), {}, {})), "1");
}

}  // namespace
}  // namespace jiaozi::registry
