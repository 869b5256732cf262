// Calls of Solidity contracts as bytes: the part of the Contract ABI Specification that has no dynamic types
// (https://docs.soliditylang.org/en/latest/abi-spec.html). A call is a selector of 4 bytes and a word of 32 for each
// argument; an answer is words.
//
// Pure functions. Errors: malformed, for answers that are not what the contract gives.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::anchor {

inline constexpr std::size_t word_bytes = 32;
using Word = std::array<std::uint8_t, word_bytes>;

struct Address {
    std::array<std::uint8_t, 20> bytes{};

    // "0x" and 40 hexadecimal digits of either case. A checksum in the letters' case (EIP-55) is not looked at: we send
    // nothing of value to an address. Error invalid.
    static Result<Address> parse(std::string_view text);
    std::string to_string() const;  // in lower case
    bool operator==(const Address&) const = default;
};

// The first 4 bytes of the Keccak-256 of a function's signature.
using Selector = std::uint32_t;

// Writes a call: Call(0xcdcd77c0).number(69).number(1).bytes().
class Call {
  public:
    explicit Call(Selector selector);
    Call& number(std::uint64_t value);  // uint8 to uint256, and bool
    Call& address(const Address& value);
    Call& word(const Word& value);  // bytes32
    const Bytes& bytes() const noexcept { return bytes_; }

  private:
    Bytes bytes_;
};

// Splits an answer into exactly `count` words.
Result<std::vector<Word>> decode_words(ByteView answer, std::size_t count);
// Refuses what does not fit.
Result<std::uint64_t> decode_number(const Word& word);

// "0x" and lower-case digits.
std::string hex_data(ByteView bytes);

}  // namespace jiaozi::anchor
