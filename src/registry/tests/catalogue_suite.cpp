// Merchants, products, slots, devices.
#include "suite.hpp"

namespace jiaozi::registry {
namespace {

class Catalogue : public Registry {
  protected:
    void SetUp() override {
        Registry::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        ASSERT_OK(insert(db(), merchant(1)));
        ASSERT_OK(insert(db(), merchant(2)));
    }
    static Slot slot(std::uint64_t device_n, std::uint32_t n, std::uint64_t product_n, std::uint64_t price) {
        return {.device = DeviceId(device_n),
                .slot = n,
                .product = ProductId(product_n),
                .price = Amount(price, assets::CNY)};
    }
};

TEST_F(Catalogue, a_merchant_and_its_wallet_name_each_other) {
    Merchant made = merchant(3);
    made.wallet = WalletId(30);
    const Wallet till{.id = WalletId(30),
                      .group = {},
                      .merchant = MerchantId(3),
                      .name = "till",
                      .asset = assets::CNY,
                      .frozen = false,
                      .created = at(3)};
    // Alone, the reference would dangle.
    EXPECT_EQ(refusal(insert(db(), made)), "not_found/reference_not_found/");
    EXPECT_EQ(refusal(get_merchant(db(), made.id)), "not_found/merchant_not_found/");
    // Together it is checked at the commit.
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> { return insert(db(), made); })),
              "not_found/reference_not_found/");
    ASSERT_OK(db().in_transaction([&]() -> Result<> {
        const Result<> first = insert(db(), made);
        return first.ok() ? insert(db(), till) : first;
    }));
    EXPECT_EQ(show(must(get_merchant(db(), made.id))), show(made));
    made.city = "成都";
    ASSERT_OK(update(db(), made));
    EXPECT_EQ(show(must(get_merchant(db(), made.id))), show(made));
    EXPECT_EQ(page_text(list_merchants(db(), {})), "3 2 1");
    made.country = "CHN";
    EXPECT_EQ(refusal(update(db(), made)), "invalid/invalid/country");
    made.country = "CN";
    made.mcc = "54";
    EXPECT_EQ(refusal(update(db(), made)), "invalid/invalid/mcc");
}

TEST_F(Catalogue, products_by_merchant_and_category) {
    Product parking = product(MerchantId(1), 2);
    parking.category = "parking";
    ASSERT_OK(insert(db(), product(MerchantId(1), 1)));
    ASSERT_OK(insert(db(), parking));
    ASSERT_OK(insert(db(), product(MerchantId(2), 3)));
    EXPECT_EQ(show(must(get_product(db(), ProductId(1)))), show(product(MerchantId(1), 1)));
    EXPECT_EQ(page_text(list_products(db(), {}, {})), "3 2 1");
    EXPECT_EQ(page_text(list_products(db(), {.merchant = MerchantId(1), .category = {}}, {})), "2 1");
    EXPECT_EQ(page_text(list_products(db(), {.merchant = MerchantId(1), .category = "drinks"}, {})), "1");
    EXPECT_EQ(page_text(list_products(db(), {.merchant = {}, .category = "x' OR '1'='1"}, {})), "");
    parking.name_zh = {};
    ASSERT_OK(update(db(), parking));
    EXPECT_EQ(show(must(get_product(db(), ProductId(2)))), show(parking));
    EXPECT_EQ(refusal(insert(db(), product(MerchantId(77), 4))), "not_found/reference_not_found/");
}

