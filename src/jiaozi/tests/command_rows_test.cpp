// The command line is made from the OpenAPI document: every operation has its words, or is on the list of those
// without.
#include <algorithm>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <jiaozi/http/api.hpp>

#include "cli/api_commands.hpp"
#include "cli/openapi.hpp"

namespace jiaozi::cli {
namespace {

std::vector<Operation> operations() {
    return read_operations(boost::json::parse(http::openapi_json()));
}

TEST(Commands, EveryOperationHasItsWordsOrIsKnownToHaveNone) {
    const auto without = operations_without_command();
    std::set<std::string> known;
    for (const Operation& operation : operations()) {
        known.insert(operation.id);
        const bool has_row =
            std::ranges::find(command_rows(), operation.id, &CommandRow::operation) != command_rows().end();
        const bool excused = std::ranges::find(without, operation.id) != without.end();
        EXPECT_NE(has_row, excused) << operation.id;
    }
    EXPECT_GT(known.size(), 60U);
    for (const CommandRow& row : command_rows())
        EXPECT_TRUE(known.contains(std::string(row.operation))) << row.operation;
}

TEST(Commands, NoTwoOperationsShareTheirWordsAndEachIsExplainedInChinese) {
    std::set<std::string> words;
    for (const CommandRow& row : command_rows()) {
        EXPECT_TRUE(words.insert(std::string(row.noun) + " " + std::string(row.verb)).second) << row.operation;
        EXPECT_FALSE(row.zh.empty()) << row.operation;
    }
}

TEST(Commands, APaymentTakesTheFieldsOfTheDocument) {
    const auto all = operations();
    const auto pay = std::ranges::find(all, "create_payment", &Operation::id);
    ASSERT_NE(pay, all.end());
    EXPECT_EQ(pay->method, "POST");
    EXPECT_TRUE(pay->takes_body);
    EXPECT_TRUE(pay->takes_idempotency_key);
    const auto kind = std::ranges::find(pay->fields, "kind", &Field::name);
    ASSERT_NE(kind, pay->fields.end());
    EXPECT_TRUE(kind->required);
    EXPECT_NE(std::ranges::find(pay->fields, "payer_wallet", &Field::name), pay->fields.end());
}

}  // namespace
}  // namespace jiaozi::cli
