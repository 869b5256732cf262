// JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as Ethereum's nodes speak it (EIP-1474): requests written,
// answers read. Answers are from outside: at most 1 MiB, 32 levels deep, and every field that is used is checked.
//
// Pure functions. Errors of the parsers: malformed, too_large; declined when the node answers with an error, whose
// message is the node's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::anchor {

inline constexpr std::size_t max_answer_bytes = std::size_t{1} << 20;

std::string rpc_request(std::uint64_t id, std::string_view method, boost::json::array parameters);
// The `result`, which may be null.
Result<boost::json::value> rpc_result(std::string_view answer, std::uint64_t id);

// "0x1f": EIP-1474 allows no leading zeros.
Result<std::uint64_t> rpc_quantity(const boost::json::value& value);
// "0x00ff", any even count of digits.
Result<Bytes> rpc_data(const boost::json::value& value);
std::string hex_quantity(std::uint64_t value);

}  // namespace jiaozi::anchor
