// The projection in a real SQLite store: follows the journal, goes on where it was, and comes out the same when
// rebuilt.
#include <iostream>

#include <gtest/gtest.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/payments/annotation.hpp>
#include <jiaozi/payments/json.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/registry.hpp>

#include "life.hpp"

namespace jiaozi::payments::testing {
namespace {

using enum PaymentState;

struct Signal final : api::EventSignal {
    std::atomic<std::uint64_t> position{0};
    void stored_up_to(std::uint64_t p) override { position = p; }
};

class Projection : public ::testing::Test {
  protected:
    void SetUp() override {
        auto opened = registry::Store::open(
            {.url = "sqlite:" + (w.directory.path() / "registry.db").string(), .seal = {}, .open = {}});
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        store = std::move(*opened);
        session = *store->session();
    }
    void start() {
        auto started = Projector::start(*w.engine, *store, &signal, {.gather = milliseconds(1)});
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        projector = std::move(*started);
    }
    void catch_up() { ASSERT_TRUE(projector->wait_for(w.engine->last_sequence(), seconds(20))); }

    std::vector<Payment> rows() {
        std::vector<Payment> all;
        registry::Page page{.limit = 100, .starting_after = {}, .ending_before = {}};
        for (;;) {
            auto listed = registry::list_payments(*session, {}, page);
            EXPECT_TRUE(listed.ok());
            all.insert(all.end(), listed->data.begin(), listed->data.end());
            if (!listed->has_more) return all;
            page.starting_after = all.back().id.to_string();
        }
    }
    std::vector<Event> events() {
        std::vector<Event> all;
        for (;;) {
            auto more = registry::events_after(*session, all.empty() ? 0 : all.back().position, 1'000);
            EXPECT_TRUE(more.ok());
            if (more->empty()) return all;
            all.insert(all.end(), more->begin(), more->end());
        }
    }
    std::vector<std::string> events_of(PaymentId id) {
        std::vector<std::string> types;
        for (const Event& event : events()) {
            if (event.object_id == id.to_string()) types.push_back(event.type);
        }
        return types;
    }

    World w;
    Signal signal;
    std::unique_ptr<registry::Store> store;
    std::unique_ptr<registry::Session> session;
    std::unique_ptr<Projector> projector;
};

using Types = std::vector<std::string>;

TEST_F(Projection, OneEventForEachChange) {
    start();
    const Payment sold = w.created(w.buy());
    ASSERT_TRUE(w.report(sold.id, DeliveryResult::delivered, 1).ok());
    ASSERT_TRUE(w.refund(RefundId(9), sold.id, World::cny(50)).ok());
    const Payment silent = w.created(w.buy());
    w.let_expire(silent.id);
    ASSERT_TRUE(w.report(silent.id, DeliveryResult::delivered, 1).ok());
    const Payment refused = w.created(w.buy(9));
    const Payment friendly = w.created(w.pay_ben(7));
    catch_up();
    EXPECT_EQ(events_of(sold.id), (Types{"payment.authorized", "payment.captured", "payment.refunded"}));
    EXPECT_EQ(events_of(silent.id), (Types{"payment.authorized", "payment.voided", "payment.late_delivery"}));
    EXPECT_EQ(events_of(refused.id), Types{"payment.declined"});
    EXPECT_EQ(events_of(friendly.id), Types{"payment.captured"});
    EXPECT_EQ(signal.position, events().back().position);
    EXPECT_EQ(projector->lag(), 0U);
    for (const Event& event : events()) {
        if (event.type == "payment.captured" && event.object_id == friendly.id.to_string()) {
            EXPECT_EQ(event.data, payment_json(friendly));
        }
    }
    const auto refund = registry::get_refund(*session, RefundId(9));
    ASSERT_TRUE(refund.ok());
    EXPECT_EQ(refund->payment, sold.id);
    EXPECT_EQ(refund->amount, World::cny(50));
}

TEST_F(Projection, DepositsAreEvents) {
    start();
    engine::Command command;
    command.transfers.push_back({.id = 77,
                                 .debit_account_id = api::system_account(api::code_funding, assets::CNY.ledger),
                                 .credit_account_id = World::friend_cny.value,
                                 .amount = 5'000,
                                 .ledger = assets::CNY.ledger,
                                 .code = api::transfer_deposit});
    command.annotation = encode(DepositFact{DepositId(77), World::friend_cny, World::cny(5'000)});
    engine::Command again = command;
    ASSERT_TRUE(w.engine->execute(std::move(command)).ok());
    ASSERT_TRUE(w.engine->execute(std::move(again)).ok());
    catch_up();
    ASSERT_EQ(events().size(), 1U) << "a repeated deposit is no second one";
    const Event event = events().front();
    EXPECT_EQ(event.type, "wallet.deposited");
    EXPECT_EQ(event.object_id, World::friend_cny.to_string());
    EXPECT_NE(event.data.find(R"("amount":"5000","asset":"CNY")"), std::string::npos) << event.data;
}

TEST_F(Projection, GoesOnWhereItWas) {
    const Payment open = w.created(w.buy());
    start();
    catch_up();
    projector.reset();
    // Closed by an expiry, refunded, reported late: all of payments that the new projector has never folded.
    w.let_expire(open.id);
    const Payment friendly = w.created(w.pay_ben(7));
    start();
    catch_up();
    projector.reset();
    ASSERT_TRUE(w.refund(RefundId(1), friendly.id, World::cny(3)).ok());
    ASSERT_TRUE(w.report(open.id, DeliveryResult::delivered, 1).ok());
    start();
    catch_up();
    EXPECT_EQ(events_of(open.id), (Types{"payment.authorized", "payment.voided", "payment.late_delivery"}));
    EXPECT_EQ(events_of(friendly.id), (Types{"payment.captured", "payment.refunded"}));
    EXPECT_EQ(registry::get_payment(*session, friendly.id)->refunded_minor, 3U);
    EXPECT_TRUE(registry::get_payment(*session, open.id)->late_delivery);
}

TEST_F(Projection, RefusesARegistryThatIsAheadOfTheJournal) {
    ASSERT_TRUE(registry::set_projection_sequence(*session, "payments", 1'000'000).ok());
    const auto started = Projector::start(*w.engine, *store, nullptr);
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().code(), "projection_ahead");
    ASSERT_TRUE(rebuild_projections(*w.engine, *store).ok());
}

TEST_F(Projection, EqualsTheLiveBookAndItsOwnRebuilding) {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    SCOPED_TRACE(seed);
    start();
    Life life(w, seed, {.restarts = false});
    for (int step = 0; step < 400; ++step) life.step();
    catch_up();
    std::vector<Payment> before = rows();
    ASSERT_EQ(before.size(), life.requests().size());
    for (const Payment& row : before) {
        const Payment live = w.find(row.id);
        EXPECT_EQ(payment_json(row), payment_json(live));
        EXPECT_EQ(row.sequence, live.sequence);
        EXPECT_EQ(row.first_state, live.first_state);
        EXPECT_EQ(row.request_hash, live.request_hash);
    }
    const std::vector<Event> events_before = events();
    projector.reset();
    const auto rebuilt = rebuild_projections(*w.engine, *store);
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().to_string();
    EXPECT_GE(*rebuilt, before.front().sequence);
    const std::vector<Payment> after = rows();
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(payment_json(after[i]), payment_json(before[i]));
        EXPECT_EQ(after[i].sequence, before[i].sequence);
    }
    const std::vector<Event> events_after = events();
    ASSERT_EQ(events_after.size(), events_before.size()) << "rebuilding tells nothing twice";
    EXPECT_EQ(events_after.back().id, events_before.back().id);
}

// The projector needs the world's engine, and the world's service needs an archive.
struct LateArchive final : Archive {
    std::unique_ptr<RegistryArchive> registry;
    Result<std::optional<Payment>> payment(PaymentId id) override {
        return registry ? registry->payment(id) : std::optional<Payment>();
    }
    std::uint64_t projected_sequence() const override { return registry ? registry->projected_sequence() : 0; }
    Result<std::vector<Payment>> open_payments() override { return registry->open_payments(); }
    Result<KnownIds> known_ids() override { return registry->known_ids(); }
};

// Payments that have left memory are answered from the projection.
TEST_F(Projection, ServesWhatHasLeftMemory) {
    LateArchive archive;
    w.archive = &archive;
    w.options.keep_completed = 5;
    w.restart();
    start();
    archive.registry = std::make_unique<RegistryArchive>(*store->session(), *projector);
    std::vector<api::NewPayment> requests;
    for (int i = 0; i < 40; ++i) {
        requests.push_back(i % 2 == 0 ? w.pay_ben(10) : w.buy(9));
        w.created(requests.back());
        if (i % 10 == 9) catch_up();
    }
    for (const auto& request : requests) {
        const auto again = w.create(request);
        ASSERT_TRUE(again.ok());
        EXPECT_TRUE(again->replayed);
        auto other = request;
        other.request_hash = Bytes(16, 0xEE);
        EXPECT_EQ(w.create(other).error().code(), "idempotency_mismatch");
    }
    EXPECT_EQ(w.refund(RefundId(1), requests[0].id, World::cny(4))->payment.refunded_minor, 4U);
    EXPECT_EQ(w.refund(RefundId(2), requests[0].id, World::cny(7)).error().code(), "refund_exceeds_captured");
    EXPECT_EQ(w.find(requests[0].id).refunded_minor, 4U);
    archive.registry.reset();
    projector.reset();
    w.stop();
}

}  // namespace
}  // namespace jiaozi::payments::testing
