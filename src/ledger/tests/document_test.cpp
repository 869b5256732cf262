// Holds the tables of docs/ledger.md against the enums: every value, its number and its name.
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {
namespace {

// Rows "| 7 | `name` | ..." under the heading "### <title>".
std::map<std::uint32_t, std::string> documented(const std::string& title) {
    std::ifstream file("docs/ledger.md");
    EXPECT_TRUE(file) << "run the test in the source folder";
    std::map<std::uint32_t, std::string> rows;
    bool inside = false;
    std::uint32_t previous = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("#")) inside = line == "### " + title;
        std::istringstream words(line);
        std::string bar;
        std::string second_bar;
        std::string name;
        std::uint32_t number = 0;
        if (!inside || !(words >> bar >> number >> second_bar >> name)) continue;
        EXPECT_TRUE(rows.empty() || number == previous + 1) << "out of order: " << line;
        previous = number;
        rows[number] = name.substr(1, name.size() - 2);
    }
    return rows;
}

TEST(Document, lists_every_transfer_result_in_order) {
    const auto rows = documented("Transfers");
    ASSERT_EQ(rows.size(), create_transfer_result_count);
    for (const auto& [number, name] : rows) EXPECT_EQ(name, name_of(static_cast<CreateTransferResult>(number)));
}

TEST(Document, lists_every_account_result_in_order) {
    const auto rows = documented("Accounts");
    ASSERT_EQ(rows.size(), create_account_result_count);
    for (const auto& [number, name] : rows) EXPECT_EQ(name, name_of(static_cast<CreateAccountResult>(number)));
}

TEST(Document, names_are_the_enumerators) {
    EXPECT_EQ(name_of(CreateTransferResult::exists_with_different_pending_id), "exists_with_different_pending_id");
    EXPECT_EQ(name_of(CreateTransferResult::pending_transfer_not_found), "pending_transfer_not_found");
    EXPECT_EQ(name_of(CreateTransferResult::debit_account_frozen), "debit_account_frozen");
    EXPECT_EQ(name_of(CreateTransferResult::overflows_timeout), "overflows_timeout");
    EXPECT_EQ(name_of(CreateAccountResult::ledger_must_not_be_zero), "ledger_must_not_be_zero");
    EXPECT_EQ(name_of(SetAccountFlagsResult::account_not_found), "account_not_found");
    EXPECT_EQ(name_of(PendingStatus::expired), "expired");
    EXPECT_EQ(name_of(static_cast<CreateTransferResult>(create_transfer_result_count)), "unknown");
}

}  // namespace
}  // namespace jiaozi::ledger
