#include <gtest/gtest.h>

#include <jiaozi/money/amount.hpp>

namespace jiaozi {
namespace {

TEST(Amount, IsShownInMajorUnitsWithItsAsset) {
    EXPECT_EQ(Amount(350, assets::CNY).display(), "3.50 CNY");
    EXPECT_EQ(Amount(5, assets::EUR).display(), "0.05 EUR");
    EXPECT_EQ(Amount(0, assets::USD).display(), "0.00 USD");
    EXPECT_EQ(Amount(120, assets::JPY).display(), "120 JPY");
}

TEST(Amount, IsReadFromWhatAPersonTypes) {
    struct Row {
        const char* text;
        Asset asset;
        const char* minor;
    };
    for (const Row& row : {Row{"3.5", assets::CNY, "350"},
                           {"3.50", assets::CNY, "350"},
                           {"0.05", assets::CNY, "5"},
                           {"0", assets::CNY, "0"},
                           {"12", assets::JPY, "12"},
                           {"1000000", assets::EUR, "100000000"}}) {
        EXPECT_EQ(parse_display(row.text, row.asset).value().minor_text(), row.minor) << row.text;
    }
    for (const char* bad : {"", ".5", "3.", "3.555", "-1", "1,000", "03.5", "1e2", "NaN"}) {
        EXPECT_FALSE(parse_display(bad, assets::CNY).ok()) << bad;
    }
    EXPECT_FALSE(parse_display("1.5", assets::JPY).ok());
}

TEST(Amount, SumsAreCheckedAndAssetsNeverMix) {
    EXPECT_EQ(add(Amount(1, assets::CNY), Amount(2, assets::CNY)).value(), Amount(3, assets::CNY));
    EXPECT_FALSE(add(Amount(uint128_max, assets::CNY), Amount(1, assets::CNY)).ok());
    EXPECT_FALSE(subtract(Amount(1, assets::CNY), Amount(2, assets::CNY)).ok());
    EXPECT_FALSE(add(Amount(1, assets::CNY), Amount(2, assets::EUR)).ok());
    EXPECT_FALSE(less(Amount(1, assets::CNY), Amount(2, assets::EUR)).ok());
}

TEST(Asset, IsFoundByCodeAndByLedger) {
    EXPECT_EQ(find_asset("CNY").value().ledger, 156U);
    EXPECT_EQ(find_asset(978U).value().name(), "EUR");
    EXPECT_FALSE(find_asset("cny").ok());
    EXPECT_EQ(find_asset("XXX").error().code(), "unknown_asset");
}

}  // namespace
}  // namespace jiaozi
