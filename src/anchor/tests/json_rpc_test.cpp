// What a node may answer, in good and in bad faith.
#include <gtest/gtest.h>

#include <jiaozi/anchor/json_rpc.hpp>

namespace jiaozi::anchor {
namespace {

struct Row {
    const char* what;
    std::string answer;
    ErrorKind kind;
};

TEST(JsonRpc, ARequestIsAsTheSpecificationHasIt) {
    EXPECT_EQ(rpc_request(7, "eth_getCode", {"0x00", "latest"}),
              R"({"jsonrpc":"2.0","id":7,"method":"eth_getCode","params":["0x00","latest"]})");
}

TEST(JsonRpc, AResultIsGivenBack) {
    const auto value = rpc_result(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})", 7);
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(*rpc_quantity(*value), 1U);
    EXPECT_TRUE(rpc_result(R"({"jsonrpc":"2.0","id":7,"result":null})", 7)->is_null());
    // As some nodes write it.
    EXPECT_TRUE(rpc_result(R"({"id":7,"result":"0x1","error":null,"jsonrpc":"2.0"})", 7).ok());
}

TEST(JsonRpc, ARefusalIsTheNodesWords) {
    const auto refused =
        rpc_result(R"({"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"Method not found"}})", 7);
    EXPECT_EQ(refused.error().kind(), ErrorKind::declined);
    EXPECT_EQ(refused.error().message(), "the node refused: Method not found (-32601)");
    // The specification's examples: a request that could not be read is answered without its id.
    EXPECT_EQ(rpc_result(R"({"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null})", 7)
                  .error()
                  .kind(),
              ErrorKind::declined);
    // Nothing that moves a terminal's cursor, nothing endless.
    const auto hostile = rpc_result(
        R"({"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"a\u001b[2J\n)" + std::string(5000, 'x') + "\"}}", 7);
    EXPECT_EQ(hostile.error().message().find('\x1b'), std::string::npos);
    EXPECT_LT(hostile.error().message().size(), 400U);
}

TEST(JsonRpc, WhatIsNoAnswer) {
    const Row rows[] = {
        {"nothing", "", ErrorKind::malformed},
        {"no JSON", "<html>502</html>", ErrorKind::malformed},
        {"cut off", R"({"jsonrpc":"2.0","id":7,"result":"0x)", ErrorKind::malformed},
        {"more behind it", R"({"jsonrpc":"2.0","id":7,"result":"0x1"}{})", ErrorKind::malformed},
        {"a list", R"([{"jsonrpc":"2.0","id":7,"result":"0x1"}])", ErrorKind::malformed},
        {"another version", R"({"jsonrpc":"1.0","id":7,"result":"0x1"})", ErrorKind::malformed},
        {"no version", R"({"id":7,"result":"0x1"})", ErrorKind::malformed},
        {"another id", R"({"jsonrpc":"2.0","id":8,"result":"0x1"})", ErrorKind::malformed},
        {"an id that is a text", R"({"jsonrpc":"2.0","id":"7","result":"0x1"})", ErrorKind::malformed},
        {"no id", R"({"jsonrpc":"2.0","result":"0x1"})", ErrorKind::malformed},
        {"neither result nor error", R"({"jsonrpc":"2.0","id":7})", ErrorKind::malformed},
        {"an error that is a text", R"({"jsonrpc":"2.0","id":7,"error":"no"})", ErrorKind::malformed},
        {"an error without a code", R"({"jsonrpc":"2.0","id":7,"error":{"message":"no"}})", ErrorKind::malformed},
        {"an error with a wide code", R"({"jsonrpc":"2.0","id":7,"error":{"code":1e9,"message":"no"}})",
         ErrorKind::malformed},
        {"too deep", R"({"jsonrpc":"2.0","id":7,"result":)" + std::string(40, '[') + std::string(40, ']') + "}",
         ErrorKind::malformed},
        {"too large", R"({"jsonrpc":"2.0","id":7,"result":")" + std::string(max_answer_bytes, 'a') + "\"}",
         ErrorKind::too_large},
    };
    for (const Row& row : rows) {
        const auto result = rpc_result(row.answer, 7);
        ASSERT_FALSE(result.ok()) << row.what;
        EXPECT_EQ(result.error().kind(), row.kind) << row.what << ": " << result.error().to_string();
    }
}

// EIP-1474: quantities are short, data is whole bytes.
TEST(JsonRpc, QuantitiesAndData) {
    EXPECT_EQ(*rpc_quantity("0x0"), 0U);
    EXPECT_EQ(*rpc_quantity("0x400"), 1024U);
    EXPECT_EQ(*rpc_quantity("0xffffffffffffffff"), UINT64_MAX);
    for (const char* text : {"", "0x", "0x0400", "ff", "0x10000000000000000", "0x-1", "0x1g", "1"})
        EXPECT_FALSE(rpc_quantity(text).ok()) << text;
    EXPECT_FALSE(rpc_quantity(1024).ok());
    EXPECT_EQ(hex_quantity(1024), "0x400");
    EXPECT_EQ(hex_quantity(0), "0x0");
    EXPECT_EQ(*rpc_data("0x41"), Bytes{0x41});
    EXPECT_TRUE(rpc_data("0x")->empty());
    for (const char* text : {"0xf0f0f", "004200", "", "0x0z"}) EXPECT_FALSE(rpc_data(text).ok()) << text;
    EXPECT_FALSE(rpc_data(nullptr).ok());
}

}  // namespace
}  // namespace jiaozi::anchor
