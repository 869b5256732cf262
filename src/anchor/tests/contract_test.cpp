// Publishing against a node of which every answer is in the table: what is sent, and what is not sent a second time.
// The real contract in a real node is in tests/functional/test_anchors.py.
#include <deque>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <jiaozi/anchor/contract.hpp>
#include <jiaozi/anchor/json_rpc.hpp>
#include <jiaozi/anchor/places.hpp>

namespace jiaozi::anchor {
namespace {

namespace json = boost::json;

// One list of anchors, as the contract keeps it; `pending` is what no block has yet.
class FakeNode {
  public:
    std::deque<EvmAnchor> list;
    std::optional<EvmAnchor> pending;
    int sent = 0;
    int blocks_until_mined = 0;
    bool fails = false;
    std::string code = "0x60";

    Result<std::string> operator()(const std::string& request) {
        const json::value parsed = json::parse(request);
        const std::string method(parsed.at("method").as_string());
        json::object answer{{"jsonrpc", "2.0"}, {"id", parsed.at("id")}};
        if (method == "eth_getCode") {
            answer["result"] = code;
        } else if (method == "eth_blockNumber") {
            answer["result"] = hex_quantity(block_++);
        } else if (method == "eth_call") {
            const bool wants_pending = parsed.at("params").at(1).as_string() == "pending";
            if (!wants_pending) mine();
            answer["result"] = encode(wants_pending && pending ? pending : newest());
        } else if (method == "eth_sendTransaction") {
            ++sent;
            const auto data = rpc_data(parsed.at("params").at(0).at("data"));
            EXPECT_EQ(to_hex(ByteView(*data).first(4)), "4080e14e");
            Word size{};
            std::copy_n(data->begin() + 36, 32, size.begin());
            EvmAnchor anchor{*decode_number(size), {}, 1};
            std::copy_n(data->begin() + 68, 32, anchor.root.begin());
            pending = anchor;
            answer["result"] = "0x" + std::string(64, 'a');
        } else if (method == "eth_getTransactionReceipt") {
            mine();
            if (pending) {
                answer["result"] = nullptr;
            } else {
                answer["result"] = json::object{{"blockNumber", "0x5"}, {"status", fails ? "0x0" : "0x1"}};
            }
        }
        return json::serialize(answer);
    }

  private:
    std::optional<EvmAnchor> newest() const { return list.empty() ? std::nullopt : std::optional(list.back()); }
    void mine() {
        if (!pending || blocks_until_mined-- > 0) return;
        if (!fails) list.push_back(*pending);
        pending.reset();
    }
    static std::string encode(const std::optional<EvmAnchor>& anchor) {
        if (!anchor) return "0x" + std::string(std::size_t{3} * 64, '0');
        return hex_data(Call(0).word(anchor->root).number(anchor->size).number(anchor->time_s).bytes()).erase(2, 8);
    }
    std::uint64_t block_ = 5;
};

class AnchorListTest : public ::testing::Test {
  protected:
    static proof::Checkpoint checkpoint(std::uint64_t size, std::uint8_t root) {
        proof::Checkpoint made{"shop.example/journal", size, {}};
        made.root.fill(root);
        return made;
    }
    Result<AnchorList::Published> publish(const proof::Checkpoint& one) {
        return list_.publish(
            one, {.confirmations = 1, .limit = std::chrono::milliseconds(50), .between = std::chrono::milliseconds(1)});
    }

    FakeNode fake_;
    EvmNode node_{[this](const std::string& request) { return fake_(request); }};
    AnchorList list_{node_, {}, {}, "shop.example/journal"};
};

TEST_F(AnchorListTest, WhatIsThereIsNotSentTwice) {
    ASSERT_TRUE(publish(checkpoint(10, 1)).ok());
    EXPECT_EQ(fake_.sent, 1);
    const auto again = publish(checkpoint(10, 1));
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->already);
    EXPECT_EQ(fake_.sent, 1);
    const auto newer = publish(checkpoint(11, 2));
    ASSERT_TRUE(newer.ok());
    EXPECT_FALSE(newer->already);
    EXPECT_EQ(newer->block, 5U);
    EXPECT_EQ(fake_.sent, 2);
    EXPECT_EQ((*list_.latest())->size, 11U);
}

TEST_F(AnchorListTest, WhatAnEarlierRunSentIsWaitedFor) {
    fake_.pending = EvmAnchor{10, checkpoint(10, 1).root, 1};
    fake_.blocks_until_mined = 4;
    const auto published = publish(checkpoint(10, 1));
    ASSERT_TRUE(published.ok()) << published.error().to_string();
    EXPECT_TRUE(published->already);
    EXPECT_EQ(fake_.sent, 0);
}

TEST_F(AnchorListTest, AShorterOrAnotherHistoryIsNotSent) {
    fake_.list.push_back({10, checkpoint(10, 1).root, 1});
    for (const auto& other : {checkpoint(9, 1), checkpoint(10, 2)}) {
        const auto refused = publish(other);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code(), "anchor_conflict") << refused.error().to_string();
    }
    EXPECT_EQ(fake_.sent, 0);
}

TEST_F(AnchorListTest, WaitingEnds) {
    fake_.blocks_until_mined = 1'000'000;
    EXPECT_EQ(publish(checkpoint(10, 1)).error().kind(), ErrorKind::timeout);
}

TEST_F(AnchorListTest, ATransactionThatFailedOnTheChain) {
    fake_.fails = true;
    EXPECT_EQ(publish(checkpoint(10, 1)).error().kind(), ErrorKind::declined);
}

TEST_F(AnchorListTest, NoContractThere) {
    fake_.code = "0x";
    EXPECT_EQ(publish(checkpoint(10, 1)).error().kind(), ErrorKind::not_found);
    EXPECT_EQ(list_.all().error().kind(), ErrorKind::not_found);
    EXPECT_EQ(fake_.sent, 0);
}

TEST(EvmPlaceTest, IsWrittenAsItIsRead) {
    const std::string text =
        "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3/0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    const auto place = EvmPlace::parse(text + "@https://user:key@node.example/v3/secret");
    ASSERT_TRUE(place.ok());
    EXPECT_EQ(place->chain, 31337U);
    EXPECT_EQ(place->rpc, "https://user:key@node.example/v3/secret");
    EXPECT_EQ(place->to_string(), text);
    for (const char* bad :
         {"eip155:", "eip155:1:0x/0x",
          "eip155:x:0x5fbdb2315678afecb367f032d93f642f64180aa3/0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
          "eip155:1/0x5fbdb2315678afecb367f032d93f642f64180aa3:0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
          "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3/0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266@ftp://x"})
        EXPECT_FALSE(EvmPlace::parse(bad).ok()) << bad;
}

}  // namespace
}  // namespace jiaozi::anchor
