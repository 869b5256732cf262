#include <filesystem>
#include <optional>
#include <unordered_map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/merchants/merchants.hpp>
#include <jiaozi/registry/registry.hpp>

namespace jiaozi::merchants {
namespace {

struct KnownDevices final : api::Devices {
    const Device* find(DeviceId id) const override {
        const auto found = all.find(id);
        return found == all.end() ? nullptr : &found->second;
    }
    std::unordered_map<DeviceId, Device> all;
};

struct RecordedSignal final : api::EventSignal {
    void stored_up_to(std::uint64_t position) override { newest = position; }
    std::uint64_t newest = 0;
};

class MerchantsTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-merchants-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        store = registry::Store::open({.url = "sqlite:" + (folder / "registry.db").string(), .seal = {}, .open = {}})
                    .value();
        session = store->session().value();
        engine = engine::Engine::open({.directory = folder / "journal"}, clock).value();
        load();
    }
    void TearDown() override {
        merchants.reset();
        engine.reset();
        session.reset();
        store.reset();
        std::filesystem::remove_all(folder);
    }
    void load() {
        merchants.reset();
        auto loaded = MerchantService::load(
            {*session, *engine, clock, app, signal, devices, [&](const Wallet& wallet) { opened.push_back(wallet); }});
        ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
        merchants = std::move(loaded).value();
    }

    Result<Merchant> create(const Merchant& merchant, Asset asset = assets::CNY) {
        std::optional<Result<Merchant>> answer;
        merchants->create(merchant, asset, [&](Result<Merchant> result) { answer.emplace(std::move(result)); });
        EXPECT_TRUE(app.run_until([&] { return answer.has_value(); }));
        return std::move(*answer);
    }
    static Merchant cafe(std::uint64_t id = 1, const char* name = "Café 茶") {
        Merchant merchant;
        merchant.id = MerchantId(make_uint128(1, id));
        merchant.name = name;
        return merchant;
    }
    static Product cola(MerchantId merchant, std::uint64_t id = 1) {
        return {.id = ProductId(make_uint128(2, id)),
                .merchant = merchant,
                .name = "Cola",
                .name_zh = "可乐",
                .category = "drinks",
                .created = {}};
    }
    DeviceId machine(std::uint64_t id, MerchantId merchant) {
        Device device;
        device.id = DeviceId(make_uint128(3, id));
        device.name = "machine";
        device.merchant = merchant;
        device.created = clock.now();
        EXPECT_TRUE(registry::insert(*session, device).ok());
        devices.all[device.id] = device;
        return device.id;
    }
    static Slot slot(std::uint32_t number, ProductId product, std::uint64_t price, Asset asset = assets::CNY) {
        return {.device = {}, .slot = number, .product = product, .price = Amount(price, asset)};
    }

    std::filesystem::path folder;
    TestClock clock;
    api::SteppedAppThread app;
    RecordedSignal signal;
    KnownDevices devices;
    std::vector<Wallet> opened;
    std::unique_ptr<registry::Store> store;
    std::unique_ptr<registry::Session> session;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<MerchantService> merchants;
};

TEST_F(MerchantsTest, AMerchantHasAWalletAndSellsFromItsMachinesAndAllSurvivesARestart) {
    const Merchant shop = create(cafe()).value();
    ASSERT_EQ(opened.size(), 1U);
    EXPECT_EQ(opened[0].id, shop.wallet);
    EXPECT_EQ(opened[0].merchant, shop.id);
    const auto account = engine->account(shop.wallet.value);
    ASSERT_TRUE(account.has_value());
    EXPECT_EQ(account->code, api::code_merchant_wallet);
    EXPECT_EQ(account->ledger, assets::CNY.ledger);

    const Product drink = merchants->create_product(cola(shop.id)).value();
    clock.advance(seconds(1));
    const Product water = merchants->create_product(cola(shop.id, 2)).value();
    const DeviceId vending = machine(1, shop.id);
    ASSERT_TRUE(merchants->replace_slots(vending, {slot(7, water.id, 200), slot(1, drink.id, 350)}).ok());
    ASSERT_TRUE(merchants->replace_slots(vending, {slot(2, water.id, 250), slot(1, drink.id, 300)}).ok())
        << "replaces the whole";

    for (const bool again : {false, true}) {
        if (again) load();
        SCOPED_TRACE(again ? "after a restart" : "before");
        EXPECT_EQ(merchants->merchant(shop.id)->name, "Café 茶");
        EXPECT_EQ(merchants->merchants().size(), 1U);
        EXPECT_EQ(merchants->product(drink.id)->name_zh, "可乐");
        EXPECT_EQ(merchants->products_of(shop.id).front()->id, drink.id);
        EXPECT_EQ(merchants->slot(vending, 1)->price, Amount(300, assets::CNY));
        EXPECT_EQ(merchants->slot(vending, 7), nullptr);
        ASSERT_EQ(merchants->slots_of(vending).size(), 2U);
        EXPECT_EQ(merchants->slots_of(vending)[1]->product, water.id);
        EXPECT_TRUE(merchants->slots_of(DeviceId(5)).empty());
    }
    EXPECT_EQ(signal.newest, registry::newest_event_position(*session).value());
    EXPECT_EQ(registry::events_after(*session, 0, 100).value().size(), 5U);
}

