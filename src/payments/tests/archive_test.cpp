// A service that begins behind the registry's projection instead of at the journal's first command: random lives with
// restarts against the naive model, with a projection that stands anywhere; and the ids that are kept on disk.
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>

#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/registry.hpp>

#include "life.hpp"

namespace jiaozi::payments::testing {
namespace {

namespace fs = std::filesystem;

// As far as the projection came when the program was started, as after a crash of whoever projects.
class StoredArchive final : public Archive {
  public:
    explicit StoredArchive(World& world) : world_(world) {
        auto opened = registry::Store::open(
            {.url = "sqlite:" + (world.directory.path() / "registry.db").string(), .seal = {}, .open = {}});
        EXPECT_TRUE(opened.ok());
        store_ = std::move(*opened);
        session_ = *store_->session();
    }
    Result<std::optional<Payment>> payment(PaymentId id) override {
        ++looks;
        auto stored = registry::get_payment(*session_, id);
        if (stored.ok()) return std::optional(*stored);
        if (stored.error().kind() == ErrorKind::not_found) return std::optional<Payment>();
        return stored.error();
    }
    std::uint64_t projected_sequence() const override { return *registry::projection_sequence(*session_, "payments"); }
    Result<std::vector<Payment>> open_payments() override { return registry::open_payments(*session_); }
    Result<KnownIds> known_ids() override { return payments::known_ids(*session_, directory()); }

    void project() {
        const auto projector = Projector::start(*world_.engine, *store_, nullptr, {.gather = {}, .nice = 0});
        ASSERT_TRUE(projector.ok()) << projector.error().to_string();
        ASSERT_TRUE((*projector)->wait_for(world_.engine->last_sequence(), seconds(20)));
    }
    Result<IdsKept> keep() { return keep_known_ids(*session_, directory(), never_); }
    fs::path directory() const { return world_.directory.path() / "journal"; }
    registry::Session& session() { return *session_; }

    int looks = 0;

  private:
    World& world_;
    std::unique_ptr<registry::Store> store_;
    std::unique_ptr<registry::Session> session_;
    const std::atomic<bool> never_{false};
};

class BehindTheArchive : public ::testing::TestWithParam<int> {};

TEST_P(BehindTheArchive, ALifeGoesAsTheModelSays) {
    const std::uint64_t seed = std::random_device{}() + static_cast<std::uint64_t>(GetParam());
    std::cout << "seed " << seed << '\n';
    SCOPED_TRACE("seed " + std::to_string(seed));
    World w;
    StoredArchive archive(w);
    std::mt19937_64 random(seed);
    w.archive = &archive;
    w.options.keep_completed = 2;
    w.before_service = [&] {
        if (random() % 3 == 0) return;
        archive.project();
        if (random() % 2 == 0) return;
        EXPECT_TRUE(w.engine->make_snapshot().ok());
        EXPECT_TRUE(archive.keep().ok());
    };
    w.restart();
    Life life(w, seed, {});
    for (int step = 0; step < 300 && !::testing::Test::HasFailure(); ++step) {
        SCOPED_TRACE("step " + std::to_string(step));
        life.step();
    }
    life.check();
    EXPECT_GT(archive.looks, 0);
    w.stop();
}

INSTANTIATE_TEST_SUITE_P(Seeds, BehindTheArchive, ::testing::Range(0, 5));

class KeptIds : public ::testing::Test {
  protected:
    void sell(int count) {
        for (int i = 0; i < count; ++i) made.push_back(w.created(w.pay_ben(1)).id);
        archive.project();
    }
    void expect_all() {
        const auto ids = archive.known_ids();
        ASSERT_TRUE(ids.ok());
        EXPECT_EQ(ids->size(), made.size());
        for (const PaymentId id : made) EXPECT_TRUE(ids->contains(low64(id.value)));
    }
    fs::path file(std::uint64_t sequence) const {
        return archive.directory() / "books" / "payments" / storage::snapshot_name(sequence);
    }

    World w;
    StoredArchive archive{w};
    std::vector<PaymentId> made;
};

TEST_F(KeptIds, AreThoseOfTheRegistryWhateverIsKept) {
    expect_all();
    EXPECT_EQ(archive.keep()->sequence, 0U) << "the engine has no snapshot";
    sell(30);
    expect_all();
    ASSERT_TRUE(w.engine->make_snapshot().ok());
    const IdsKept first = *archive.keep();
    EXPECT_EQ(first.ids, 30U);
    EXPECT_EQ(archive.keep()->ids, 0U) << "they are kept already";
    expect_all();
    sell(5);
    expect_all();
    ASSERT_TRUE(w.engine->make_snapshot().ok());
    const IdsKept second = *archive.keep();
    EXPECT_EQ(second.ids, 35U);
    EXPECT_TRUE(fs::exists(file(first.sequence))) << "two are kept";
    std::fstream(file(second.sequence), std::ios::in | std::ios::out).seekp(1'100) << "damaged";
    expect_all();
    fs::remove_all(archive.directory() / "books");
    expect_all();
    EXPECT_EQ(archive.keep()->ids, 35U);
    expect_all();
}

TEST_F(KeptIds, AProjectionThatLagsWaits) {
    sell(3);
    made.push_back(w.created(w.pay_ben(1)).id);
    ASSERT_TRUE(w.engine->make_snapshot().ok());
    const auto kept = archive.keep();
    EXPECT_EQ(kept.error().kind(), ErrorKind::unavailable);
    archive.project();
    EXPECT_EQ(archive.keep()->ids, 4U);
    expect_all();
}

// Version 1 as a program of 2026 wrote it.
TEST(IdsFormat, Version1IsReadForEver) {
    KnownIds ids;
    const auto moment = engine::read_book_file(
        storage::system_disk(), "src/payments/tests/golden/payments-1.book", engine::about_book(ids_service, 1),
        [&](engine::BookSource& source, const engine::Books::Moment&) { return load_ids(source, ids); });
    ASSERT_TRUE(moment.ok()) << moment.error().to_string();
    EXPECT_EQ(ids.size(), 30U);
    for (std::uint64_t id = 1; id <= 30; ++id) EXPECT_TRUE(ids.contains(id)) << id;
}

}  // namespace
}  // namespace jiaozi::payments::testing
