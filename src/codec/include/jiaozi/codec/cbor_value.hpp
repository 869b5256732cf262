// A CBOR item as a tree, for tools, tests and other people's encodings; our own messages use CborReader. Bounded by
// CborLimits. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/codec/cbor.hpp>

namespace jiaozi::codec {

struct CborValue {
    CborType type = CborType::null;
    // uint: the value; negint: -1 - value; tag: its number; boolean: 0 or 1; simple: its number
    std::uint64_t number = 0;
    double real = 0;                 // floating
    Bytes bytes{};                   // byte string
    std::string text{};              // text string
    std::vector<CborValue> items{};  // array: elements; map: key, value, key, value …; tag: one

    // The value under an integer key of a map, or null.
    const CborValue* find(std::int64_t key) const noexcept;
    bool is_integer(std::int64_t value) const noexcept;
    bool operator==(const CborValue&) const = default;
};

enum class CborRules : std::uint8_t {
    deterministic,  // what CborReader accepts
    valid,  // all that RFC 8949 section 5.3 calls valid: any width, order and indefinite length; no duplicate keys
};

// Floats are accepted only if limits.allow_floats says so.
Result<CborValue> decode_cbor(ByteView input, CborRules rules, CborLimits limits = {});

// Deterministic, maps sorted. Two equal keys in a map are invalid.
Result<Bytes> encode_cbor(const CborValue& value);

// Diagnostic notation (RFC 8949 section 8) on one line: {1: h'00ff', "a": [1.5, null]}.
std::string cbor_diagnostic(const CborValue& value);

}  // namespace jiaozi::codec