TEST_F(MerchantsTest, TheSameIdAgainAnswersWhatIsStoredAndOtherContentIsAConflict) {
    const Merchant first = create(cafe()).value();
    clock.advance(seconds(5));
    EXPECT_EQ(create(cafe()).value().created, first.created);
    EXPECT_EQ(create(cafe(1, "Other")).error().code(), "already_exists");
    EXPECT_EQ(create(cafe(), assets::EUR).error().code(), "already_exists");
    EXPECT_EQ(opened.size(), 1U);
    ASSERT_TRUE(merchants->create_product(cola(first.id)).ok());
    EXPECT_TRUE(merchants->create_product(cola(first.id)).ok());
    Product dearer = cola(first.id);
    dearer.category = "luxury";
    EXPECT_EQ(merchants->create_product(dearer).error().code(), "already_exists");
}

TEST_F(MerchantsTest, TwoRequestsForTheSameMerchantAtOnceMakeOne) {
    int answers = 0;
    const auto count = [&](const Result<Merchant>& result) { answers += result.ok() ? 1 : 100; };
    merchants->create(cafe(), assets::CNY, count);
    merchants->create(cafe(), assets::CNY, count);
    EXPECT_TRUE(app.run_until([&] { return answers >= 2; }));
    EXPECT_EQ(answers, 2);
    EXPECT_EQ(opened.size(), 1U);
}

TEST_F(MerchantsTest, ACatalogueIsTakenWholeOrNotAtAll) {
    const Merchant shop = create(cafe()).value();
    const Merchant rival = create(cafe(2, "Rival")).value();
    const ProductId drink = merchants->create_product(cola(shop.id)).value().id;
    const ProductId theirs = merchants->create_product(cola(rival.id, 2)).value().id;
    const DeviceId vending = machine(1, shop.id);
    const DeviceId car = machine(2, {});
    ASSERT_TRUE(merchants->replace_slots(vending, {slot(5, drink, 100)}).ok());

    struct Row {
        const char* why;
        std::vector<Slot> slots;
        const char* code;
        const char* param;
    };
    for (const Row& row :
         {Row{"slot zero", {slot(0, drink, 1)}, "invalid", "slot"},
          {"slot 1000", {slot(1000, drink, 1)}, "invalid", "slot"},
          {"one slot twice", {slot(1, drink, 1), slot(1, drink, 2)}, "invalid", "slot"},
          {"no price", {slot(1, drink, 0)}, "invalid", "price"},
          {"another asset than the merchant's", {slot(1, drink, 1, assets::EUR)}, "asset_mismatch", "asset"},
          {"another merchant's product", {slot(1, drink, 1), slot(2, theirs, 1)}, "invalid", "product"},
          {"unknown product", {slot(1, ProductId(9), 1)}, "invalid", "product"}}) {
        const auto refused = merchants->replace_slots(vending, row.slots);
        ASSERT_FALSE(refused.ok()) << row.why;
        EXPECT_EQ(refused.error().code(), row.code) << row.why;
        EXPECT_EQ(refused.error().param(), row.param) << row.why;
        EXPECT_EQ(merchants->slots_of(vending).size(), 1U) << row.why;
    }
    EXPECT_EQ(merchants->replace_slots(car, {}).error().param(), "device");
    EXPECT_EQ(merchants->replace_slots(DeviceId(77), {}).error().code(), "device_not_found");
    EXPECT_TRUE(merchants->replace_slots(vending, {}).ok()) << "a machine may be emptied";
    EXPECT_TRUE(merchants->slots_of(vending).empty());
}

TEST_F(MerchantsTest, ALargeCatalogueIsStillTold) {
    const Merchant shop = create(cafe()).value();
    const ProductId drink = merchants->create_product(cola(shop.id)).value().id;
    std::vector<Slot> slots;
    for (std::uint32_t number = 1; number <= slot_max; ++number) slots.push_back(slot(number, drink, number));
    const DeviceId vending = machine(1, shop.id);
    ASSERT_TRUE(merchants->replace_slots(vending, slots).ok());
    EXPECT_EQ(merchants->slots_of(vending).size(), slot_max);
    EXPECT_NE(registry::events_after(*session, 0, 100).value().back().data.find("\"slot_count\":999"),
              std::string::npos);
}

TEST_F(MerchantsTest, BadValuesAreRefusedByName) {
    struct Row {
        const char* param;
        void (*change)(Merchant&);
    };
    for (const Row& row : {Row{"id", [](Merchant& m) { m.id = {}; }},
                           {"name", [](Merchant& m) { m.name = "a\tb"; }},
                           {"city", [](Merchant& m) { m.city = ""; }},
                           {"country", [](Merchant& m) { m.country = "cn"; }},
                           {"country", [](Merchant& m) { m.country = "CHN"; }},
                           {"mcc", [](Merchant& m) { m.mcc = "58"; }},
                           {"mcc", [](Merchant& m) { m.mcc = "58A4"; }}}) {
        Merchant merchant = cafe();
        row.change(merchant);
        EXPECT_EQ(create(merchant).error().param(), row.param);
    }
    EXPECT_EQ(merchants->create_product(cola(MerchantId(9))).error().code(), "merchant_not_found");
    Product product = cola(MerchantId(9));
    product.category = "Soft Drinks";
    EXPECT_EQ(merchants->create_product(product).error().param(), "category");
}

}  // namespace
}  // namespace jiaozi::merchants