TEST_F(Catalogue, slots_are_replaced_whole) {
    ASSERT_OK(insert(db(), device(1)));
    ASSERT_OK(insert(db(), product(MerchantId(1), 1)));
    const std::vector<Slot> first = {slot(1, 2, 1, 350), slot(1, 1, 1, 400)};
    ASSERT_OK(replace_slots(db(), DeviceId(1), first));
    const auto stored = must(all_slots(db(), DeviceId(1)));
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_EQ(show(stored[0]), show(first[1]));
    EXPECT_EQ(show(stored[1]), show(first[0]));
    EXPECT_EQ(show(must(get_slot(db(), DeviceId(1), 2))), show(first[0]));
    EXPECT_EQ(refusal(get_slot(db(), DeviceId(1), 3)), "not_found/slot_not_found/");
    // More than one statement's worth, in one transaction: a wrong one leaves what was there.
    std::vector<Slot> many;
    for (std::uint32_t n = 1; n <= 70; ++n) many.push_back(slot(1, n, 1, n));
    many.push_back(slot(1, 71, 77, 1));
    EXPECT_EQ(refusal(replace_slots(db(), DeviceId(1), many)), "not_found/reference_not_found/");
    EXPECT_EQ(must(all_slots(db(), DeviceId(1))).size(), 2U);
    many.pop_back();
    ASSERT_OK(replace_slots(db(), DeviceId(1), many));
    EXPECT_EQ(must(all_slots(db(), DeviceId(1))).size(), 70U);
    ASSERT_OK(replace_slots(db(), DeviceId(1), {}));
    EXPECT_TRUE(must(all_slots(db(), DeviceId(1))).empty());

    struct Row {
        std::string what;
        std::vector<Slot> slots;
        std::string expected;
    };
    const Row rows[] = {
        {"slot 0", {slot(1, 0, 1, 1)}, "invalid/invalid/slot"},
        {"twice the same", {slot(1, 1, 1, 1), slot(1, 1, 1, 2)}, "invalid/invalid/slot"},
        {"another device's", {slot(2, 1, 1, 1)}, "invalid/invalid/device"},
        {"no product", {slot(1, 1, 0, 1)}, "invalid/invalid/product"},
        {"no asset",
         {{.device = DeviceId(1), .slot = 1, .product = ProductId(1), .price = {}}},
         "invalid/invalid/price"},
        {"too many", std::vector<Slot>(1001, slot(1, 1, 1, 1)), "too_large/too_large/slots"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(refusal(replace_slots(db(), DeviceId(1), row.slots)), row.expected) << row.what;
    EXPECT_EQ(refusal(replace_slots(db(), DeviceId(9), std::vector{slot(9, 1, 1, 1)})),
              "not_found/reference_not_found/");
}

TEST_F(Catalogue, devices_come_back) {
    Device unclaimed;
    unclaimed.id = DeviceId(2);
    unclaimed.name = "new";
    unclaimed.merchant = MerchantId(1);
    unclaimed.enrolment_code_hash = Bytes(32, 0x55);
    unclaimed.enrolment_expires = at(60);
    unclaimed.created = at(2);
    Device also = unclaimed;
    also.id = DeviceId(3);
    also.enrolment_code_hash = {};  // empty is not a value that must be unique
    also.created = at(3);
    ASSERT_OK(insert(db(), device(1)));
    ASSERT_OK(insert(db(), unclaimed));
    ASSERT_OK(insert(db(), also));
    EXPECT_EQ(show(must(get_device(db(), DeviceId(1)))), show(device(1)));
    EXPECT_EQ(show(must(get_device(db(), DeviceId(2)))), show(unclaimed));
    EXPECT_EQ(low64(must(get_device_by_credential(db(), device(1).credential_id)).id.value), 1U);
    EXPECT_EQ(low64(must(get_device_by_enrolment_code_hash(db(), Bytes(32, 0x55))).id.value), 2U);
    EXPECT_EQ(refusal(get_device_by_credential(db(), Bytes(8, 0xEE))), "not_found/device_not_found/");
    EXPECT_EQ(refusal(get_device_by_credential(db(), {})), "not_found/device_not_found/");
    EXPECT_EQ(refusal(get_device_by_enrolment_code_hash(db(), {})), "not_found/device_not_found/");
    Device copy = also;
    copy.credential_id = device(1).credential_id;
    EXPECT_EQ(refusal(update(db(), copy)), "conflict/already_exists/credential_id");
    copy.credential_id = {};
    copy.enrolment_code_hash = unclaimed.enrolment_code_hash;
    EXPECT_EQ(refusal(update(db(), copy)), "conflict/already_exists/enrolment_code_hash");
    copy.enrolment_code_hash = {};
    copy.sim.iccid = std::string(21, '8');
    EXPECT_EQ(refusal(update(db(), copy)), "invalid/invalid/iccid");
    copy.sim = {};
    copy.public_key = Bytes(257, 1);
    EXPECT_EQ(refusal(update(db(), copy)), "invalid/invalid/public_key");
}

TEST_F(Catalogue, a_conflict_does_not_say_what_was_stored) {
    ASSERT_OK(insert(db(), device(1)));
    Device copy = device(2);
    copy.credential_id = device(1).credential_id;
    const auto refused = insert(db(), copy);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().to_string().find(to_hex(copy.credential_id)), std::string::npos)
        << refused.error().to_string();
    EXPECT_EQ(refused.error().to_string().find(to_hex(copy.public_key)), std::string::npos);
}

TEST_F(Catalogue, devices_by_merchant_kind_and_state) {
    for (std::uint64_t n = 1; n <= 6; ++n) {
        Device made = device(n);
        if (n % 2 == 0) made.merchant = MerchantId(2);
        if (n > 3) made.kind = DeviceKind::vending;
        if (n == 6) made.state = DeviceState::suspended;
        ASSERT_OK(insert(db(), made));
    }
    EXPECT_EQ(page_text(list_devices(db(), {}, {.limit = 4, .starting_after = {}, .ending_before = {}})), "6 5 4 3 +");
    EXPECT_EQ(page_text(list_devices(db(), {.merchant = MerchantId(2), .kind = {}, .state = {}}, {})), "6 4 2");
    EXPECT_EQ(page_text(list_devices(db(), {.merchant = MerchantId(2), .kind = DeviceKind::vending, .state = {}}, {})),
              "6 4");
    EXPECT_EQ(page_text(list_devices(db(), {.merchant = {}, .kind = {}, .state = DeviceState::suspended}, {})), "6");
    EXPECT_EQ(page_text(list_devices(db(), {.merchant = {}, .kind = DeviceKind::meter, .state = {}}, {})), "");
}

TEST_F(Catalogue, all_devices_are_visited_once) {
    constexpr std::uint64_t count = 2'345;
    ASSERT_OK(db().in_transaction([&]() -> Result<> {
        for (std::uint64_t n = 1; n <= count; ++n) JZ_CHECK(insert(db(), device(n)));
        return {};
    }));
    std::uint64_t seen = 0;
    ASSERT_OK(for_each_device(db(), [&](const Device& visited) -> Result<> {
        EXPECT_EQ(show(visited), show(device(++seen)));
        return {};
    }));
    EXPECT_EQ(seen, count);
    seen = 0;
    EXPECT_EQ(refusal(for_each_device(db(),
                                      [&](const Device&) -> Result<> {
                                          if (++seen == 3) return Error(ErrorKind::internal, "enough");
                                          return get_device(db(), DeviceId(1)).ok()
                                                     ? Result<>()
                                                     : Error(ErrorKind::io, "the session is busy");
                                      })),
              "internal/internal/");
    EXPECT_EQ(seen, 3U);
}

TEST_F(Catalogue, a_hello_only_moves_forwards) {
    ASSERT_OK(insert(db(), device(1)));
    EXPECT_TRUE(must(advance_last_hello(db(), DeviceId(1), at(100))));
    EXPECT_FALSE(must(advance_last_hello(db(), DeviceId(1), at(100))));
    EXPECT_FALSE(must(advance_last_hello(db(), DeviceId(1), at(99))));
    EXPECT_EQ(must(get_device(db(), DeviceId(1))).last_hello, at(100));
    EXPECT_EQ(refusal(advance_last_hello(db(), DeviceId(9), at(1))), "not_found/device_not_found/");
}

}  // namespace
}  // namespace jiaozi::registry
