// The files of open deals: what is written is read again, and nothing else is believed.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/terminal/open_deals.hpp>

namespace jiaozi::terminal {
namespace {

Sale sale(std::string key, bool paid) {
    Sale made{.key = std::move(key), .amount = 350, .nonce = {}, .paid = paid};
    made.nonce[15] = 7;
    return made;
}

Purchase purchase(std::uint32_t slot, bool online) {
    return {.order = {.device = "dev_1", .slot = slot, .quantity = 2, .wallet = "wal_1", .member = "mem_1"},
            .amount = 700,
            .asset = "CNY",
            .online = online,
            .key = online ? "purchase-1" : "",
            .payee = online ? 0U : 12U,
            .seq = online ? 0U : 3U};
}

TEST(OpenDeals, WhatIsWrittenIsReadAgain) {
    const std::vector<Sale> sales{sale("sale-1", false), sale("sale-2", true)};
    EXPECT_EQ(decode_sales(encode_sales(sales)).value(), sales);
    const std::vector<Purchase> purchases{purchase(1, true), purchase(2, false)};
    EXPECT_EQ(decode_purchases(encode_purchases(purchases)).value(), purchases);
    EXPECT_TRUE(decode_sales(encode_sales({}))->empty());
    const std::vector<Given> given{{.deposit = std::string(32, 'a'), .copies = 2}};
    EXPECT_EQ(decode_given(encode_given(given)).value(), given);
    EXPECT_FALSE(decode_given(encode_given({{.deposit = "aa", .copies = 2}})).ok());
    EXPECT_FALSE(decode_given(encode_given({{.deposit = std::string(32, 'a'), .copies = 0}})).ok());
}

TEST(OpenDeals, NothingElseIsBelieved) {
    const std::string good = encode_purchases({purchase(1, true)});
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    for (const std::string& text :
         {std::string(), std::string("[]"), with("jiaozi-purchases-1", "jiaozi-purchases-2"),
          with("\"slot\":1", "\"slot\":0"), with("700", "-700"), with("700", "9223372036854775808"), with("true", "1"),
          with("\"key\"", "\"kez\""), with("dev_1", std::string(201, 'd')),
          with("\"payee\":0", "\"payee\":0,\"more\":1")}) {
        const auto read = decode_purchases(text);
        ASSERT_FALSE(read.ok()) << text;
        EXPECT_EQ(read.error().kind(), ErrorKind::malformed) << text;
    }
    EXPECT_EQ(decode_sales(std::string(max_deals_file + 1, ' ')).error().kind(), ErrorKind::too_large);
    EXPECT_FALSE(decode_sales(good).ok());
}

TEST(OpenDeals, AFileWithoutDealsIsNotThere) {
    std::string folder = (std::filesystem::temp_directory_path() / "jiaozi-deals-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const auto file = std::filesystem::path(folder) / sales_name;
    EXPECT_TRUE(read_sales(file)->empty());
    ASSERT_TRUE(write_sales(file, {sale("sale-1", true)}).ok());
    EXPECT_EQ(read_sales(file)->size(), 1U);
    ASSERT_TRUE(write_sales(file, {}).ok());
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_EQ(write_sales(file, std::vector<Sale>(max_deals + 1)).error().kind(), ErrorKind::too_large);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace jiaozi::terminal
