// Every rule of docs/ledger.md as a script (script.hpp says how to read one), and the check that no result is left out.
#include <gtest/gtest.h>

#include <jiaozi/ledger/types.hpp>

#include "cases.hpp"
#include "script.hpp"

namespace jiaozi::ledger::test {
namespace {

class Table : public testing::TestWithParam<Case> {};

TEST_P(Table, holds) {
    run_script(GetParam().script);
}

std::string title(const testing::TestParamInfo<Case>& info) {
    return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(accounts, Table, testing::ValuesIn(account_cases()), title);
INSTANTIATE_TEST_SUITE_P(transfers, Table, testing::ValuesIn(transfer_cases()), title);
INSTANTIATE_TEST_SUITE_P(behaviour, Table, testing::ValuesIn(behaviour_cases()), title);

TEST(TableCompleteness, every_account_result_has_a_row) {
    std::set<std::string> seen;
    for (const Case& one : account_cases()) seen.merge(expected_account_results(one.script));
    for (std::uint32_t i = 0; i < create_account_result_count; ++i) {
        const std::string name(name_of(static_cast<CreateAccountResult>(i)));
        EXPECT_TRUE(seen.contains(name)) << name << " is expected by no script in account_cases()";
    }
}

TEST(TableCompleteness, every_transfer_result_has_a_row) {
    std::set<std::string> seen;
    for (const Case& one : transfer_cases()) seen.merge(expected_transfer_results(one.script));
    for (std::uint32_t i = 0; i < create_transfer_result_count; ++i) {
        const std::string name(name_of(static_cast<CreateTransferResult>(i)));
        EXPECT_TRUE(seen.contains(name)) << name << " is expected by no script in transfer_cases()";
    }
}

}  // namespace
}  // namespace jiaozi::ledger::test
