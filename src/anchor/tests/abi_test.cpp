// Calls as the ABI's specification writes them, and answers that are not a contract's.
#include <gtest/gtest.h>

#include <jiaozi/anchor/abi.hpp>
#include <jiaozi/anchor/contract.hpp>

namespace jiaozi::anchor {
namespace {

// docs.soliditylang.org, Contract ABI Specification, Examples: baz(69, true).
TEST(Abi, TheSpecificationsExampleBaz) {
    EXPECT_EQ(to_hex(Call(0xcdcd77c0).number(69).number(1).bytes()),
              "cdcd77c0"
              "0000000000000000000000000000000000000000000000000000000000000045"
              "0000000000000000000000000000000000000000000000000000000000000001");
}

// EIP-20's transfer(address,uint256), selector a9059cbb, as any block explorer shows one.
TEST(Abi, AnAddressStandsAtTheRight) {
    const auto to = Address::parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    ASSERT_TRUE(to.ok());
    EXPECT_EQ(to_hex(Call(0xa9059cbb).address(*to).number(0xffff'ffff'ffff'ffff).bytes()),
              "a9059cbb"
              "0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
              "000000000000000000000000000000000000000000000000ffffffffffffffff");
    EXPECT_EQ(to->to_string(), "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
}

TEST(Abi, AWordIsTakenAsItIs) {
    Word word{};
    word.front() = 0x61;
    word.back() = 0x63;
    EXPECT_EQ(to_hex(Call(0).word(word).bytes()), "00000000" + to_hex(word));
}

TEST(Abi, WhatIsNoAddress) {
    for (const char* text :
         {"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedaa", "0xZZAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"})
        EXPECT_FALSE(Address::parse(text).ok()) << text;
}

TEST(Abi, AnswersAreWholeWordsAndNumbersFit) {
    Bytes answer(64, 0);
    answer[31] = 7;
    const auto words = decode_words(answer, 2);
    ASSERT_TRUE(words.ok());
    EXPECT_EQ(*decode_number((*words)[0]), 7U);
    EXPECT_EQ(decode_words(answer, 1).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(decode_words(answer, 3).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(decode_words(ByteView(answer).first(63), 2).error().kind(), ErrorKind::malformed);
    answer[23] = 1;  // 2^64
    EXPECT_EQ(decode_number((*decode_words(answer, 2))[0]).error().kind(), ErrorKind::malformed);
}

// SHA-256 of "abc" (FIPS 180-4).
TEST(Abi, ALogIsNamedByTheHashOfItsOrigin) {
    EXPECT_EQ(to_hex(origin_word("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Abi, TheContractsCodeIsInTheProgram) {
    const auto code = from_hex(contract_code());
    ASSERT_TRUE(code.ok());
    EXPECT_GT(code->size(), 500U);
}

}  // namespace
}  // namespace jiaozi::anchor
