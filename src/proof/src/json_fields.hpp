// Reads the JSON files that others bring: every field is asked for by name and type, and no other may be there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/crypto/merkle.hpp>

#include "integers.hpp"

namespace jiaozi::proof {

// The whole text as JSON; `in` says what it is. Errors malformed, too_large.
inline Result<boost::json::value> parse_json(std::string_view text, std::size_t max_bytes, std::size_t max_depth,
                                             std::string_view in) {
    if (text.size() > max_bytes) {
        return Error(ErrorKind::too_large,
                     "a " + std::string(in) + " is at most " + std::to_string(max_bytes >> 10) + " KiB");
    }
    boost::system::error_code failed;
    boost::json::parse_options options;
    options.max_depth = max_depth;
    auto value = boost::json::parse(text, failed, {}, options);
    if (failed) return Error(ErrorKind::malformed, std::string(in) + ": it is not JSON: " + failed.message());
    return value;
}

// Errors are malformed or too_large, `in` what the file is.
class JsonFields {
  public:
    // `value` outlives this, and `in`, which is a literal.
    static Result<JsonFields> of(const boost::json::value& value, std::size_t count, std::string_view in) {
        const JsonFields none(nullptr, in);
        if (!value.is_object()) return none.malformed("an object is expected");
        if (value.get_object().size() != count) return none.malformed("an object has a field too many or too few");
        return JsonFields(&value.get_object(), in);
    }
    Error malformed(std::string what) const {
        return Error(ErrorKind::malformed, std::move(what)).in(std::string(in_));
    }

    Result<std::string_view> text(std::string_view name) const {
        const boost::json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_string()) return malformed(std::string(name) + " must be a text");
        return std::string_view(value->get_string());
    }
    Result<uint128> amount(std::string_view name) const {
        JZ_TRY(const std::string_view digits, text(name));
        auto value = parse_decimal(digits);
        if (!value.ok()) return malformed(std::string(name) + " must be a decimal number in a text");
        return *value;
    }
    Result<std::uint64_t> number(std::string_view name) const {
        JZ_TRY(const uint128 value, amount(name));
        if (high64(value) != 0) return malformed(std::string(name) + " must be below 2^64");
        return low64(value);
    }
    Result<std::uint32_t> small(std::string_view name) const {
        const boost::json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_int64() || value->get_int64() < 0 || value->get_int64() > UINT32_MAX)
            return malformed(std::string(name) + " must be a number below 2^32");
        return static_cast<std::uint32_t>(value->get_int64());
    }
    Result<uint128> id(std::string_view name) const {
        JZ_TRY(const std::string_view digits, text(name));
        const auto bytes = from_hex(digits);
        // An id is written in one way, so that no byte of a proof can be changed unseen.
        const bool lower = std::ranges::none_of(digits, [](char c) { return c >= 'A' && c <= 'F'; });
        if (!bytes.ok() || bytes->size() != sizeof(uint128) || !lower)
            return malformed(std::string(name) + " has 32 hexadecimal digits, in lower case");
        uint128 value = 0;
        for (const std::uint8_t byte : *bytes) value = value << 8 | byte;
        return value;
    }
    Result<Bytes> bytes(std::string_view name) const {
        JZ_TRY(const std::string_view encoded, text(name));
        return codec::decode_base64(encoded);
    }
    template <std::size_t size>
    Result<> bytes(std::string_view name, std::array<std::uint8_t, size>& out) const {
        JZ_TRY(const Bytes decoded, bytes(name));
        if (decoded.size() != size) return malformed(std::string(name) + " has " + std::to_string(size) + " bytes");
        std::ranges::copy(decoded, out.begin());
        return {};
    }
    Result<const boost::json::array*> array(std::string_view name, std::size_t max) const {
        const boost::json::value* value = object_->if_contains(name);
        if (value == nullptr || !value->is_array()) return malformed(std::string(name) + " must be a list");
        if (value->get_array().size() > max)
            return Error(ErrorKind::too_large, std::string(in_) + ": " + std::string(name) + " is too long");
        return &value->get_array();
    }
    Result<crypto::merkle::Proof> hashes(std::string_view name) const {
        JZ_TRY(const boost::json::array* list, array(name, crypto::merkle::max_proof_hashes));
        crypto::merkle::Proof proof;
        for (const boost::json::value& one : *list) {
            if (!one.is_string()) return malformed(std::string(name) + " holds hashes");
            JZ_TRY(const Bytes hash, codec::decode_base64(std::string_view(one.get_string())));
            if (hash.size() != sizeof(crypto::Digest)) return malformed("a hash has 32 bytes");
            std::ranges::copy(hash, proof.emplace_back().begin());
        }
        return proof;
    }

  private:
    JsonFields(const boost::json::object* object, std::string_view in) : object_(object), in_(in) {}
    const boost::json::object* object_;
    std::string_view in_;
};

}  // namespace jiaozi::proof
