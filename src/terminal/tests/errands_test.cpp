// A purse that has much to say makes several errands of it, each of which the server reads; nothing is lost or said
// twice.
#include <gtest/gtest.h>

#include <jiaozi/terminal/errands.hpp>

namespace jiaozi::terminal {
namespace {

using protocol::Errand;

struct Case {
    const char* what;
    std::size_t deposits;
    std::size_t of_bytes;
    std::size_t carried;
    std::size_t each;
    std::size_t errands;
};

class Errands : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, Errands,
                         testing::Values(Case{"Nothing", 0, 0, 0, 0, 1}, Case{"OneOfEach", 1, 700, 1, 900, 1},
                                         Case{"AMule", 0, 0, 48, 900, 3}, Case{"AMuleOfLongOnes", 0, 0, 48, 4'298, 3},
                                         Case{"ManyDeposits", 250, 300, 0, 0, 3},
                                         Case{"LongDeposits", 100, 4'608, 48, 4'298, 8}),
                         [](const auto& one) { return std::string(one.param.what); });

TEST_P(Errands, EachIsReadAndTogetherTheyAreTheWhole) {
    const Case& c = GetParam();
    Errand whole{.purse = 7, .deposits = {}, .sync = {}, .list = 3, .carried = {}, .heads = Bytes(300, 1)};
    whole.sync = Errand::Sync{.last_seen = 9, .suspect = false, .highest_seq = 0};
    for (std::size_t i = 0; i < c.deposits; ++i) whole.deposits.emplace_back(c.of_bytes, static_cast<std::uint8_t>(i));
    for (std::size_t i = 0; i < c.carried; ++i) whole.carried.emplace_back(c.each, static_cast<std::uint8_t>(i));
    const std::vector<Errand> errands = cut(whole);
    EXPECT_EQ(errands.size(), c.errands);
    Errand together{.purse = 7, .deposits = {}, .sync = {}, .list = {}, .carried = {}, .heads = {}};
    for (const Errand& errand : errands) {
        const auto read = protocol::decode_errand(protocol::encode(errand));
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(*read, errand);
        together.deposits.insert(together.deposits.end(), read->deposits.begin(), read->deposits.end());
        together.carried.insert(together.carried.end(), read->carried.begin(), read->carried.end());
        EXPECT_FALSE(together.sync && read->sync);
        EXPECT_TRUE(!read->sync || together.deposits.size() == whole.deposits.size()) << "deposits go first";
        if (read->sync) together.sync = read->sync;
        if (read->list) together.list = read->list;
        if (!read->heads.empty()) together.heads = read->heads;
    }
    EXPECT_EQ(together, whole);
}

}  // namespace
}  // namespace jiaozi::terminal
